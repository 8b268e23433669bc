import csv
from pathlib import Path

import numpy as np
import pytest

from matbn.errors import ArgumentError
from matbn.forum.r_random import RRandom


def golden():
    """R's own numbers, written by r_scripts/golden/random.R."""
    drawn: dict[int, dict[str, list[float]]] = {}
    with (Path(__file__).parents[1] / "fixtures" / "r_random.csv").open() as file:
        for row in csv.DictReader(file):
            kinds = drawn.setdefault(int(row["seed"]), {"runif": [], "rnorm": []})
            kinds[row["kind"]].append(float.fromhex(row["value"]))
    return drawn


@pytest.mark.parametrize(("seed", "drawn"), golden().items())
def test_uniforms_to_the_bit_and_normals_to_4e_15(seed, drawn):
    random = RRandom(seed)
    assert random.runif(700).tolist() == drawn["runif"]
    np.testing.assert_allclose(random.rnorm(700), drawn["rnorm"], rtol=4e-15)


def test_a_range_of_ones_own():
    a, b = RRandom(1), RRandom(1)
    assert (a.runif(5, -5, 5) == -5 + 10 * b.runif(5)).all()
    assert (a.rnorm(3, 2, 3) == 2 + 3 * b.rnorm(3)).all()


def test_uniforms_stay_off_0_and_1_as_in_r():
    class Bits:
        def random_raw(self, n):
            return np.array([0, 1, 2**32 - 1], dtype=np.uint64)[:n]

    random = RRandom(1)
    random._bits = Bits()
    # R replaces a 0 by half of 1/(2³² - 1); the largest draw is below 1 without that.
    assert random.runif(3).tolist() == [0.5 * 2.328306437080797e-10, 2.0**-32, (2**32 - 1) / 2**32]


def test_seeds_that_r_does_not_take():
    for seed in (2**31, -(2**31), 1.5):
        with pytest.raises(ArgumentError, match="whole number"):
            RRandom(seed)


@pytest.mark.r
@pytest.mark.parametrize("seed", [1, 77, -2147483647])
def test_against_the_r_that_is_here(seed):
    from matbn.embedded_r import embedded_r

    r = embedded_r()
    random = RRandom(seed)
    r.evalr(f"set.seed({seed}, 'Mersenne-Twister', 'Inversion')")
    assert (np.array(r.evalr("runif(1000)")) == random.runif(1000)).all()
    np.testing.assert_allclose(random.rnorm(100_000), np.array(r.evalr("rnorm(100000)")), rtol=4e-15)
