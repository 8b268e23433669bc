"""The first answer: vec, Kronecker products and explicit Jacobians."""

from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case, batch_norm, derivative, jacobian
from matbn.forum.claims.claim import TOLERANCE, Claim, Evidence

SOURCE = "first answer"
_TRIALS, _STEPS, _RATE = 5, 2000, 0.3


def _a1(c: Case) -> Evidence:
    exact = derivative(lambda beta: c.loss(beta=beta), c.beta)
    return Evidence(lambda: c.stub.sum(axis=0), exact, c.W.sum(axis=0))


def _a2(c: Case) -> Evidence:
    centred = c.Z - c.Z.mean(axis=0)
    root_Sigma = np.diag(1 / c.sigma)
    return Evidence(
        lambda: np.diag(centred.T @ c.stub @ root_Sigma),
        derivative(lambda gamma: c.loss(gamma=gamma), c.gamma),
        np.diag(centred.T @ c.W @ root_Sigma),
    )


def _fixed_statistics_gradient(c: Case) -> Array:
    gradient: Array = c.X.T @ (c.W * (c.gamma / c.sigma))
    return gradient


def _a3(c: Case) -> Evidence:
    def loss(mu: Array, sigma: Array) -> Any:
        e = c.y - np.tanh((c.Z - mu) / sigma * c.gamma + c.beta) @ c.Gamma2
        return e @ e / c.N

    mu = c.Z.mean(axis=0)
    R_by_mu = derivative(lambda mu: loss(mu, c.sigma), mu)
    R_by_sigma = derivative(lambda sigma: loss(mu, sigma), c.sigma)
    mu_by_Gamma1 = np.outer(c.X.mean(axis=0), np.ones_like(mu))  # ∂μ_j/∂Γ₁[k,j] = x̄_k
    sigma_by_Gamma1 = c.X.T @ c.H / (c.N - 1)
    exact = derivative(lambda Gamma1: c.loss(Gamma1=Gamma1), c.Gamma1)
    fixed = _fixed_statistics_gradient(c)

    def claimed() -> Array:
        if np.max(np.abs(fixed - exact)) <= TOLERANCE * np.max(np.abs(exact)):
            return np.full_like(exact, np.inf)  # then the first half of the claim is wrong
        total: Array = fixed + R_by_mu * mu_by_Gamma1 + R_by_sigma * sigma_by_Gamma1
        return total

    return Evidence(claimed, exact)


def _a4(c: Case) -> Evidence:
    p2 = len(c.gamma)
    jacobian_by_diagonal = np.kron(np.diag(1 / c.sigma), c.Z - c.Z.mean(axis=0))

    def selection(rows: int) -> Array:
        """Return the binary matrix that picks column (p2 + 1)j for node j, with that many rows."""
        K = np.zeros((rows, p2))
        K[np.arange(p2) * (p2 + 1), np.arange(p2)] = 1
        return K

    exact = jacobian(lambda gamma: c.H * gamma + c.beta, c.gamma)
    return Evidence(
        lambda: jacobian_by_diagonal @ selection(c.N * p2), exact, jacobian_by_diagonal @ selection(p2 * p2)
    )


def _a5(c: Case) -> Evidence:
    V = np.tanh(c.B)

    def loss(V: Array) -> Any:
        e = c.y - V @ c.Gamma2
        return e @ e / c.N

    e = c.e[:, None]
    V_to_fitted = np.kron(c.Gamma2[None, :], np.eye(c.N))
    exact = derivative(loss, V).ravel(order="F")[None, :]
    return Evidence(lambda: -2 * e @ V_to_fitted, exact, -2 / c.N * e.T @ V_to_fitted)


def _a6(c: Case) -> Evidence:
    """Train Γ₁ from the same starts with both gradients; the claim predicts that both comparisons give 1."""
    runs = np.array([_growth_and_loss(c.rng) for _ in range(_TRIALS)])
    growth_true, growth_fixed, loss_true, loss_fixed = np.median(runs, axis=0)
    observed = np.array([growth_fixed > 2 * growth_true, loss_fixed > loss_true], dtype=float)
    return Evidence(lambda: np.ones(2), observed)


