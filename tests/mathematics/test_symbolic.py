"""Sympy confirms every gradient by which claims are judged, on a net of 3 × 2 × 2 with a sine.

sympy differentiates the loss entry by entry; the matrix formula is evaluated on the same symbols. Their
difference must simplify to 0, and the package must give the formula's numbers.
"""

import numpy as np
import pytest
import sympy as sp

import matbn

N, P1, P2 = 3, 2, 2
X = sp.Matrix([[1, sp.Rational(1, 2)], [-2, 1], [0, sp.Rational(5, 3)]])
Y = sp.Matrix([sp.Rational(1, 3), -1, 2])
GAMMA1 = sp.Matrix(P1, P2, sp.symbols("g11 g12 g21 g22", real=True))
GAMMA = sp.Matrix(1, P2, sp.symbols("c1 c2", real=True))
BETA = sp.Matrix(1, P2, sp.symbols("b1 b2", real=True))
GAMMA2 = sp.Matrix(P2, 1, sp.symbols("o1 o2", real=True))
ONES = sp.ones(N, 1)
C = sp.eye(N) - ONES * ONES.T / N
VALUES = dict(
    zip(
        [*GAMMA1, *GAMMA, *BETA, *GAMMA2],
        map(sp.Rational, ["1/2", "-1", "2", "1/3", "3/2", "-2", "1/5", "1", "2/3", "-1/4"]),
        strict=True,
    )
)


def by_entries(loss, parameter):
    return parameter.applyfunc(lambda symbol: sp.diff(loss, symbol))


def is_zero(matrix):
    return all(sp.simplify(sp.expand(entry)) == 0 for entry in matrix)


def diagonal(matrix):
    return sp.Matrix(1, matrix.rows, lambda _, j: matrix[j, j])


def numbers(matrix):
    return np.array(matrix.subs(VALUES).evalf(30).tolist(), dtype=float)


@pytest.mark.parametrize(("ddof", "eps"), [(1, sp.Integer(0)), (0, sp.Rational(1, 7))])
def test_batch_normalised_net(ddof, eps):
    d = N - ddof
    Z_c = C * X * GAMMA1
    s = [sp.sqrt((Z_c[:, j].T * Z_c[:, j])[0] / d + eps) for j in range(P2)]
    H = Z_c * sp.diag(*[1 / s_j for s_j in s])
    B = H * sp.diag(*GAMMA) + ONES * BETA
    e = Y - B.applyfunc(sp.sin) * GAMMA2
    loss = (e.T * e)[0] / N
    W = (-2 * e * GAMMA2.T / N).multiply_elementwise(B.applyfunc(sp.cos))
    HtW = sp.diag(*diagonal(H.T * W))
    formulas = {
        "Gamma1": (GAMMA1, (C * X).T * (C * W - H * HtW / d) * sp.diag(*[GAMMA[j] / s[j] for j in range(P2)])),
        "gamma": (GAMMA, diagonal(H.T * W)),
        "beta": (BETA, ONES.T * W),
        "Gamma2": (GAMMA2, -2 * B.applyfunc(sp.sin).T * e / N),
    }
    found = matbn.net_gradient(
        np.array(X.tolist(), float),
        np.array(Y.tolist(), float),
        *(numbers(p) for p in (GAMMA1, GAMMA, BETA, GAMMA2)),
        activation="sine",
        ddof=ddof,
        eps=float(eps),
    )
    for name, (parameter, formula) in formulas.items():
        assert is_zero(by_entries(loss, parameter) - formula), name
        np.testing.assert_allclose(getattr(found, name).ravel(), numbers(formula).ravel(), rtol=1e-13, atol=1e-15)


def test_plain_net():
    B = X * GAMMA1 + ONES * BETA
    e = Y - B.applyfunc(sp.sin) * GAMMA2
    loss = (e.T * e)[0] / N
    W = (-2 * e * GAMMA2.T / N).multiply_elementwise(B.applyfunc(sp.cos))
    assert is_zero(by_entries(loss, GAMMA1) - X.T * W)
    assert is_zero(by_entries(loss, BETA) - ONES.T * W)
    assert is_zero(by_entries(loss, GAMMA2) + 2 * B.applyfunc(sp.sin).T * e / N)


