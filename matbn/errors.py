"""The one family of errors that matbn raises, and its warnings; R sees their names as condition classes."""

import sys
import warnings


class MatbnError(Exception):
    """Anything that matbn refuses; catch this to catch them all."""


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
    """The system does not give the memory that the work takes."""


class PrecisionWarning(RuntimeWarning):
    """A result is right for the data as stored, but rounding may have taken many of its digits."""


class CollinearityWarning(RuntimeWarning):
    """A column or a direction was left out of a fit, though it only nearly depends on others; the message names it."""


class ConvergenceWarning(RuntimeWarning):
    """A fit's search has ended before its gradient vanished, or an interrupt has left a part of what was asked for.

    The message says which part, or what to try.
    """


def warn(message: str, kind: type[Warning]) -> None:
    """Warn at the user's own line."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("matbn", "numpy", "contextlib"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, kind, stacklevel=level)
