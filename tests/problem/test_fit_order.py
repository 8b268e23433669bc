"""A fit does not depend on the order of rows and inputs, on copies in place of weights, or on the number of threads."""

import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import matbn
from matbn.fitted.units import in_user_units
from matbn.fitting.refit import fit_again, start_of
from matbn.model.design import some_rows
from matbn.problem.coordinates import theta_for_other_rows
from matbn.problem.posing import pose
from matbn.problem.whitening import whiten
from matbn.search.minimum import Minimum, SearchOptions
from matbn.stopping import Stop

SEED = 7


def data(N=90, seed=SEED):
    """Return data with integer weights, whose inputs are partly dummies that differ only in how they relate to y."""
    rng = np.random.default_rng(seed)
    Z = np.column_stack([rng.normal(size=(N, 3)), rng.integers(2, size=(N, 2))]).astype(float)
    X = rng.normal(size=(N, 2))
    groups = {"id": rng.integers(9, size=N), "year": rng.integers(4, size=N)}
    y = np.sin(2 * Z[:, 0]) + Z[:, 1] * Z[:, 3] + X[:, 0] + groups["id"] / 10 + rng.normal(size=N) / 3
    return y, Z, X, groups, rng.integers(1, 4, N).astype(float)


def fitted(rows, columns, activation="tanh", weighted=False, effects=False, mask=None, nodes=3, **options):
    """Return the fit to rows and inputs in the given order, and its fitted values in the original order."""
    y, Z, X, groups, w = data()
    net = matbn.net(
        Z[np.ix_(rows, columns)], nodes, mask=None if mask is None else mask[columns], names=[f"z{k}" for k in columns]
    )
    fit = matbn.fit(
        y[rows],
        nets=net,
        linear=X[rows],
        effects={name: codes[rows] for name, codes in groups.items()} if effects else None,
        weights=w[rows] if weighted else None,
        activation=activation,
        **{"penalty": 1e-3, "starts": 1, "seed": 2, "progress": False} | options,
    )
    in_order = np.empty(len(y))
    in_order[rows] = fit.fitted
    return fit, in_order


def orders():
    rng = np.random.default_rng(SEED + 1)
    return np.arange(90), np.arange(5), rng.permutation(90), rng.permutation(5)


