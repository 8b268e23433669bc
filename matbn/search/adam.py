"""Mini-batch training as deep-learning frameworks do it, on the question's own parametrisation.

Nodes have weights W, a scale γ and a shift β. Each batch is normalised by its own mean and variance, the gradient
passes through these, and running averages of them are kept. Adam (Kingma and Ba 2015) changes all parameters, with a
step size that falls along a cosine. The result is the net folded with the running averages; Γ₂ and the linear part are
then solved for on all rows. Training ends after a number of passes through the data, at no minimum in particular: this
solver serves comparisons.
"""

from dataclasses import dataclass

import numpy as np

from matbn.activation import evaluate
from matbn.arguments import Array, finite_result
from matbn.batchnorm import bn_backward
from matbn.problem.least_squares import SHIFT, Problem, first_layers, join_layers
from matbn.problem.profile import solve
from matbn.problem.sweeps import Workspace
from matbn.problem.whitening import Inputs
from matbn.random_streams import Stream, generator
from matbn.running import RunningStatistics, bn_train, running_start
from matbn.search.minimum import INTERRUPTED, PASSES, Minimum, SearchOptions, Watch

DEFAULT_PASSES = 200  # passes through the data
_BATCH = 64  # rows
_STEP = 0.01
_DECAY = (0.9, 0.999)  # of the averages of the gradient and of its square
_EPS = 1e-5  # of batch norm


@dataclass(eq=False)
class _Nodes:
    """The nodes of one term: their parameters and running averages."""

    W: Array  # p × size
    gamma: Array
    beta: Array
    running: RunningStatistics

    def folded_layer(self) -> Array:
        """Return [α; βᵀ] of the plain net that these nodes are when normalised by the running averages."""
        factor = self.gamma / np.sqrt(self.running.variance + _EPS)
        return np.vstack([self.W * factor, self.beta - self.running.mean * factor])


def minimise_by_batches(
    problem: Problem, work: Workspace, theta: Array, options: SearchOptions, watch: Watch
) -> Minimum:
    """Train from θ for `options.iterations` passes through the data."""
    rng = generator(options.seed, Stream.BATCHES)
    terms = [
        _Nodes(*_initial_parameters(layer.F, layer.inputs.covariance), running_start(layer.F.shape[1]))
        for layer in first_layers(problem, theta)
    ]
    at = solve(problem, theta, work)
    if not np.isfinite(at.loss):
        return Minimum(theta, at.loss, at.gradient, 0, 1, PASSES)
    Gamma2, c = at.Gamma2.copy(), at.on_Q / np.sqrt(problem.weight)
    parameters = [array for nodes in terms for array in (nodes.W, nodes.gamma, nodes.beta)] + [Gamma2, c]
    moments = [(np.zeros_like(array), np.zeros_like(array)) for array in parameters]
    batches = max(1, len(problem.y) // _BATCH)
    step, status = 0, PASSES
    for sweep in range(options.iterations):
        squares = 0.0
        for rows in np.array_split(_draw_rows(problem, rng), batches):
            work.stop.check()
            step += 1
            square, gradients = _batch_gradients(problem, terms, Gamma2, c, rows)
            squares += square
            rate = _STEP * 0.5 * (1 + np.cos(np.pi * step / (batches * options.iterations)))
            _adam_step(parameters, gradients, moments, rate, step)
        if watch(sweep + 1, squares / batches, join_layers([nodes.folded_layer() for nodes in terms])):
            status = INTERRUPTED
            break
    theta = join_layers([nodes.folded_layer() for nodes in terms])
    at = solve(problem, theta, work)
    return Minimum(theta, at.loss, at.gradient, sweep + 1, step, status)


def _initial_parameters(F: Array, covariance: Array) -> tuple[Array, Array, Array]:
    """Return W, γ and β whose nodes equal those of the plain net F = [α; βᵀ] on whitened inputs."""
    gamma = np.sqrt((F[:-1] * (covariance @ F[:-1])).sum(axis=0))
    return F[:-1] / gamma, gamma, F[-1].copy()


def _draw_rows(problem: Problem, rng: np.random.Generator) -> Array:
    """Return the rows of one pass: a permutation, or with weights N draws with probabilities proportional to them."""
    N = len(problem.y)
    if problem.root_w is None:
        return rng.permutation(N)
    w = np.square(problem.root_w)
    return rng.choice(N, N, p=w / w.sum())


def _batch_gradients(
    problem: Problem, terms: list[_Nodes], Gamma2: Array, c: Array, rows: Array
) -> tuple[float, list[Array]]:
    """Return a batch's mean square and the gradients of its loss, and update the running averages."""
    root = np.sqrt(problem.weight)
    root_w = 1.0 if problem.root_w is None else problem.root_w[rows]
    outcomes, linear = problem.y[rows] / root_w, root * problem.linear.Q[:, rows] / root_w
    forward, values = [], []
    for nodes, inputs in zip(terms, problem.terms, strict=True):
        U = inputs.x[:-1, rows]
        B, cache, nodes.running = bn_train(U.T @ nodes.W, nodes.gamma, nodes.beta, nodes.running, eps=_EPS)
        forward.append((U, B, cache))
        values.append(evaluate(problem.activation, "value", B))
    V = np.hstack(values)
    e = outcomes - V @ Gamma2 - c @ linear
    ridge, gradients, start = 2 * problem.penalty, [], 0
    for nodes, inputs, (U, B, cache) in zip(terms, problem.terms, forward, strict=True):
        stop = start + B.shape[1]
        dB = (-2 / len(rows)) * np.outer(e, Gamma2[start:stop]) * evaluate(problem.activation, "slope", B)
        by = bn_backward(finite_result("the gradient of a batch", dB), cache)
        gradients += [
            U @ by.Z,
            by.gamma + ridge * _penalty_at_unit_scale(nodes.W, inputs) * nodes.gamma,
            by.beta + ridge * SHIFT * nodes.beta,
        ]
        start = stop
    gradients += [(-2 / len(rows)) * (e @ V) + ridge * Gamma2, (-2 / len(rows)) * (linear @ e)]
    return float(e @ e) / len(rows), gradients


def _penalty_at_unit_scale(W: Array, inputs: Inputs) -> Array:
    """Return the penalty on each node's folded weights for γ = 1, which does not depend on the scale of W."""
    ratio: Array = (W * (inputs.P @ W)).sum(axis=0) / (W * (inputs.covariance @ W)).sum(axis=0)
    return ratio


def _adam_step(
    parameters: list[Array], gradients: list[Array], moments: list[tuple[Array, Array]], rate: float, step: int
) -> None:
    """Take one step of Adam, in place."""
    first, second = _DECAY
    for parameter, gradient, (mean, square) in zip(parameters, gradients, moments, strict=True):
        mean += (1 - first) * (gradient - mean)
        square += (1 - second) * (gradient**2 - square)
        parameter -= rate * (mean / (1 - first**step)) / (np.sqrt(square / (1 - second**step)) + 1e-8)
