"""The question's R code for its numeric checks, in Python, with all its mistakes.

Conventions of that code: sample standard deviation (ddof 1), eps 0, no 1/N. Its derivative of the
rectifier sets negative entries to 0 and then all entries >= 0 to 1, so it is 1 everywhere; each figure
depends on that. `matbn.forum.claims` says what is wrong with the formulas.

u is the residual, stub = -2uΓ₂ᵀ⊙a′(b(XΓ₁)), and columns of a matrix are nodes.
"""

from collections.abc import Callable

import numpy as np

from matbn.arguments import Array
from matbn.forum.data import ForumData


def rectifier_slope_as_posted(B: Array) -> Array:
    """Return the posted derivative of the rectifier."""
    slope = B.copy()
    slope[slope < 0] = 0
    slope[slope >= 0] = 1
    return slope


def beta_matrix(data: ForumData) -> Array:
    """Return 1ᵀstub."""
    figure: Array = np.sum(_stub(data), axis=0)
    return figure


def beta_loop(data: ForumData) -> Array:
    """Return Σ -2uΓ₂[i]a′(·) node by node, with column i of X times row i of Γ₁ as the layer's input."""
    gradient = []
    for i in range(len(data.Gamma2)):
        B = _batch_norm(np.outer(data.X[:, i], data.Gamma1[i]), data)
        gradient.append(np.sum(-2 * data.u * data.Gamma2[i] * rectifier_slope_as_posted(B[:, i])))
    return np.array(gradient)


def kronecker_rule(data: ForumData) -> Array:
    """Return ∂vec(β⊗1_N)/∂β by the Kronecker rule (I_nq⊗T_mp)(I_n⊗vec 1_N⊗I_m), with β 1 × p2.

    m = 1, so T_mp = I_N (a row and its transpose have the same vec) and the first factor is the identity.
    """
    m, n, p, q = 1, len(data.beta), len(data.X), 1
    return np.kron(np.eye(n), np.kron(np.ones((p * q, 1)), np.eye(m)))


def Gamma1_matrix(data: ForumData) -> Array:
    """Return Xᵀ(stub⊙w), where w = (γ⊗1)⊙(σ⊗1) multiplies by the standard deviation."""
    weights = np.ones((len(data.X), 1)) * (data.gamma * _standard_deviation(data.X @ data.Gamma1))
    figure: Array = data.X.T @ (_stub(data) * weights)
    return figure


def Gamma1_loop(data: ForumData) -> Array:
    """Return X_iᵀdiag(w_j)stub_j, entry by entry; the diagonal matrix is applied as the vector w_j."""
    stub, sigma = _stub(data), _standard_deviation(data.X @ data.Gamma1)
    gradient = np.empty_like(data.Gamma1)
    for i, j in np.ndindex(gradient.shape):
        w_j = np.full(len(data.X), data.gamma[j] * sigma[j])
        gradient[i, j] = (data.X[:, i] * w_j) @ stub[:, j]
    return gradient


def gamma_matrix(data: ForumData) -> Array:
    """Return scale(XΓ₁)ᵀ(stub⊙(γ⊗1)), p2 × p2."""
    figure: Array = _scale(data.X @ data.Gamma1).T @ (_stub(data) * data.gamma)
    return figure


def gamma_loop(data: ForumData) -> Array:
    """Return Σ_i scale(XΓ₁)_ij stub_ij γ_j, node by node."""
    stub, scaled = _stub(data), _scale(data.X @ data.Gamma1)
    return np.array([np.sum(scaled[:, j] * stub[:, j] * data.gamma[j]) for j in range(len(data.gamma))])


FIGURES: dict[str, Callable[[ForumData], Array]] = {
    "beta_matrix": beta_matrix,
    "beta_loop": beta_loop,
    "kronecker_rule": kronecker_rule,
    "Gamma1_matrix": Gamma1_matrix,
    "Gamma1_loop": Gamma1_loop,
    "gamma_matrix": gamma_matrix,
    "gamma_loop": gamma_loop,
}


def _stub(data: ForumData) -> Array:
    B = _batch_norm(data.X @ data.Gamma1, data)
    return -2 * np.outer(data.u, data.Gamma2) * rectifier_slope_as_posted(B)


def _batch_norm(Z: Array, data: ForumData) -> Array:
    return _scale(Z) * data.gamma + data.beta


def _scale(Z: Array) -> Array:
    """Return R's scale(Z)."""
    scaled: Array = (Z - Z.mean(axis=0)) / _standard_deviation(Z)
    return scaled


def _standard_deviation(Z: Array) -> Array:
    """Return R's apply(Z, 2, sd)."""
    figure: Array = Z.std(axis=0, ddof=1)
    return figure
