"""The family of errors that matbn raises, and its warnings; in R, their names are the conditions' classes."""

import sys
import warnings


class MatbnError(Exception):
    """The base of all errors that matbn raises; catch it to catch them all."""


class ArgumentError(MatbnError, ValueError):
    """An argument has the right kind but a value that cannot be used."""


class ShapeError(ArgumentError):
    """An array's shape does not fit the others."""


class ElementTypeError(MatbnError, TypeError):
    """An array holds something other than numbers."""


class NotFiniteError(ArgumentError):
    """An array holds NaN, infinity or a masked entry."""


class VarianceError(ArgumentError):
    """Batch norm would divide by zero: a node is constant, or there are too few samples."""


class InferenceError(ArgumentError):
    """There is no standard error: the data do not determine it, or it would take too much memory."""


class MemoryLimitError(MatbnError, MemoryError):
    """The work takes more memory than the system has left."""


class PrecisionWarning(RuntimeWarning):
    """A result is right for the data as stored, but rounding may have taken many of its digits."""


class CollinearityWarning(RuntimeWarning):
    """A column or a direction was left out of a fit, though it only nearly depends on others; the message names it."""


class ConvergenceWarning(RuntimeWarning):
    """A search ended before the gradient vanished, or an interrupt left only a part of the result.

    The message says what to try, or which part there is.
    """


def warn(message: str, kind: type[Warning]) -> None:
    """Issue a warning that points at the line of the user's own code."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("matbn", "numpy", "contextlib"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, kind, stacklevel=level)
