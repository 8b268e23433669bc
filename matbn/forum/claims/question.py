"""The question's own claims: formulas, code and notes on the differentials of ⊗ and ⊙."""

from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case, batch_norm, derivative, jacobian, tanh_slope
from matbn.forum.claims.claim import Claim, Evidence
from matbn.forum.posted import rectifier_slope_as_posted

SOURCE = "question"


def _repeat_rows(v: Array, N: int) -> Array:
    """Return v⊗1 for a row v: N × p."""
    return np.kron(v[None, :], np.ones((N, 1)))


def _vec(A: Array) -> Array:
    return A.ravel(order="F")


def _true_Gamma1(c: Case) -> Array:
    return derivative(lambda Gamma1: c.loss(Gamma1=Gamma1), c.Gamma1)


def _true_gamma(c: Case) -> Array:
    return derivative(lambda gamma: c.loss(gamma=gamma), c.gamma)


def _true_beta(c: Case) -> Array:
    return derivative(lambda beta: c.loss(beta=beta), c.beta)


def _q1(c: Case) -> Evidence:
    def claimed() -> Array:
        mu, sigma = _repeat_rows(c.Z.mean(axis=0), c.N), _repeat_rows(c.sigma, c.N)
        value: Array = _repeat_rows(c.gamma, c.N) * (c.Z - mu) * (1 / sigma) + _repeat_rows(c.beta, c.N)
        return value

    return Evidence(claimed, batch_norm(c.Z, c.gamma, c.beta, 1, 0.0))


def _q2(c: Case) -> Evidence:
    def loss(Gamma1: Array, Gamma2: Array) -> Any:
        e = c.y - np.tanh(c.X @ Gamma1) @ Gamma2
        return e @ e / c.N

    V = np.tanh(c.Z)
    e = c.y - V @ c.Gamma2
    by_output, by_input = -2 * V.T @ e, c.X.T @ (tanh_slope(c.Z) * np.outer(-2 * e, c.Gamma2))
    exact = (
        derivative(lambda Gamma1: loss(Gamma1, c.Gamma2), c.Gamma1),
        derivative(lambda Gamma2: loss(c.Gamma1, Gamma2), c.Gamma2),
    )
    return Evidence(lambda: (by_output, by_input), exact, (by_input / c.N, by_output / c.N))


def _q3(c: Case) -> Evidence:
    return Evidence(
        lambda: (tanh_slope(c.Z) * np.outer(-2 * c.e, c.Gamma2)).sum(axis=0), _true_beta(c), c.stub.sum(axis=0) / c.N
    )


def _q4(c: Case) -> Evidence:
    B = c.rng.normal(size=(c.N, len(c.gamma)))
    exact = derivative(lambda B: np.where(B.real > 0, B, 0).sum(), B)
    return Evidence(lambda: rectifier_slope_as_posted(B), exact, np.where(B > 0, 1.0, 0.0))


def _node_sums(c: Case, layer_for_node: list[Array]) -> Array:
    """Return Σ -2eΓ₂[i]a′(b_i) with node i's column taken from its own layer input."""
    sums = []
    for i, Z in enumerate(layer_for_node):
        B = batch_norm(Z, c.gamma, c.beta, 1, 0.0)
        sums.append(np.sum(-2 * c.e * c.Gamma2[i] * tanh_slope(B[:, i])))
    return np.array(sums)


def _q5(c: Case) -> Evidence:
    nodes = range(len(c.gamma))
    return Evidence(
        lambda: _node_sums(c, [np.outer(c.X[:, i], c.Gamma1[i]) for i in nodes]),
        _true_beta(c),
        _node_sums(c, [c.Z for _ in nodes]) / c.N,
    )


def _q6(c: Case) -> Evidence:
    rule = np.kron(np.eye(len(c.beta)), np.ones((c.N, 1)))
    return Evidence(lambda: (c.stub * rule).sum(axis=0), _true_beta(c), _vec(c.stub) @ rule / c.N)


