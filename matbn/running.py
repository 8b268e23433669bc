"""Batch norm with running statistics, as deep-learning frameworks train and predict with it.

In training, a batch is normalised by its own statistics, and a running mean and variance are updated from
them. In prediction, the running mean and variance, now constants, take their place.

Frameworks disagree on what «momentum» weighs; `momentum_of` says which is meant:

    "batch"    new = (1 - momentum)·old + momentum·batch     PyTorch, default 0.1
    "running"  new = momentum·old + (1 - momentum)·batch     ONNX, Keras, Flax; default 0.9 or 0.99

momentum=None is the cumulative average, in which all batches so far have equal weight. The variance that
normalises (`ddof`) and the one that is stored (`running_ddof`) are chosen separately: PyTorch normalises with
the biased one (0) and stores the unbiased one (1); ONNX stores the biased one too.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from matbn.arguments import Array, as_choice, as_integer, as_number, as_vector, finite_result, variance_divisor
from matbn.batchnorm import (
    BatchNormCache,
    BatchNormOutput,
    Normalised,
    bn_forward,
    centre,
    like_layout,
    samples_in_rows,
    scale_and_shift,
)
from matbn.errors import ArgumentError, ElementTypeError, VarianceError
from matbn.memory import check_memory

MOMENTUM_OF = ("batch", "running")


@dataclass(frozen=True, eq=False)
class RunningStatistics:
    """Running mean and variance of p nodes, after a number of batches."""

    mean: Array  # p
    variance: Array  # p
    batches: int = 0


class TrainingOutput(NamedTuple):
    """Result of `bn_train`; unpacks as `Y, cache, running`."""

    Y: Array
    cache: BatchNormCache  # for bn_backward
    running: RunningStatistics


def running_start(p: int) -> RunningStatistics:
    """Return the usual start for p nodes: mean 0, variance 1, no batch seen."""
    p = as_integer("p", p, at_least=1)
    check_memory(f"the statistics of {p:,} nodes", 2 * p, "take fewer nodes")
    return RunningStatistics(np.zeros(p), np.ones(p))


@np.errstate(all="ignore")
def running_update(
    running: RunningStatistics,
    Z: ArrayLike,
    momentum: float | None = 0.1,
    *,
    momentum_of: str = "batch",
    running_ddof: float = 1,
    layout: str = "rows",
) -> RunningStatistics:
    """Return the statistics updated from the batch Z, by the rule at the top of this module."""
    as_choice("momentum_of", momentum_of, MOMENTUM_OF)
    Z = samples_in_rows(Z, layout)
    mean, variance = _mean_and_variance(running, Z.shape[1])
    batches = as_integer("running.batches", running.batches)
    centred, batch_mean = centre(Z)
    batch_variance = np.square(centred).sum(axis=0) / variance_divisor(len(Z), running_ddof, "running_ddof")
    if momentum is None:
        weight = 1 / (batches + 1)
    else:
        weight = as_number("momentum", momentum, at_least=0)
        if weight > 1:
            raise ArgumentError(f"momentum is {weight:g}, but must lie between 0 and 1")
        if momentum_of == "running":
            weight = 1 - weight
    return RunningStatistics(
        finite_result("the running mean", (1 - weight) * mean + weight * batch_mean),
        finite_result("the running variance", (1 - weight) * variance + weight * batch_variance),
        batches + 1,
    )


def bn_train(
    Z: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    running: RunningStatistics,
    *,
    ddof: float = 0,
    eps: float = 1e-5,
    momentum: float | None = 0.1,
    momentum_of: str = "batch",
    running_ddof: float = 1,
    layout: str = "rows",
) -> TrainingOutput:
    """Normalise a batch by its own statistics and update the running ones; the defaults are PyTorch's.

    Z is N × p (p × N with layout="columns"). Errors are those of `bn_forward` and `running_update`.
    """
    Y, cache = bn_forward(Z, gamma, beta, ddof, eps, layout=layout)
    updated = running_update(running, Z, momentum, momentum_of=momentum_of, running_ddof=running_ddof, layout=layout)
    return TrainingOutput(Y, cache, updated)


@np.errstate(all="ignore")
def bn_infer(
    Z: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    running: RunningStatistics,
    *,
    eps: float = 1e-5,
    layout: str = "rows",
) -> BatchNormOutput:
    """Normalise by the running statistics: Y = (Z - 1·meanᵀ)·diag(γ/√(variance + eps)) + 1βᵀ.

    A single sample is enough. `bn_backward` takes the cache, and treats the statistics as constants.
    """
    Z = samples_in_rows(Z, layout)
    gamma, beta = scale_and_shift(gamma, beta, Z.shape[1])
    mean, variance = _mean_and_variance(running, Z.shape[1])
    s = np.sqrt(variance + as_number("eps", eps, at_least=0))
    if (s == 0).any():
        raise VarianceError("running.variance has zeros and eps is 0: set eps > 0 to divide by its root")
    H = (Z - mean) / s
    cache = BatchNormCache(Normalised(H, s, len(Z)), gamma.copy(), layout, False)
    return BatchNormOutput(like_layout(finite_result("Y", H * gamma + beta), layout), cache)


def _mean_and_variance(running: RunningStatistics, p: int) -> tuple[Array, Array]:
    if not isinstance(running, RunningStatistics):
        raise ElementTypeError(
            f"running is of type {type(running).__name__}, but must be RunningStatistics, as running_start(p) gives"
        )
    mean = as_vector("running.mean", running.mean, p, "one for each node")
    variance = as_vector("running.variance", running.variance, p, "one for each node")
    if (variance < 0).any():
        raise ArgumentError("running.variance has negative entries")
    return mean, variance
