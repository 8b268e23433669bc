"""Judge whether a call ended as a user may expect: with finite numbers, or with an error of matbn."""

import math
import signal
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning as SklearnConvergenceWarning
from targets import TARGETS
from values import changed

import matbn

SECONDS = 60  # that a call may take
OURS = (matbn.PrecisionWarning, matbn.ConvergenceWarning, matbn.CollinearityWarning, SklearnConvergenceWarning)
# nan says here that there is no number: a test without degrees of freedom, a coefficient that the data do not
# determine. Such results name the reason in their own words or have it in the fit's messages.
MAY_BE_NAN = (
    "Fit",
    "Covariance",
    "Table",
    "MarginalEffects",
    "PartialDependence",
    "Predicted",
    "WaldTests",
    "Validation",
    "Choice",
)


class Wrong(AssertionError):
    """A call ended in a way that is not allowed."""


def judge(target: str, seed: int, changes: Mapping[str, str]) -> None:
    """Make a call and raise what is wrong with it: another library's error as it came, or `Wrong`."""
    call = TARGETS[target](np.random.default_rng(seed))
    names = list(call.arguments)
    for place, change in changes.items():
        name = names[int(place) % len(names)] if names else None
        if name is not None:
            call.arguments[name] = changed(call.arguments[name], change)
    with warnings.catch_warnings(record=True) as given, _time_limit():
        warnings.simplefilter("always")
        try:
            result = call.made()
        except matbn.MatbnError as error:
            if not str(error).strip():
                raise Wrong("an error without words") from error
            return
        except (TypeError, ValueError) as error:
            frames = traceback.extract_tb(error.__traceback__)
            in_signature = isinstance(error, TypeError) and len(frames) <= 2  # no deeper than the call itself
            if not (in_signature or _in_words_of_others(target, frames, changes)):
                raise
            return
    foreign = [warning for warning in given if not issubclass(warning.category, OURS)]
    if foreign:
        raise Wrong(f"warned: {foreign[0].category.__name__}: {foreign[0].message} ({foreign[0].filename})")
    for where, number in _numbers(result, type(result).__name__):
        if np.isinf(number).any() or (np.isnan(number).any() and type(result).__name__ not in MAY_BE_NAN):
            raise Wrong(f"{where} is not finite, and nobody says so")


def _in_words_of_others(target: str, frames: Any, changes: Mapping[str, str]) -> bool:
    """Whether an error is scikit-learn's own, of a regressor, or that of a function that the user has passed."""
    if target == "NetRegressor":
        return any("site-packages/sklearn/" in frame.filename for frame in frames)
    functions = {"function", "class", "object"} | ({"dict", "empty dict"} if target == "check_gradient" else set())
    return target in ("check_gradient", "prepare", "fit") and bool(functions & set(changes.values()))


def _numbers(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Return all numbers in a result, each with its place in it."""
    if isinstance(value, float | complex):
        yield where, np.asarray(value)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "fc":
            yield where, value
    elif sp.issparse(value):
        yield where, value.data
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _numbers(entry, f"{where}[{key!r}]")
    elif isinstance(value, list | tuple):
        for k, entry in enumerate(value):
            yield from _numbers(entry, f"{where}[{k}]")
    elif isinstance(value, matbn.Fit):  # the data that it keeps are the user's
        for name in ("coefficients", "fitted", "residuals", "nets", "effects", "loss", "theta"):
            yield from _numbers(getattr(value, name), f"{where}.{name}")
    elif is_dataclass(value):
        for field in fields(value):
            if field.name != "levels":  # labels of the user's own, infinite ones among them
                yield from _numbers(getattr(value, field.name), f"{where}.{field.name}")


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise Wrong(f"took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(math.ceil(SECONDS))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
