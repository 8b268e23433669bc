"""Outcomes without their offsets and at a size near 1, so that no digit is lost on the way and nothing overflows.

Where an intercept or a fixed effect takes up whatever is added to a group's outcomes, a location far from 0 is taken
off first: y - c is exact in float64 for c/2 <= y <= 2c. Sizes are powers of two, which cost no digit either.
"""

from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.fitting.design import Design

_FAR = 2  # deviations from 0, from which on a location is taken off


@dataclass(frozen=True, eq=False)
class Calm:
    """Outcomes y = 2^exponent·(calm + shifts)."""

    y: Array  # N, the calm ones
    exponent: int
    shifts: tuple[Array, ...]  # for each effect those of its groups; or, without any, that of the intercept


def calmed(design: Design) -> Calm:
    """Take locations and size off a design's outcomes."""
    codes = [effect.codes for effect in design.effects]
    if design.intercept:
        codes = [np.zeros(len(design.y), int)]
    y, first = evened(design.y)
    shifts = []
    for groups in codes:
        shift = _far(y, groups)
        y = y - shift[groups]
        shifts.append(shift)
    y, second = evened(y)
    return Calm(y, int(first + second), tuple(np.ldexp(shift, -second) for shift in shifts))


def evened(values: Array) -> tuple[Array, Array]:
    """Return rows of values divided by powers of two, so that none is larger than 1, and the powers' exponents."""
    exponents = np.frexp(np.abs(values).max(axis=-1, initial=0))[1]
    return np.ldexp(values, -exponents[..., None]), exponents


def norm_about_mean(y: Array, w: Array | None) -> float:
    """Return the root of Σw(y - mean)²."""
    y, exponent = evened(y)
    for _ in range(2):  # the second time takes off what rounding left of the mean
        y = y - np.average(y, weights=w)
    return norm(y, w, exponent)


def norm(y: Array, w: Array | None, exponent: int = 0) -> float:
    """Return the root of Σwy², times a power of two, without overflow on the way."""
    y, own = evened(y)
    squares = float(y @ y if w is None else (w * y) @ y)
    return float(np.ldexp(np.sqrt(squares), own + exponent))


def _far(y: Array, groups: Array) -> Array:
    """Return each group's mean where it is far from 0, and 0 where it is not."""
    mean = np.bincount(groups, y) / np.bincount(groups)
    deviation = np.zeros(len(mean))
    np.maximum.at(deviation, groups, np.abs(y - mean[groups]))
    return np.where(np.abs(mean) >= _FAR * deviation, mean, 0)
