"""Fits of whole models: against least squares where they are linear, against the exact gradient where they are not."""

import numpy as np
import pytest
from random_problems import dummies, panel

import matbn
from matbn.activation import ACTIVATIONS
from matbn.fitted.prediction import New, predict
from matbn.fitting.estimate import fit_design
from matbn.model.design import as_design, net
from matbn.problem.least_squares import SHIFT
from matbn.problem.posing import ModelOptions
from matbn.search.minimum import SearchOptions


def options(activation="tanh", penalty=1e-4, starts=2, seed=1, tolerance=1e-8, iterations=4000):
    return ModelOptions(ACTIVATIONS[activation], penalty), SearchOptions(starts, seed, tolerance, iterations)


def weighted_regression(X, y, w):
    root = np.ones(len(y)) if w is None else np.sqrt(w)
    return np.linalg.lstsq(X * root[:, None], y * root, rcond=1e-11)[0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("levels", [(), (30,), (30, 6), (4, 25), (12, 6, 5)])
def test_linear_models_equal_least_squares_with_dummies(levels, weighted):
    rng = np.random.default_rng(1)
    effects = dict(zip("abc", panel(2, levels), strict=False)) if levels else None
    N = len(next(iter(effects.values()))) if effects else 200
    X = rng.normal(5, 2, (N, 3)) * [1, 100, 0.01]
    y = X @ [1, 0.02, -30] + rng.normal(size=N) + 7
    w = rng.uniform(0.2, 3, N) if weighted else None
    fit = fit_design(as_design(y, (), X, effects, w), *options())
    D = dummies(list(effects.values())) if effects else np.ones((N, 1))
    expected = weighted_regression(np.hstack([X, D]), y, w)
    slopes = fit.coefficients if effects else fit.coefficients[1:]
    np.testing.assert_allclose(slopes, expected[:3], rtol=1e-8)
    np.testing.assert_allclose(fit.fitted, np.hstack([X, D]) @ expected, rtol=1e-8)
    assert fit.rank == 3 + np.linalg.matrix_rank(D)
    new = X if effects else np.column_stack([np.ones(N), X])
    np.testing.assert_allclose(predict(fit, New([], new, effects or {})), fit.fitted, rtol=1e-10)


def data(seed, N=300):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(N, 3)) * [1, 10, 0.1] + [0, 5, 1000]
    X = rng.normal(size=(N, 2))
    groups = {"id": rng.integers(20, size=N), "year": rng.integers(5, size=N)}
    y = np.sin(Z[:, 0]) + 0.1 * Z[:, 1] * Z[:, 0] + X @ [1, -2] + groups["id"] * 0.1 + rng.normal(size=N) / 5
    return y, Z, X, groups, rng.uniform(0.2, 2, N)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "softplus", "sine"])
def test_at_the_optimum_the_exact_gradient_of_the_penalised_loss_vanishes(activation):
    y, Z, X, _, _ = data(3)
    penalty = 1e-3
    fit = fit_design(as_design(y, net(Z, 2), X), *options(activation, penalty))
    (folded_net,) = fit.nets
    assert fit.converged
    partial = y - X @ fit.coefficients[1:] - fit.coefficients[0]  # what the net fits, at the linear part's solution
    folded = {"Gamma1": folded_net.A, "gamma": None, "beta": folded_net.c, "Gamma2": folded_net.Gamma2}
    exact = matbn.net_gradient(Z, partial, **folded, activation=activation)  # of the plain net
    assert exact.loss == pytest.approx(fit.loss, rel=1e-10)
    linear = np.column_stack([np.ones(len(y)), X])
    project = y - linear @ np.linalg.lstsq(linear, y, rcond=None)[0]
    scale = project @ project / len(y)
    beta = folded_net.c + Z.mean(axis=0) @ folded_net.A
    by_A = Z.var(axis=0)[:, None] * folded_net.A + SHIFT * np.outer(
        Z.mean(axis=0), beta
    )  # of ‖ΔA‖²/2 + κ‖β‖²/2, c fixed
    np.testing.assert_allclose(exact.Gamma1 + 2 * penalty * scale * by_A, 0, atol=1e-5 * scale)
    np.testing.assert_allclose(exact.beta + 2 * penalty * scale * SHIFT * beta, 0, atol=1e-6 * scale)
    np.testing.assert_allclose(exact.Gamma2 + 2 * penalty * folded_net.Gamma2, 0, atol=1e-6 * np.sqrt(scale))
    standardised = Z.std(axis=0)[:, None] * folded_net.A
    assert fit.searches[0].loss == pytest.approx(
        fit.loss
        + penalty * (scale * (np.sum(standardised**2) + SHIFT * beta @ beta) + folded_net.Gamma2 @ folded_net.Gamma2),
        rel=1e-9,
    )