@pytest.mark.filterwarnings("ignore::matbn.ConvergenceWarning")
@pytest.mark.parametrize("kind", ["plain", "weighted", "effects", "mask"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu"])
def test_order_of_rows_and_inputs(activation, kind):
    rows, columns, others, inputs = orders()
    mask = np.random.default_rng(SEED).random((5, 3)) < 0.6
    mask[0] = True
    model = {
        "activation": activation,
        "weighted": kind in ("weighted", "effects"),
        "effects": kind == "effects",
        "mask": mask if kind == "mask" else None,
    }
    fit, values = fitted(rows, columns, **model)
    for own_rows, own_columns in ((others, columns), (rows, inputs), (others, inputs)):
        other, same = fitted(own_rows, own_columns, **model)
        np.testing.assert_allclose(same, values, rtol=0, atol=1e-12)
        np.testing.assert_allclose(other.nets[0].Gamma1, fit.nets[0].Gamma1[own_columns], atol=1e-12)
        assert [search.iterations for search in other.searches] == [search.iterations for search in fit.searches]
        if kind != "mask":
            by_input = fit.theta.reshape(6, 3)
            np.testing.assert_allclose(other.theta.reshape(6, 3), by_input[np.append(own_columns, 5)], atol=1e-12)
    assert fit.searches[0].iterations > 20


def test_order_under_default_settings():
    rng = np.random.default_rng(SEED)
    Z = rng.normal(size=(30, 2))
    y = np.maximum(Z[:, 0] + 0.2, 0) + rng.normal(size=30) / 5
    rows = rng.permutation(30)
    for activation in ("tanh", "relu"):
        options = {"activation": activation, "starts": 1}
        fit = matbn.fit(y, nets=matbn.net(Z, 1), **options)
        other = matbn.fit(y[rows], nets=matbn.net(Z[rows][:, ::-1], 1), **options)
        assert other.penalty == fit.penalty
        assert [scored.score for scored in other.path] == pytest.approx([s.score for s in fit.path], rel=1e-12)
        np.testing.assert_allclose(other.fitted, fit.fitted[rows], atol=1e-12)


@pytest.mark.parametrize("effects", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu"])
def test_copies_of_rows_are_weights(activation, effects):
    y, Z, X, groups, w = data()
    rows = np.random.default_rng(SEED).permutation(np.repeat(np.arange(90), w.astype(int)))
    options = {"activation": activation, "penalty": 1e-3, "starts": 1}
    fits = []
    for own, weights in (
        (np.arange(90), w),
        (rows, None),
        (np.append(rows, [0, 1]), np.append(np.ones(len(rows)), [0, 0])),
    ):
        chosen = {name: codes[own] for name, codes in groups.items()} if effects else None
        nets = matbn.net(Z[own], 3)
        fits.append(matbn.fit(y[own], nets=nets, linear=X[own], effects=chosen, weights=weights, **options))
    weighted, *copied = fits
    for fit in copied:
        np.testing.assert_allclose(fit.fitted[: len(rows)], weighted.fitted[rows], atol=1e-11)
        assert fit.searches[0].loss == pytest.approx(weighted.searches[0].loss, rel=1e-13)
        assert fit.edf == pytest.approx(weighted.edf, rel=1e-10)


def test_copies_count_as_rows_where_a_penalty_is_chosen():
    """400 rows of which ten are distinct leave 400 - edf degrees of freedom, and each fold has all ten."""
    rng = np.random.default_rng(SEED)
    z = rng.integers(5, size=400).astype(float)
    y = (z > 2).astype(float)
    y[rng.random(400) < 0.1] = 0.5
    options = {"nets": matbn.net(z[:, None], 1), "starts": 1}
    fit = matbn.fit(y, penalty="gcv", **options)
    for scored in fit.path:
        there = matbn.fit(y, penalty=scored.penalty, **options)
        expected = there.loss / (1 - 1.4 * there.edf / 400) ** 2 / there.total_sum_of_squares * 400
        assert scored.score == pytest.approx(expected, rel=5e-3)
    by_folds = matbn.fit(y, penalty="cv", **options)
    assert min(scored.score for scored in by_folds.path) < 1.05 * by_folds.loss * 400 / 396


def test_theta_is_in_the_users_order():
    """A saved θ is in the order of terms, patterns of masks and inputs in which the user gave them."""
    y, Z, X, _, w = data()
    columns = np.array([3, 1, 4, 0, 2])
    Z = Z[:, columns]
    mask = np.ones((5, 3), bool)
    mask[0, 1] = mask[3, 2] = False
    fit = matbn.fit(y, nets=[matbn.net(Z, 2), matbn.net(Z, 3, mask=mask)], linear=X, weights=w, penalty=1e-2, starts=1)
    theta, whole = fit.theta, whiten(Z, w, "Z")
    F, theta = theta[:12].reshape(6, 2), theta[12:]
    np.testing.assert_allclose(np.abs(whole.K @ F[:-1]), np.abs(fit.nets[0].A), atol=1e-10)
    for pattern in np.unique(mask, axis=1).T:
        node = np.flatnonzero((pattern == mask.T).all(axis=1))[0]
        p = pattern.sum()
        K = whiten(Z[:, pattern], w, "Z").K
        np.testing.assert_allclose(np.abs(K @ theta[:p]), np.abs(fit.nets[1].A[pattern, node]), atol=1e-10)
        theta = theta[p + 1 :]


def test_a_refit_to_the_same_rows_stays_where_it_is():
    """θ must be reordered when it is passed on, for the problem of other rows may have its inputs in another order."""
    rows, columns, _, inputs = orders()
    mask = np.ones((5, 3), bool)
    mask[0, 1] = mask[3, 2] = False
    for own in (columns, inputs):
        fit, _ = fitted(rows, own, mask=mask, penalty=1e-2)
        start = start_of(fit)
        again = fit_again(fit.design, fit.options, SearchOptions(0, 1), start, Stop())
        np.testing.assert_allclose(again.fitted, fit.fitted, atol=1e-5)
        assert again.searches[0].iterations < 5
        part = np.random.default_rng(1).random(90) < 0.5
        posed = pose(some_rows(fit.design, part), fit.options)
        theta = theta_for_other_rows(start.theta, start.posed, posed)
        nets = in_user_units(some_rows(fit.design, part), posed, [Minimum(theta, 0.0, theta, 0, 0, "converged")]).nets
        np.testing.assert_allclose(np.abs(nets[0].A), np.abs(fit.nets[0].A), atol=1e-9)


@pytest.mark.parametrize("solver", ["profiled", "lm", "joint", "adam"])
def test_threads_of_blas_change_no_bit(solver):
    rng = np.random.default_rng(SEED)
    Z = rng.normal(size=(3_000, 40))
    y = np.sin(Z[:, 0] * Z[:, 1]) + Z[:, 2] + rng.normal(size=3_000) / 3
    w, groups = rng.uniform(0.5, 2, 3_000), rng.integers(300, size=3_000)
    models = [{"weights": w}, {"weights": w, "effects": groups}] if solver != "adam" else [{"weights": w}]
    options = {"linear": Z[:, :12], "penalty": 1e-3, "solver": solver, "starts": 1, "progress": False}
    for model in models:
        fits = []
        for threads in (1, 2):
            with threadpool_limits(threads, "blas"), warnings.catch_warnings():
                warnings.simplefilter("ignore", matbn.ConvergenceWarning)
                fits.append(matbn.fit(y, nets=matbn.net(Z, 20), **options, **model, iterations=1))
        one, two = fits
        assert (one.fitted == two.fitted).all()
        assert (one.theta == two.theta).all()
        assert one.edf == two.edf


def test_threads_change_no_bit_of_choices_and_resampling():
    rng = np.random.default_rng(SEED)
    Z = rng.normal(size=(120, 2))
    y = np.tanh(2 * Z[:, 0]) + Z[:, 1] ** 2 + rng.normal(size=120) / 3
    runs = []
    for threads in (1, 2):
        with threadpool_limits(threads, "blas"):
            fit = matbn.fit(y, nets=matbn.net(Z, 2), penalty="gcv", starts=2)
            draws = fit.bootstrap(replicates=3).draws
            choice = fit.choose(penalties=[1e-3, 1e-2], folds=3, starts=2)
            runs.append([fit.theta, fit.cross_validate(folds=3).predictions, draws, choice.scores, choice.fit.theta])
    for one, two in zip(*runs, strict=True):
        assert (one == two).all()