@pytest.mark.parametrize(("ddof", "eps"), [(1, sp.Integer(0)), (0, sp.Symbol("eps", positive=True))])
def test_jacobian_of_a_normalised_column(ddof, eps):
    z = sp.Matrix(sp.symbols("z1 z2 z3", real=True))
    gamma, d = sp.Symbol("c", real=True), N - ddof
    s = sp.sqrt(((C * z).T * C * z)[0] / d + eps)
    h = C * z / s
    assert is_zero((gamma * h).jacobian(z) - gamma / s * (C - h * h.T / d))


@pytest.mark.parametrize("ddof", [0, 1])
def test_mean_variance_and_the_layer_by_each(ddof):
    x, D = sp.Matrix(sp.symbols("x1 x2 x3", real=True)), sp.Matrix(sp.symbols("D1 D2 D3", real=True))
    mu, v = sp.symbols("mu v", positive=True)
    mean, d = (ONES.T * x)[0] / N, N - ddof
    variance = ((x - mean * ONES).T * (x - mean * ONES))[0] / d
    assert is_zero(by_entries(mean, x) - ONES / N)
    assert is_zero(by_entries(variance, x) - 2 * (x - mean * ONES) / d)
    loss = (D.T * (x - mu * ONES))[0] / sp.sqrt(v)  # with mean and variance as variables of their own
    assert sp.simplify(sp.diff(loss, mu) + sum(D) / sp.sqrt(v)) == 0
    assert sp.simplify(sp.diff(loss, v) + (D.T * (x - mu * ONES))[0] * v ** sp.Rational(-3, 2) / 2) == 0


def test_a_hadamard_product_of_functions():
    # ∂vec(w⊙XΓ₁)/∂vec(Γ₁)ᵀ = diag(vec XΓ₁)·∂vec(w)/∂vec(Γ₁)ᵀ + diag(vec w)·(I⊗X), w = γ⊗1/σ
    Z = X * GAMMA1
    sigma = [sp.sqrt(((C * Z[:, j]).T * C * Z[:, j])[0] / (N - 1)) for j in range(P2)]
    w = sp.Matrix(N, P2, lambda _, j: GAMMA[j] / sigma[j])
    by = GAMMA1.vec()
    formula = sp.diag(*Z.vec()) * w.vec().jacobian(by) + sp.diag(*w.vec()) * sp.kronecker_product(sp.eye(P2), X)
    assert is_zero(w.multiply_elementwise(Z).vec().jacobian(by) - formula)


@pytest.mark.parametrize("shape", [((1, 2), (3, 1)), ((2, 3), (2, 2))])
def test_kronecker_and_hadamard_differentials(shape):
    (m, n), (p, q) = shape
    A, B = sp.Matrix(m, n, sp.symbols(f"a:{m * n}")), sp.Matrix(p, q, sp.symbols(f"b:{p * q}"))
    values = {symbol: k + 2 for k, symbol in enumerate([*A, *B])}

    def jacobian(F, by):
        return np.array(sp.Matrix(F.vec()).jacobian(by.vec()).subs(values).tolist(), float)

    product = sp.kronecker_product(A, B)
    A_value, B_value = (np.array(M.subs(values).tolist(), float) for M in (A, B))
    assert (matbn.kronecker_differential_A((m, n), B_value).toarray() == jacobian(product, A)).all()
    assert (matbn.kronecker_differential_B(A_value, (p, q)).toarray() == jacobian(product, B)).all()
    by_first, _ = matbn.hadamard_differential(A_value, A_value)
    E = sp.Matrix(m, n, sp.symbols(f"e:{m * n}"))
    assert (
        by_first.toarray() == np.array((A.multiply_elementwise(E)).vec().jacobian(E.vec()).subs(values).tolist(), float)
    ).all()