def test_residuals_stand_off_everything_linear():
    y, Z, X, groups, w = data(4)
    fit = fit_design(as_design(y, net(Z, 3), X, groups, w), *options(penalty=1e-7, tolerance=1e-6))
    D = dummies(list(groups.values()))
    assert np.abs(D.T @ (w * fit.residuals)).max() < 1e-9
    assert np.abs(X.T @ (w * fit.residuals)).max() < 1e-9
    V = np.tanh(Z @ fit.nets[0].A + fit.nets[0].c)
    np.testing.assert_allclose(V.T @ (w * fit.residuals), 1e-7 * w.sum() * fit.nets[0].Gamma2, atol=1e-7)
    np.testing.assert_allclose(fit.fitted + fit.residuals, y, rtol=1e-13)
    np.testing.assert_allclose(predict(fit, New([Z], X, groups)), fit.fitted, rtol=1e-9, atol=1e-9)


def test_integer_weights_equal_copies_of_rows():
    y, Z, X, groups, _ = data(5)
    w = np.random.default_rng(5).integers(0, 4, len(y))
    rows = np.repeat(np.arange(len(y)), w)
    copied = {name: codes[rows] for name, codes in groups.items()}
    a = fit_design(as_design(y, net(Z, 2), X, groups, w), *options())
    b = fit_design(as_design(y[rows], net(Z[rows], 2), X[rows], copied), *options())
    np.testing.assert_allclose(a.coefficients, b.coefficients, rtol=1e-7)
    np.testing.assert_allclose(a.nets[0].Gamma1, b.nets[0].Gamma1, rtol=1e-5)
    np.testing.assert_allclose(a.fitted[rows], b.fitted, rtol=1e-6, atol=1e-6)


def test_the_order_of_rows_and_the_units_do_not_matter():
    y, Z, X, groups, w = data(6)
    a = fit_design(as_design(y, net(Z, 2), X, groups, w), *options())
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = {name: codes[order] for name, codes in groups.items()}
    b = fit_design(as_design(y[order], net(Z[order], 2), X[order], shuffled, w[order]), *options())
    np.testing.assert_allclose(b.fitted, a.fitted[order], rtol=1e-6)
    c = fit_design(as_design(1e3 * y + 5, net(Z * [10, 1e-3, 7] + 1, 2), X, groups, w), *options())
    np.testing.assert_allclose(c.fitted, 1e3 * a.fitted + 5, rtol=1e-6)
    np.testing.assert_allclose(c.nets[0].gamma, a.nets[0].gamma, rtol=1e-5)


def test_nodes_have_unit_variance_before_gamma():
    y, Z, X, _, w = data(7)
    fit = fit_design(as_design(y, [net(Z, 2), net(X, 1, label="second")], None, None, w), *options())
    for term, inputs in zip(fit.nets, (Z, X), strict=True):
        nodes = inputs @ term.Gamma1
        mean = w @ nodes / w.sum()
        np.testing.assert_allclose(w @ (nodes - mean) ** 2 / w.sum(), 1, rtol=1e-9)
        assert (term.gamma > 0).all()


