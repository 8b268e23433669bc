"""Products of matrices to about twice the working precision, by ordinary products of matrices.

Both factors are cut into slices of so few bits that the product of any two slices is exact in float64 (Ozaki, Ogita,
Oishi and Rump 2012). Those products are added up with the rounding errors of the sums (Knuth's two-sum). Numbers of
twice the precision are pairs: `high` is the number as float64, `low` what that leaves.
"""

import numpy as np

from matbn.arguments import Array

_BITS = 53  # of a float64's significand
_WANTED = 85  # bits of the largest entry that slices go down to
_SMALLEST = -500  # binary exponent below which entries count as 0


def product(A: Array, B: Array) -> tuple[Array, Array]:
    """Return A·B (m × n by n × k) as high and low parts; its error is relative to A's rows and B's columns at most."""
    bits = (_BITS - int(A.shape[1]).bit_length()) // 2
    left, right = _slices(A, bits, axis=1), _slices(B, bits, axis=0)
    high, low = np.zeros((len(A), B.shape[1])), np.zeros((len(A), B.shape[1]))
    for total in range(len(left)):  # from large to small
        for i in range(total + 1):
            high, error = two_sum(high, left[i] @ right[total - i])
            low += error
    return two_sum(high, low)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a + b as float64, and the rounding error of that sum."""
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


def _slices(A: Array, bits: int, axis: int) -> list[Array]:
    """Return matrices that add up to A, each of whole multiples, of at most so many bits, of a power of two."""
    exponent = np.frexp(np.abs(A).max(axis=axis, keepdims=True, initial=0))[1]
    exponent = np.maximum(exponent, _SMALLEST)
    found = []
    for _ in range(-(-_WANTED // bits)):
        exponent = exponent - bits
        part = np.ldexp(np.rint(np.ldexp(A, -exponent)), exponent)
        found.append(part)
        A = A - part
    return found
