"""Damaged texts of fits: an error says where the damage is, or only what the damaged field means has changed."""

import contextlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import matbn

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


def test_random_damage_to_texts_of_the_version_before():
    old = json.loads((Path(__file__).parents[1] / "fixtures" / "saved_fits_schema2.json").read_text())
    rng = np.random.default_rng(14)
    for fit in old["fits"]:
        for _ in range(60):
            with contextlib.suppress(matbn.MatbnError):
                matbn.Fit.from_json(mutated(fit["text"], rng).text)