def test_structure_of_the_first_layer():
    y, Z, X, _, _ = data(8)
    mask = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 0]])
    season = np.column_stack([np.ones(3), np.arange(3.0)])
    fit = fit_design(as_design(y, [net(Z, 3, mask=mask), net(Z, 2, basis=season)], X), *options())
    assert (fit.nets[0].Gamma1[mask == 0] == 0).all()
    assert (fit.nets[0].Gamma1[mask == 1] != 0).all()
    smooth = fit.nets[1].A
    np.testing.assert_allclose(smooth[0] - 2 * smooth[1] + smooth[2], 0, atol=1e-9 * np.abs(smooth).max())
    np.testing.assert_allclose(
        predict(fit, New([Z, Z], np.column_stack([np.ones(len(y)), X]), {})), fit.fitted, atol=1e-8
    )


def test_what_a_fit_reports():
    y, Z, X, groups, _ = data(9)
    collinear = np.column_stack([X, X[:, 0] + X[:, 1]])
    lonely = {"id": np.where(np.arange(len(y)) == 3, 99, groups["id"])}
    inputs = np.column_stack([Z, Z[:, 0] - Z[:, 1]])
    fit = fit_design(as_design(y, net(inputs, 2), collinear, lonely), *options(iterations=3))
    text = " ".join(fit.messages)
    assert "stopped after 3 iterations" in text
    assert "x3: dropped from the linear part" in text
    assert "its 4 inputs vary in 3 directions only" in text
    assert "1 rows are alone in a group" in text
    assert np.isnan(fit.coefficients[2])
    assert not fit.converged
    assert [search.status for search in fit.searches] == ["iterations"] * 2
    assert fit.searches[0].loss <= fit.searches[1].loss


def test_bad_designs_are_refused():
    y, Z, X, groups, _ = data(10)

    def assert_refused(error, match, *arguments, **named):
        with pytest.raises(error, match=match):
            as_design(*arguments, **named)

    assert_refused(matbn.ShapeError, "the inputs of 'net' have 299 rows", y, net(Z[1:], 2))
    assert_refused(matbn.ShapeError, "linear has 299 rows", y, (), X[1:])
    assert_refused(matbn.ShapeError, "effect 'id' has shape", y, (), X, {"id": groups["id"][1:]})
    assert_refused(matbn.ElementTypeError, "nets hold a ndarray", y, [Z])
    assert_refused(matbn.ArgumentError, "weights are all zero", y, (), X, None, np.zeros(len(y)))
    missing = groups["id"].astype(object)
    missing[4] = None
    assert_refused(matbn.NotFiniteError, "effect 'id' has 1 missing labels, at 4", y, (), X, {"id": missing})
    assert_refused(
        matbn.NotFiniteError, "effect 'id' has 1 missing labels", y, (), X, {"id": np.where(y == y[2], np.nan, 1.0)}
    )
    for error, match, named in (
        (matbn.ArgumentError, "size is 0", {"size": 0}),
        (matbn.ShapeError, "names has 1 entries", {"size": 1, "names": ["a"]}),
        (matbn.ShapeError, "basis is 2 × 1", {"size": 1, "basis": np.ones((2, 1))}),
        (matbn.ShapeError, "mask is 3 × 2", {"size": 1, "mask": np.ones((3, 2))}),
        (matbn.ArgumentError, "mask leaves no input to node 1", {"size": 2, "mask": [[1, 0], [1, 0], [1, 0]]}),
        (
            matbn.ArgumentError,
            "basis and mask are both given",
            {"size": 1, "mask": np.ones((3, 1)), "basis": np.eye(3)},
        ),
    ):
        with pytest.raises(error, match=match):
            net(Z, **named)
    fit = fit_design(as_design(y, net(Z, 1), X, groups), *options(iterations=2))
    with pytest.raises(matbn.ArgumentError, match="'id' has groups that the fit has not seen: 77"):
        predict(fit, New([Z[:1]], X[:1], {"id": np.array([77]), "year": np.array([1])}))
    with pytest.raises(matbn.ArgumentError, match="the groups of 'year' are missing"):
        predict(fit, New([Z[:1]], X[:1], {"id": np.array([1])}))
