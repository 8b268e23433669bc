"""Mini-batch training as deep-learning frameworks do it, on the question's own parametrisation.

Nodes have free weights W, a scale γ and a shift β; each batch is normalised by its own statistics, through which its
gradient goes, and running averages follow them. Adam (Kingma and Ba 2015) moves all parameters, with a step that falls
along a cosine. What comes out is the net folded with the running averages; Γ₂ and the linear part are then solved on
all rows. It ends after its passes through the data, at no minimum in particular; it is here to compare.
"""

from dataclasses import dataclass

import numpy as np

from matbn.activation import evaluate
from matbn.arguments import Array, finite_result
from matbn.batchnorm import bn_backward
from matbn.problem.least_squares import SHIFT, Problem, join_layers, layers
from matbn.problem.profile import solved
from matbn.problem.sweeps import Workspace
from matbn.problem.whitening import Inputs
from matbn.random_streams import Stream, generator
from matbn.running import RunningStatistics, bn_train, running_start
from matbn.search.minimum import INTERRUPTED, PASSES, Minimum, SearchOptions, Watch

DEFAULT_PASSES = 200  # through the data
_BATCH = 64  # rows
_STEP = 0.01
_DECAY = (0.9, 0.999)  # of the gradient's first and second moments
_EPS = 1e-5  # of batch norm


@dataclass(eq=False)
class _Node:
    """One term's parameters, and its running averages."""

    W: Array  # p × size
    gamma: Array
    beta: Array
    running: RunningStatistics

    def folded(self) -> Array:
        """Return [α; βᵀ] of the plain net that the running averages make of it."""
        factor = self.gamma / np.sqrt(self.running.variance + _EPS)
        return np.vstack([self.W * factor, self.beta - self.running.mean * factor])


def minimise_by_batches(
    problem: Problem, work: Workspace, theta: Array, options: SearchOptions, watch: Watch
) -> Minimum:
    """Train from θ for `options.iterations` passes through the data."""
    rng = generator(options.seed, Stream.BATCHES)
    nodes = [
        _Node(*_started(layer.F, layer.inputs.covariance), running_start(layer.F.shape[1]))
        for layer in layers(problem, theta)
    ]
    at = solved(problem, theta, work)
    if not np.isfinite(at.loss):
        return Minimum(theta, at.loss, at.gradient, 0, 1, PASSES)
    Gamma2, c = at.Gamma2.copy(), at.on_Q / np.sqrt(problem.weight)
    parameters = [array for node in nodes for array in (node.W, node.gamma, node.beta)] + [Gamma2, c]
    moments = [(np.zeros_like(array), np.zeros_like(array)) for array in parameters]
    batches = max(1, len(problem.y) // _BATCH)
    step, status = 0, PASSES
    for sweep in range(options.iterations):
        squares = 0.0
        for rows in np.array_split(_drawn(problem, rng), batches):
            work.stop.check()
            step += 1
            square, gradients = _batch(problem, nodes, Gamma2, c, rows)
            squares += square
            rate = _STEP * 0.5 * (1 + np.cos(np.pi * step / (batches * options.iterations)))
            _adam(parameters, gradients, moments, rate, step)
        if watch(sweep + 1, squares / batches, join_layers([node.folded() for node in nodes])):
            status = INTERRUPTED
            break
    theta = join_layers([node.folded() for node in nodes])
    at = solved(problem, theta, work)
    return Minimum(theta, at.loss, at.gradient, sweep + 1, step, status)


def _started(F: Array, covariance: Array) -> tuple[Array, Array, Array]:
    """Return W, γ and β of nodes that begin as the plain net [α; βᵀ] does on whitened inputs."""
    gamma = np.sqrt((F[:-1] * (covariance @ F[:-1])).sum(axis=0))
    return F[:-1] / gamma, gamma, F[-1].copy()


def _drawn(problem: Problem, rng: np.random.Generator) -> Array:
    """Return the rows of one pass: all in some order, or as often as their weights say."""
    N = len(problem.y)
    if problem.root_w is None:
        return rng.permutation(N)
    w = np.square(problem.root_w)
    return rng.choice(N, N, p=w / w.sum())


def _batch(problem: Problem, nodes: list[_Node], Gamma2: Array, c: Array, rows: Array) -> tuple[float, list[Array]]:
    """Return a batch's mean square, and the gradient of its loss by each of the parameters; moves the averages."""
    root = np.sqrt(problem.weight)
    unweighted = 1.0 if problem.root_w is None else problem.root_w[rows]
    outcomes, linear = problem.y[rows] / unweighted, root * problem.linear.Q[:, rows] / unweighted
    forward, values = [], []
    for node, inputs in zip(nodes, problem.terms, strict=True):
        U = inputs.x[:-1, rows]
        B, cache, node.running = bn_train(U.T @ node.W, node.gamma, node.beta, node.running, eps=_EPS)
        forward.append((U, B, cache))
        values.append(evaluate(problem.activation, "value", B))
    V = np.hstack(values)
    e = outcomes - V @ Gamma2 - c @ linear
    ridge, gradients, start = 2 * problem.penalty, [], 0
    for node, inputs, (U, B, cache) in zip(nodes, problem.terms, forward, strict=True):
        stop = start + B.shape[1]
        dB = (-2 / len(rows)) * np.outer(e, Gamma2[start:stop]) * evaluate(problem.activation, "slope", B)
        by = bn_backward(finite_result("the gradient of a batch", dB), cache)
        gradients += [
            U @ by.Z,
            by.gamma + ridge * _stiffness(node, inputs) * node.gamma,
            by.beta + ridge * SHIFT * node.beta,
        ]
        start = stop
    gradients += [(-2 / len(rows)) * (e @ V) + ridge * Gamma2, (-2 / len(rows)) * (linear @ e)]
    return float(e @ e) / len(rows), gradients


def _stiffness(node: _Node, inputs: Inputs) -> Array:
    """Return the penalty on each node's weights for γ = 1, whatever the scale of W."""
    W = node.W
    ratio: Array = (W * (inputs.P @ W)).sum(axis=0) / (W * (inputs.covariance @ W)).sum(axis=0)
    return ratio


def _adam(
    parameters: list[Array], gradients: list[Array], moments: list[tuple[Array, Array]], rate: float, step: int
) -> None:
    """Move the parameters, in place."""
    first, second = _DECAY
    for parameter, gradient, (mean, square) in zip(parameters, gradients, moments, strict=True):
        mean += (1 - first) * (gradient - mean)
        square += (1 - second) * (gradient**2 - square)
        parameter -= rate * (mean / (1 - first**step)) / (np.sqrt(square / (1 - second**step)) + 1e-8)