def _q7(c: Case) -> Evidence:
    def w(Gamma1: Array) -> Array:
        deviation = c.X @ Gamma1 - (c.X @ Gamma1).sum(axis=0) / c.N
        sigma = np.sqrt((deviation * deviation).sum(axis=0) / (c.N - 1))
        value: Array = np.ones((c.N, 1)) * (c.gamma / sigma)
        return value

    exact = jacobian(lambda Gamma1: w(Gamma1) * (c.X @ Gamma1), c.Gamma1)
    w_by_Gamma1 = jacobian(w, c.Gamma1)
    Z_by_Gamma1 = np.kron(np.eye(len(c.gamma)), c.X)
    identity = np.eye(c.Z.size)
    w_here = w(c.Gamma1)
    return Evidence(
        lambda: _vec(c.Z)[:, None] @ identity @ w_by_Gamma1 + _vec(w_here)[:, None] @ identity @ Z_by_Gamma1,
        exact,
        np.diag(_vec(c.Z)) @ w_by_Gamma1 + np.diag(_vec(w_here)) @ Z_by_Gamma1,
    )


def _q8(c: Case) -> Evidence:
    by_Z = (c.W - c.W.mean(axis=0) - c.H * ((c.H * c.W).sum(axis=0) / (c.N - 1))) * (c.gamma / c.sigma)
    return Evidence(
        lambda: c.X.T @ (c.stub * _repeat_rows(c.gamma, c.N) / _repeat_rows(c.sigma, c.N)),
        _true_Gamma1(c),
        (c.X - c.X.mean(axis=0)).T @ by_Z,
    )


def _q9(c: Case) -> Evidence:
    return Evidence(
        lambda: np.diag(c.H.T @ (c.stub * _repeat_rows(c.gamma, c.N))), _true_gamma(c), np.diag(c.H.T @ c.W)
    )


def _q10(c: Case) -> Evidence:
    m, n, p, q = 3, 2, 4, 5
    A, B = c.rng.normal(size=(m, n)), c.rng.normal(size=(p, q))
    T = jacobian(np.transpose, np.zeros((m, p)))  # T vec(M) = vec(Mᵀ), M m × p
    return Evidence(
        lambda: np.kron(np.eye(n * q), T) @ np.kron(np.kron(np.eye(n), _vec(B)[:, None]), np.eye(m)),
        jacobian(lambda A: np.kron(A, B), A),
    )


def _q11(c: Case) -> Evidence:
    p2, ones = len(c.beta), np.ones((c.N, 1))

    def rule(T: Array) -> Array:
        """Return (I_nq⊗T)(I_n⊗vec B⊗I_m) with A = β, 1 × p2, and B = 1_N."""
        return np.kron(np.eye(p2), T) @ np.kron(np.eye(p2), ones)

    return Evidence(
        lambda: rule(np.ones((1, 1))), jacobian(lambda beta: np.kron(beta, ones), c.beta[None, :]), rule(np.eye(c.N))
    )


def _q12(c: Case) -> Evidence:
    p2 = len(c.gamma)
    w = _repeat_rows(c.gamma / c.sigma, c.N)
    shape = (p2, p2)  # w has p2 columns, so w_i exists for the first p2 inputs only
    return Evidence(
        lambda: np.array([[(w[:, i] * c.X[:, i]) @ c.stub[:, j] for j in range(p2)] for i in range(p2)]),
        (c.X.T @ (c.stub * w))[:p2],
        np.array([(w[:, j] * c.X[:, i]) @ c.stub[:, j] for i, j in np.ndindex(shape)]).reshape(shape),
    )


def _q13(c: Case) -> Evidence:
    shape = c.Z.shape
    A0, A1, B0, B1 = (c.rng.normal(size=shape) for _ in range(4))
    # Along the curves A(t) = sin(A0 + tA1) and B(t) = exp(tB0) + B1 at t = 0:
    A, dA, B, dB = np.sin(A0), np.cos(A0) * A1, 1 + B1, B0
    step = 1e-30j
    exact = np.imag(np.sin(A0 + step * A1) * (np.exp(step * B0) + B1)) / 1e-30
    return Evidence(lambda: dA * B + A * dB, exact)


