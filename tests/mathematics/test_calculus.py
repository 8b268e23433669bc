import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import matbn
from matbn.errors import ShapeError

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


def draw(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def linear_map(f, m, n):
    """Matrix of a linear matrix function of an m × n argument, column by column."""
    columns = []
    for k in range(m * n):
        unit = np.zeros(m * n)
        unit[k] = 1
        columns.append(f(unit.reshape((m, n), order="F")).reshape(-1, order="F"))
    return np.array(columns).T


def test_vec_stacks_columns():
    A = np.array([[1.0, 2, 3], [4, 5, 6]])
    assert matbn.vec(A).tolist() == [1, 4, 2, 5, 3, 6]
    assert (matbn.unvec(matbn.vec(A), 2, 3) == A).all()


def test_vec_of_a_fortran_array_is_a_view():
    A = np.asfortranarray(np.ones((3, 2)))
    assert np.shares_memory(matbn.vec(A), A)


@given(seeds, sizes, sizes, sizes, sizes)
def test_vec_of_a_product(seed, m, n, p, q):
    A, X, B = draw(seed, (m, n), (n, p), (p, q))
    np.testing.assert_allclose(np.kron(B.T, A) @ matbn.vec(X), matbn.vec(A @ X @ B), atol=1e-12)


@given(seeds, sizes, sizes)
def test_commutation_transposes(seed, m, n):
    (A,) = draw(seed, (m, n))
    assert (matbn.commutation(m, n) @ matbn.vec(A) == matbn.vec(A.T)).all()
    assert (matbn.vec(A)[matbn.commutation_order(m, n)] == matbn.vec(A.T)).all()


@given(seeds, sizes, sizes, sizes, sizes)
def test_kronecker_differentials(seed, m, n, p, q):
    A, B = draw(seed, (m, n), (p, q))
    by_A = linear_map(lambda A: np.kron(A, B), m, n)
    by_B = linear_map(lambda B: np.kron(A, B), p, q)
    assert (matbn.kronecker_differential_A((m, n), B).toarray() == by_A).all()
    assert (matbn.kronecker_differential_B(A, (p, q)).toarray() == by_B).all()


@given(seeds, sizes, sizes)
def test_hadamard_differential(seed, m, n):
    A, B = draw(seed, (m, n), (m, n))
    by_A, by_B = matbn.hadamard_differential(A, B)
    assert (by_A.toarray() == linear_map(lambda A: A * B, m, n)).all()
    assert (by_B.toarray() == linear_map(lambda B: A * B, m, n)).all()


@given(seeds, sizes)
def test_diagonal_selection(seed, n):
    u, M = draw(seed, n, (n, n))
    K = matbn.diagonal_selection(n)
    assert (K @ u == matbn.vec(np.diag(u))).all()
    assert (K.T @ matbn.vec(M) == np.diag(M)).all()


@given(seeds, sizes, sizes, sizes, sizes, sizes)
def test_kronecker_apply(seed, m, n, p, q, k):
    A, B, v, columns = draw(seed, (m, n), (p, q), n * q, (n * q, k))
    np.testing.assert_allclose(matbn.kronecker_apply(A, B, v), np.kron(A, B) @ v, atol=1e-12)
    np.testing.assert_allclose(matbn.kronecker_apply(A, B, columns), np.kron(A, B) @ columns, atol=1e-12)


def test_kronecker_apply_forms_no_kronecker_product():
    A = B = np.eye(3000)  # the product would take 650 TB
    v = np.arange(9e6)
    assert (matbn.kronecker_apply(A, B, v) == v).all()


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match="v has 5 entries, but 6 are needed: an 2 × 3 matrix"):
        matbn.unvec(np.zeros(5), 2, 3)
    with pytest.raises(ShapeError, match="equal shapes"):
        matbn.hadamard_differential(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ShapeError, match="v has 5 rows, but A⊗B"):
        matbn.kronecker_apply(np.eye(2), np.eye(3), np.ones(5))
    with pytest.raises(ShapeError, match="A_shape"):
        matbn.kronecker_differential_A((1, 2, 3), np.eye(2))
