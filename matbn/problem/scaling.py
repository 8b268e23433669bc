"""Outcomes without their offsets and at a size near 1, so that no digit is lost on the way and nothing overflows.

Where an intercept or a fixed effect takes up whatever is added to a group's outcomes, a location far from 0 is taken
off first: y - c is exact in float64 for c/2 <= y <= 2c. Sizes are powers of two, which cost no digit either.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.model.design import Design

_FAR = 2  # deviations from 0, from which on a location is taken off
_LARGEST = 1e154  # whose square is finite


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
    counted = None if design.w is None else design.w > 0
    y, first = evened(design.y, counted)
    shifts = []
    for groups in codes:
        shift = far(y, groups)
        y = y - shift[groups]
        shifts.append(shift)
    y, second = evened(y, counted)
    if not np.abs(y).max() < _LARGEST:
        raise ArgumentError("y has entries in rows of weight 0 that are too large beside all others; leave those out")
    return Calm(y, int(first + second), tuple(np.ldexp(shift, -second) for shift in shifts))


def evened(values: Array, counted: Array | None = None) -> tuple[Array, Array]:
    """Return rows of values divided by powers of two, so that no counted one exceeds 1, and the powers' exponents."""
    exponents = np.frexp(np.abs(values if counted is None else values[..., counted]).max(axis=-1, initial=0))[1]
    return np.ldexp(values, -exponents[..., None]), exponents


def total_norm(design: Design) -> float:
    """Return √Σw(y - mean)², or √Σwy² where there is neither intercept nor effect; the square must be finite."""
    about = norm_about_mean if design.intercept or design.effects else norm
    found = about(design.y, design.w) * float(np.sqrt(design.weight_unit))
    if not found < _LARGEST:
        raise ArgumentError("y, with its weights, has entries too large to be squared in float64; rescale it")
    return found


def norm_about_mean(y: Array, w: Array | None) -> float:
    """Return the root of Σw(y - mean)²."""
    y, exponent = evened(y, None if w is None else w > 0)
    for _ in range(2):  # the second time takes off what rounding left of the mean
        y = y - np.average(y, weights=w)
    return norm(y, w, exponent)


def norm(y: Array, w: Array | None, exponent: Any = 0) -> float:
    """Return the root of Σwy², times a power of two, without overflow on the way."""
    y, own = evened(y, None if w is None else w > 0)
    squares = float(y @ y if w is None else (w * y) @ y)
    return float(np.ldexp(np.sqrt(squares), own + exponent))


def far(y: Array, groups: Array) -> Array:
    """Return each group's mean where it is far from 0, and 0 where it is not."""
    mean = np.bincount(groups, y) / np.bincount(groups)
    deviation = np.zeros(len(mean))
    np.maximum.at(deviation, groups, np.abs(y - mean[groups]))
    return np.where(np.abs(mean) >= _FAR * deviation, mean, 0)
