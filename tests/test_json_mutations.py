"""Damaged texts of fits: each is refused by an error that says where, or changes what its field says and no more."""

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("formulaic")

from fuzz.json_mutations import mutated
from fuzz.saved_fits import judged, saved_fits

SAVED = saved_fits()


@pytest.mark.parametrize("saved", SAVED, ids=lambda saved: saved.name)
def test_random_damage(saved):
    rng = np.random.default_rng(13)
    ends = Counter()
    for _ in range(250):
        mutation = mutated(saved.text, rng)
        try:
            ends[judged(saved, mutation.text)] += 1
        except Exception as error:
            raise AssertionError(f"{mutation.kind} at {mutation.path}: {type(error).__name__}: {error}") from error
    assert min(ends["refused"] / 5, ends["the same"], 10 * ends["predicts otherwise"]) > 9  # the damage is real
