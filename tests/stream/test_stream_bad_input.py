"""Errors of `prepare` and `Prepared`: each names the argument, what was found and what to do."""

import numpy as np
import pytest
import scipy.sparse
from conftest import random_net

import matbn
from matbn import threads

NET = random_net(1, 50, 3, 2)
LARGE = random_net(1, 30_000, 3, 2)


def without(row, column, value=np.nan, net=LARGE):
    X = net.X.copy()
    X[row, column] = value
    return X


def refused(error, match, *arguments, **options):
    with pytest.raises(error, match=match):
        matbn.prepare(*arguments, **options)


def test_inputs():
    X, y = NET.X, NET.y
    refused(matbn.ArgumentError, "^y is missing", X)
    refused(matbn.ShapeError, r"^X has shape \(50,\)", X[:, 0], y)
    refused(matbn.ShapeError, "^X is 50 × 0", X[:, :0], y)
    refused(matbn.ShapeError, "^X is 0 × 3", X[:0], y[:0])
    refused(matbn.ShapeError, "^y has 49 entries, but 50", X, y[1:])
    refused(matbn.NotFiniteError, "^y has 1 entries", X, np.where(y == y[3], np.nan, y))
    refused(matbn.ElementTypeError, "^X holds elements of type", X.astype(str), y)
    refused(matbn.ElementTypeError, "^X holds elements of type complex", X + 1j, y)
    refused(matbn.NotFiniteError, "row 12345, column 1", without(12345, 1), LARGE.y)
    refused(matbn.NotFiniteError, "row 12345, column 2", without(12345, 2, np.inf), LARGE.y)
    refused(matbn.NotFiniteError, "row 7, column 0", without(7, 0), LARGE.y)
    refused(matbn.ArgumentError, "X has columns .* leaves float64's range, at 1", X * [1, 1e200, 1], y)
    refused(matbn.ArgumentError, "X has columns .* leaves float64's range, at 2", X * [1, 1, 1e-200], y)
    refused(matbn.NotFiniteError, "^X has 1 masked entries", np.ma.masked_equal(X, X[3, 1]), y)
    refused(matbn.ElementTypeError, "^X is of type csr_matrix", scipy.sparse.csr_matrix(X), y)
    refused(matbn.ElementTypeError, "^X is a generator, .* function that returns", (row for row in X), y)


def test_conventions(monkeypatch):
    X, y = NET.X, NET.y
    refused(matbn.ArgumentError, "^activation is 'step'", X, y, activation="step")
    refused(matbn.ArgumentError, "^eps is -1", X, y, eps=-1)
    refused(matbn.ArgumentError, "^ddof is -1", X, y, ddof=-1)
    refused(matbn.ArgumentError, "^threads is 0", X, y, threads=0)
    refused(matbn.ArgumentError, "^dtype is 'int32'", X, y, dtype="int32")
    refused(matbn.ArgumentError, "^dtype is 'nonsense'", X, y, dtype="nonsense")
    refused(matbn.ArgumentError, "^columns is for Arrow data", X, y, columns=["a"])
    monkeypatch.setattr(threads, "libraries", lambda: None)
    monkeypatch.setattr(threads, "thread_counts", tuple)
    refused(matbn.ArgumentError, "^threads is 2, but more than one need the package threadpoolctl", X, y, threads=2)
    assert matbn.prepare(X, y, threads=1).data.threads == matbn.prepare(X, y).data.threads == 1
    few = matbn.prepare(X[:3], y[:3], ddof=3)
    with pytest.raises(matbn.VarianceError, match="3 samples and ddof is 3"):
        few.gradient(**NET.arguments)
    assert few.gradient(NET.parameters.Gamma1, None, None, NET.parameters.Gamma2).loss > 0


def test_weights():
    X, y = NET.X, NET.y
    refused(matbn.ShapeError, "^weights has 49 entries", X, y, np.ones(49))
    refused(matbn.ArgumentError, r"^weights has 2 negative entries, at 0, 1 ", X, y, np.r_[-1, -2, np.ones(48)])
    refused(matbn.ArgumentError, "^weights are all zero", X, y, np.zeros(50))
    light = matbn.prepare(X, y, np.full(50, 0.01))
    with pytest.raises(matbn.VarianceError, match=r"total weight 0\.5 and ddof is 1"):
        light.gradient(**NET.arguments)


