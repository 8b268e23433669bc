"""The streams of random numbers: each purpose has its own, so that no two draw the same numbers from one seed."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """The purposes of random numbers; a number keeps its purpose for ever, since seeded results depend on it."""

    STARTS = 1  # one for each start
    BATCHES = 2  # rows for Adam
    SAMPLES = 3  # rows on which a search begins
    PENALTY_FOLDS = 4
    PENALTY_STARTS = 5  # one for each fold and start
    FOLDS = 6  # of `cross_validate` and `choose`
    REPLICATES = 7  # one for each bootstrap replicate
    DIRECTIONS = 8  # along which a gradient is checked


def generator(seed: int, stream: Stream, *numbers: int) -> np.random.Generator:
    """Return the generator of a stream, or of the part of it that the numbers name."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, *numbers)))
