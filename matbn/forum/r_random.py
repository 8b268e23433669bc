"""R's random numbers without R: set.seed, runif and rnorm as in all versions of R since 1.7.

R's default generator is the Mersenne Twister, which NumPy has too. But R fills its state by a linear
congruential generator of its own, uses 32 bits for each uniform, and makes each normal by inversion from
two uniforms. Source: R's src/main/RNG.c and src/nmath/snorm.c, described here and not copied.
"""

import numpy as np
from scipy.special import ndtri

from matbn.arguments import Array, as_integer
from matbn.errors import ArgumentError

_STATE_WORDS = 624
_UNIT = 2.3283064365386963e-10  # 2⁻³², as R writes it
_SMALLEST = 2.328306437080797e-10  # 1/(2³² - 1), the spacing that keeps uniforms off 0 and 1
_FIRST_BITS = 134217728  # 2²⁷: a normal takes 27 bits from the first of its two uniforms


class RRandom:
    """R's random-number stream after set.seed(seed)."""

    def __init__(self, seed: int) -> None:
        seed = as_integer("seed", seed, at_least=-(2**31) + 1)
        if seed >= 2**31:
            raise ArgumentError(f"seed is {seed}, but R takes whole numbers up to 2147483647")
        scrambled = _congruential(seed % 2**32, 50 + 1 + _STATE_WORDS)
        # The first 50 only scramble, and R overwrites the next one with its position in the state.
        key = np.array(scrambled[-_STATE_WORDS:], dtype=np.uint32)
        self._bits = np.random.MT19937()
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": _STATE_WORDS}}

    def runif(self, n: int, low: float = 0.0, high: float = 1.0) -> Array:
        """Return n uniforms between low and high, equal to R's to the last bit."""
        uniforms: Array = low + (high - low) * self._uniforms(as_integer("n", n))
        return uniforms

    def rnorm(self, n: int, mean: float = 0.0, sd: float = 1.0) -> Array:
        """Return n normals; they differ from R's by no more than 4e-15 relative."""
        first, second = self._uniforms(2 * as_integer("n", n)).reshape(-1, 2).T
        normals: Array = mean + sd * ndtri((np.floor(_FIRST_BITS * first) + second) / _FIRST_BITS)
        return normals

    def _uniforms(self, n: int) -> Array:
        uniforms = self._bits.random_raw(n).astype(np.float64) * _UNIT
        return np.clip(uniforms, _SMALLEST / 2, 1 - _SMALLEST / 2)


def _congruential(seed: int, count: int) -> list[int]:
    """Return the next numbers of R's linear congruential generator."""
    words = []
    for _ in range(count):
        seed = (69069 * seed + 1) % 2**32
        words.append(seed)
    return words
