"""Centring and scaling of outcomes, so that sums lose no digits and nothing overflows.

Where an intercept or a fixed effect takes up whatever is added to a group's outcomes, a location far from 0 is taken
off first: y - c is exact in float64 for c/2 <= y <= 2c. Sizes are powers of two, which cost no digit either.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.model.design import Design

_FAR = 2  # a location is taken off where it is at least so many times as large as the deviations from it
_LARGEST = 1e154  # whose square is finite


@dataclass(frozen=True, eq=False)
class ScaledOutcomes:
    """The user's outcomes are 2^exponent·(y + shifts)."""

    y: Array  # N
    exponent: int
    shifts: tuple[Array, ...]  # of each effect, one for each group; without effects, one for the intercept


def centre_and_scale(design: Design) -> ScaledOutcomes:
    """Return a design's outcomes without their locations, and at most 1 in size where rows count."""
    codes = [effect.codes for effect in design.effects]
    if design.intercept:
        codes = [np.zeros(len(design.y), int)]
    counted = None if design.w is None else design.w > 0
    y, first = scale_to_one(design.y, counted)
    shifts = []
    for groups in codes:
        shift = far_means(y, groups)
        y = y - shift[groups]
        shifts.append(shift)
    y, second = scale_to_one(y, counted)
    if not np.abs(y).max() < _LARGEST:
        raise ArgumentError("y has entries in rows of weight 0 that are too large beside all others; leave those out")
    return ScaledOutcomes(y, int(first + second), tuple(np.ldexp(shift, -second) for shift in shifts))


def scale_to_one(values: Array, counted: Array | None = None) -> tuple[Array, Array]:
    """Divide each row of values by a power of two so that no counted entry exceeds 1; return the exponents too."""
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
    y, exponent = scale_to_one(y, None if w is None else w > 0)
    for _ in range(2):  # the second time takes off what rounding left of the mean
        y = y - np.average(y, weights=w)
    return norm(y, w, exponent)


def norm(y: Array, w: Array | None, exponent: Any = 0) -> float:
    """Return the root of Σwy², times a power of two, without overflow on the way."""
    y, own = scale_to_one(y, None if w is None else w > 0)
    squares = float(y @ y if w is None else (w * y) @ y)
    return float(np.ldexp(np.sqrt(squares), own + exponent))


def far_means(y: Array, groups: Array) -> Array:
    """Return each group's mean where it is far from 0, and 0 where it is not."""
    mean = np.bincount(groups, y) / np.bincount(groups)
    deviation = np.zeros(len(mean))
    np.maximum.at(deviation, groups, np.abs(y - mean[groups]))
    return np.where(np.abs(mean) >= _FAR * deviation, mean, 0)