def _growth_and_loss(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Return the growth of the largest ‖Γ₁ⱼ‖ and the final loss, for the true and the fixed gradient."""
    N, p1, p2 = 60, 4, 3
    X = rng.normal(3.0, 1.0, (N, p1))
    gamma, Gamma2 = np.full(p2, 2.0), rng.normal(size=p2)
    start, truth = rng.normal(size=(p1, p2)), rng.normal(size=(p1, p2))
    y = np.tanh(batch_norm(X @ truth, gamma, np.zeros(p2), 1, 0.0)) @ Gamma2 + 0.3 * rng.normal(size=N)
    size = np.linalg.norm(start, axis=0).max()
    true_Gamma1, loss_true = _descend(X, y, start, gamma, Gamma2, through_statistics=True)
    fixed_Gamma1, loss_fixed = _descend(X, y, start, gamma, Gamma2, through_statistics=False)
    true_size, fixed_size = (np.linalg.norm(G, axis=0).max() for G in (true_Gamma1, fixed_Gamma1))
    return float(true_size / size), float(fixed_size / size), loss_true, loss_fixed


def _descend(
    X: Array, y: Array, Gamma1: Array, gamma: Array, Gamma2: Array, through_statistics: bool
) -> tuple[Array, float]:
    """Return Γ₁ and the loss after gradient descent on Γ₁, with or without the statistics' derivatives."""
    N, loss = len(y), np.inf
    for _ in range(_STEPS):
        Z = X @ Gamma1
        sigma = Z.std(axis=0, ddof=1)
        H = (Z - Z.mean(axis=0)) / sigma
        V = np.tanh(H * gamma)
        e = y - V @ Gamma2
        loss = float(e @ e / N)
        W = np.outer(-2 / N * e, Gamma2) * (1 - V**2)
        if through_statistics:
            W = W - W.mean(axis=0) - H * ((H * W).sum(axis=0) / (N - 1))
        Gamma1 = Gamma1 - _RATE * X.T @ (W * (gamma / sigma))
    return Gamma1, loss


CLAIMS = (
    Claim("A1", "∇β = 1ᵀ(a′(b)⊙(-2eΓ₂ᵀ))", _a1, "∂R/∂β = (1/N)1ᵀ(a′(b)⊙(-2eΓ₂ᵀ)): R is a mean of squares, not a sum."),
    Claim(
        "A2",
        "∇γ = diag((XΓ₁ - 1μᵀ)ᵀWΣ^{-1/2}), W = a′(b)⊙(-2eΓ₂ᵀ)",
        _a2,
        "∂R/∂γ = (1/N)diag((XΓ₁ - 1μᵀ)ᵀWΣ^{-1/2}): R is a mean of squares, not a sum.",
    ),
    Claim("A3", "with w fixed, the Γ₁ gradient is not the true one; with the Jacobians of μ and Σ added it is", _a3),
    Claim(
        "A4",
        "∂vec(b)/∂γᵀ = (Σ^{-1/2}⊗X_c)K with K Np2 × p2",
        _a4,
        "Σ^{-1/2}⊗X_c is Np2 × p2², so K is p2² × p2: vec(X_c·diag(γ)·Σ^{-1/2}) = (Σ^{-1/2}⊗X_c)vec(diag(γ)) and"
        " vec(diag(γ)) = Kγ.",
    ),
    Claim(
        "A5",
        "∂R/∂vec(V)ᵀ = -2ê(Γ₂ᵀ⊗I)",
        _a5,
        "The residual must be a row, and 1/N is missing: -(2/N)êᵀ(Γ₂ᵀ⊗I), since ŷ = VΓ₂ = (Γ₂ᵀ⊗I)vec V.",
    ),
    Claim(
        "A6",
        "training with fixed statistics in the gradient makes Γ₁ explode (γ and β held: where they are optimal,"
        " 1ᵀW = 0 and HᵀW = 0, and both gradients coincide)",
        _a6,
    ),
)