def test_blocks():
    X, y = NET.X, NET.y
    refused(matbn.ShapeError, "^X gives no blocks", lambda: iter(()), y)
    refused(matbn.ShapeError, "^the blocks of X have 50 rows.*, but y has 49 entries", lambda: [X], y[1:])
    refused(matbn.ShapeError, "^the blocks of X have 50 rows.*, but y has 30 entries", lambda: [X[:25], X[25:]], y[:30])
    refused(matbn.ShapeError, "^block 1 of X has 2 columns", lambda: [X, X[:, :2]], y)
    refused(matbn.ShapeError, "^block 0 has 2 parts, but 1", lambda: [(X, y)], y)
    refused(matbn.ShapeError, "^block 0 has 1 parts, but 2", lambda: [X])
    refused(matbn.ShapeError, "^block 1 has 2 parts, but 3", lambda: [(X, y, y**2), (X, y)])
    refused(matbn.ShapeError, r"^block 0 of X has shape \(3,\)", lambda: iter(X), y)
    refused(matbn.ShapeError, "^y in block 0 has 49", lambda: [(X, y[1:])])
    refused(matbn.ElementTypeError, "^X returned NoneType", lambda: None, y)
    refused(matbn.ArgumentError, "^weights is given but y is not", lambda: [(X, y)], None, np.ones(50))
    once = iter([LARGE.X])
    refused(matbn.ShapeError, "^X gives no rows; it must return a new iterator", lambda: once, LARGE.y)


def test_rows_that_change_between_readings():
    length = 30_000
    prepared = matbn.prepare(lambda: [(LARGE.X[:length], LARGE.y[:length])])
    length = 15_000
    with pytest.raises(matbn.ShapeError, match="X gives 15000 rows now, but gave 30000"):
        prepared.gradient(**LARGE.arguments)


def test_parameters():
    prepared = matbn.prepare(NET.X, NET.y)
    p = NET.parameters
    with pytest.raises(matbn.ShapeError, match="X has 3 columns, but Gamma1 has 2 rows"):
        prepared.gradient(p.Gamma1[:2], p.gamma, p.beta, p.Gamma2)
    with pytest.raises(matbn.ShapeError, match="gamma has 1 entries, but 2"):
        prepared.gradient(p.Gamma1, p.gamma[:1], p.beta, p.Gamma2)
    with pytest.raises(matbn.NotFiniteError, match="Gamma2 has 1 entries"):
        prepared.gradient(p.Gamma1, p.gamma, p.beta, [np.nan, 1])
    with pytest.raises(matbn.VarianceError, match="zero variance in nodes 1 "):
        prepared.gradient(p.Gamma1 * [1, 0], p.gamma, p.beta, p.Gamma2)
    with pytest.raises(matbn.ArgumentError, match="leaves float64's range"):
        prepared.gradient(p.Gamma1 * 1e200, p.gamma, p.beta, p.Gamma2)
    with pytest.raises(matbn.NotFiniteError, match="R or its gradient would not be finite"):
        prepared.gradient(p.Gamma1, p.gamma, p.beta, p.Gamma2 * 1e200)
    with pytest.raises(matbn.ElementTypeError, match="the parameters are complex"):
        prepared.gradient(p.Gamma1 + 1e-20j, p.gamma, p.beta, p.Gamma2)
    with pytest.raises(matbn.ShapeError, match="direction has 3 entries, but 12"):
        prepared.jacobian_product(**NET.arguments, direction=[1, 2, 3])
    with pytest.raises(matbn.ShapeError, match="u has 3 entries, but 50"):
        prepared.adjoint_product(**NET.arguments, u=[1, 2, 3])
    with pytest.raises(matbn.ShapeError, match="Gamma1 has shape"):
        prepared.cross_products(3.0, p.gamma, p.beta)