CLAIMS = (
    Claim("Q1", "b(X) = (γ⊗1_N)⊙(X - μ)⊙σ⁻¹ + β⊗1_N (one place writes 1_p, which must be 1_N)", _q1),
    Claim(
        "Q2",
        "plain net: ∂R/∂Γ₁ = -2Vᵀe, ∂R/∂Γ₂ = Xᵀ(a′(XΓ₁)⊙(-2eΓ₂ᵀ))",
        _q2,
        "The labels are swapped and 1/N is missing: ∂R/∂Γ₂ = -(2/N)Vᵀe and"
        " ∂R/∂Γ₁ = (1/N)Xᵀ(a′(XΓ₁)⊙(-2eΓ₂ᵀ)), from dR = -(2/N)eᵀ(dV·Γ₂ + V·dΓ₂) and dV = a′(XΓ₁)⊙(X·dΓ₁).",
    ),
    Claim(
        "Q3",
        "∂R/∂β = 1ᵀ(a′(XΓ₁)⊙(-2eΓ₂ᵀ))",
        _q3,
        "a′ belongs at b(XΓ₁), as the posted code has it, and 1/N is missing: ∂R/∂β = (1/N)1ᵀ(a′(b(XΓ₁))⊙(-2eΓ₂ᵀ)),"
        " since dB = 1·dβ and dV = a′(B)⊙dB.",
    ),
    Claim(
        "Q4",
        "the coded a′ (negatives to 0, then all >= 0 to 1) is a rectifier's derivative",
        _q4,
        "It is 1 everywhere, for the zeros made in the first step are >= 0 in the second. a′(b) = 1 for b > 0, else 0.",
    ),
    Claim(
        "Q5",
        "the β loop, feeding column i of X times row i of Γ₁ into node i, is the node-wise gradient",
        _q5,
        "Node i's input is column i of XΓ₁; the loop agrees with the matrix form only because the coded a′ is 1"
        " everywhere (Q4). With the right input, and 1/N, it is the gradient.",
    ),
    Claim(
        "Q6",
        "∂(β⊗1_N)/∂β by the Kronecker rule (Np2 × p2) does not conform with the stub",
        _q6,
        "It is I⊗1_N, and right: as vec(β⊗1_N) = (I⊗1_N)βᵀ, it multiplies the vectorised stub,"
        " ∂R/∂β = (1/N)vec(stub)ᵀ(I⊗1_N) = (1/N)1ᵀstub.",
    ),
    Claim(
        "Q7",
        "∂vec(w⊙XΓ₁)/∂vec(Γ₁)ᵀ = vec(XΓ₁)·I·∂vec(w)/∂vec(Γ₁)ᵀ + vec(w)·I·∂vec(XΓ₁)/∂vec(Γ₁)ᵀ",
        _q7,
        "vec(·)·I must be diag(vec(·)), since vec(A⊙B) = diag(vec A)·vec B:"
        " diag(vec XΓ₁)·∂vec(w)/∂vec(Γ₁)ᵀ + diag(vec w)·(I⊗X).",
    ),
    Claim(
        "Q8",
        "∂R/∂Γ₁ = Xᵀ(stub⊙w), w = (γ⊗1)⊙σ⁻¹ (the code multiplies by σ instead)",
        _q8,
        "It holds μ and σ constant. ∂R/∂Γ₁ = (CX)ᵀ[CW - H·diag(HᵀW)/d]·diag(γ/σ) with W = stub/N:"
        " dμ = 1ᵀdZ/N gives the first C and dσ = diag(HᵀdZ)/d the term with H.",
    ),
    Claim(
        "Q9",
        "∂R/∂γ = X̃ᵀ(stub⊙(γ⊗1)), X̃ = scale(XΓ₁), or its diagonal",
        _q9,
        "There is no factor γ, and only the diagonal is meant: as dB = H·diag(dγ), ∂R/∂γ = diag(HᵀW), W = stub/N.",
    ),
    Claim("Q10", "∂(A⊗B)/∂A = (I_nq⊗T_mp)(I_n⊗vec B⊗I_m), T_mp vec(M) = vec(Mᵀ) for M m × p", _q10),
    Claim(
        "Q11",
        "in ∂(β⊗1_N)/∂β, T is just 1, because both are vectors",
        _q11,
        "For a row β and a column 1_N it is T_{1,N} = I_N, and the rule then gives I⊗1_N.",
    ),
    Claim(
        "Q12",
        "entry (i, j) of Xᵀ(stub⊙w) is (w_i⊙X_i)ᵀstub_j",
        _q12,
        "It is (w_j⊙X_i)ᵀstub_j: w belongs to the node j, not to the input i (and there are only p2 of them).",
    ),
    Claim("Q13", "∂(A⊙B) = ∂A⊙B + A⊙∂B", _q13),
)
