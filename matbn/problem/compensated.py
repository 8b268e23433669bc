"""Matrix products in about twice the working precision, by ordinary matrix products.

Both factors are cut into slices of so few bits that the product of any two slices is exact in float64 (Ozaki, Ogita,
Oishi and Rump 2012). These products are added up, and so are the rounding errors of their sums (Knuth's two-sum).
Numbers of twice the precision are pairs: `high` is the number rounded to float64, `low` the rest.
"""

import numpy as np

from matbn.arguments import Array

_BITS = 53  # bits of a float64's significand
_WANTED = 85  # bits that all slices together hold of the largest entry
_SMALLEST = -500  # binary exponent below which entries count as 0


def product(A: Array, B: Array) -> tuple[Array, Array]:
    """Return A·B (m × n by n × k) as high and low parts; errors are relative to A's rows and B's columns."""
    bits = (_BITS - int(A.shape[1]).bit_length()) // 2
    left, right = _slices(A, bits, axis=1), _slices(B, bits, axis=0)
    high, low = np.zeros((len(A), B.shape[1])), np.zeros((len(A), B.shape[1]))
    for total in range(len(left)):  # from large to small
        for i in range(total + 1):
            high, error = two_sum(high, left[i] @ right[total - i])
            low += error
    return two_sum(high, low)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a + b in float64, and the rounding error of that sum."""
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


def _slices(A: Array, bits: int, axis: int) -> list[Array]:
    """Return matrices that add up to A; entries of each are whole numbers of at most `bits` bits times a power of 2."""
    exponent = np.frexp(np.abs(A).max(axis=axis, keepdims=True, initial=0))[1]
    exponent = np.maximum(exponent, _SMALLEST)
    slices = []
    for _ in range(-(-_WANTED // bits)):
        exponent = exponent - bits
        part = np.ldexp(np.rint(np.ldexp(A, -exponent)), exponent)
        slices.append(part)
        A = A - part
    return slices