def test_constant_inputs_and_nodes():
    X = np.column_stack([NET.X, np.full(50, 0.1)])
    constant = matbn.prepare(X, NET.y)
    Gamma1 = np.vstack([NET.parameters.Gamma1, [5.0, -7.0]])
    rest = {name: NET.arguments[name] for name in ("gamma", "beta", "Gamma2")}
    expected = matbn.prepare(NET.X, NET.y).gradient(**NET.arguments)
    found = constant.gradient(Gamma1, **rest)
    np.testing.assert_allclose(found.Gamma1[:3], expected.Gamma1, rtol=1e-12)
    assert np.abs(found.Gamma1[3]).max() < 1e-14 * np.abs(expected.Gamma1).max()
    with pytest.raises(matbn.VarianceError, match="zero variance in nodes 0 "):
        constant.gradient(np.column_stack([[0, 0, 0, 1.0], Gamma1[:, 1]]), **rest)
    sums_to_one = np.column_stack([NET.X, 1 - NET.X.sum(axis=1)])  # constant in exact arithmetic, not to the last digit
    with pytest.raises(matbn.VarianceError, match="zero variance in nodes 0 "):
        matbn.prepare(sums_to_one, NET.y).gradient(np.column_stack([np.ones(4), Gamma1[:, 1]]), **rest)
    assert matbn.prepare(X, NET.y, eps=0.1).gradient(Gamma1 * [[0], [0], [0], [1]], **rest).loss > 0


def test_arrow_data(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"a": [1.0, 2, 4], "b": [1, None, 3], "s": ["x", "y", "z"], "y": [1.0, 2, 3]})
    refused(matbn.ArgumentError, "^X has no column 'outcome'; it has a, b, s, y", table, "outcome")
    refused(matbn.ElementTypeError, "^column 's' of X holds string, not numbers", table, "y")
    refused(matbn.NotFiniteError, "^column 'b' of X has a missing value in row 1", table, "y", columns=["a", "b"])
    refused(matbn.ArgumentError, "^y is missing", table, columns=["a"])
    refused(matbn.ElementTypeError, "^columns is 'a'", table, "y", columns="a")
    refused(matbn.ShapeError, "^y has 2 entries, but 3", table, [1, 2], columns=["a"])
    refused(matbn.ShapeError, "^X has no columns besides", table.select(["y"]), "y")
    refused(matbn.ElementTypeError, "^X is a pyarrow RecordBatchReader", table.to_reader(), "y")
    refused(matbn.ArgumentError, "where there is nothing", tmp_path / "none.parquet", "y")
    (tmp_path / "X.csv").write_text("a,y\n1,2\n")
    refused(matbn.ArgumentError, "must end with .parquet", tmp_path / "X.csv", "y")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    refused(matbn.ArgumentError, r"broken\.parquet' cannot be read .* write it again", tmp_path / "broken.parquet", "y")
    (tmp_path / "empty").mkdir()
    refused(matbn.MatbnError, "empty", tmp_path / "empty", "y")
    parquet.write_table(table, tmp_path / "X.parquet")
    refused(
        matbn.NotFiniteError,
        "^column 'b' of X has a missing value in row 1",
        tmp_path / "X.parquet",
        "y",
        columns=["b"],
    )


@pytest.mark.parametrize("stored", [np.float64, np.float32])
@pytest.mark.parametrize("N", [50, 30_000])
def test_overflow_that_an_activation_would_hide_is_refused(N, stored):
    large = float(np.sqrt(np.finfo(stored).max))
    X, y = np.full((N, 2), 10 * large, stored), np.zeros(N)
    plain = {"Gamma1": np.array([[large], [-2 * large]]), "gamma": None, "beta": None, "Gamma2": np.ones(1)}
    for activation in ("relu", "tanh"):
        with pytest.raises(matbn.NotFiniteError, match=r"X @ Gamma1.* would not be finite"):
            matbn.prepare(X, y, activation=activation).gradient(**plain)
        if stored is np.float64:
            for route in ("matrix", "stream"):
                with pytest.raises(matbn.NotFiniteError, match="X @ Gamma1 would not be finite"):
                    matbn.net_gradient(X, y, **plain, activation=activation, route=route)


def test_weights_and_outcomes_out_of_range():
    net = random_net(1, 50, 3, 2)
    for size in (1e200, 1e-200):
        with pytest.raises(matbn.ArgumentError, match=r"weights sum to .* divide the weights by their mean"):
            matbn.prepare(net.X, net.y, np.full(50, size))
    prepared = matbn.prepare(net.X, 1e200 * net.y)
    with pytest.raises(matbn.NotFiniteError, match="yᵀy would not be finite"):
        prepared.cross_products(*(net.arguments[name] for name in ("Gamma1", "gamma", "beta")))
    with pytest.raises(matbn.NotFiniteError, match="R or its gradient would not be finite"):
        matbn.net_gradient(net.X, 1e200 * net.y, **net.arguments, route="loop")
