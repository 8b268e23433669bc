"""By vec, ⊗ and explicit Jacobians, as the first answer does it (Theorem 4 of docs/answer.md).

With vec(AXB) = (Bᵀ⊗A)vec X, X_c = CX and Z_c = X_cΓ₁, batch norm with diagonal matrices is

    B = Z_c·D_γ·Σ^{-1/2} + 1β,     Σ = diag(Γ₁ᵀX_cᵀX_cΓ₁)/d + eps·I   (diagonal)

K (p2² × p2, binary) selects the diagonal: vec(diag(u)) = K u and Kᵀvec(M) = the diagonal of M. Then

    ∂vec B/∂βᵀ       = I⊗1
    ∂vec B/∂γᵀ       = (Σ^{-1/2}⊗Z_c) K
    ∂vec B/∂vec(Z_c)ᵀ = Σ^{-1/2}D_γ⊗I  +  (I⊗Z_cD_γ) K ∂σ^{-1}/∂vec(Z_c)ᵀ
    ∂σ^{-1}/∂vec(Z_c)ᵀ = -(1/d) Σ^{-3/2} Kᵀ(I⊗Z_cᵀ)
    ∂vec Z_c/∂vec(Γ₁)ᵀ = I⊗X_c

    ∂R/∂vec(B)ᵀ = -(2/N) êᵀ(Γ₂ᵀ⊗I) J_a,   J_a = diag(vec a′(B)),   ê = y - ŷ

and each gradient is this row vector times a Jacobian. The matrices are sparse.
"""

import numpy as np
import scipy.sparse as sp

from matbn.arguments import Array
from matbn.calculus import diagonal_selection, unvec, vec
from matbn.parameters import Net, NetGradient


def gradient(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient as products of a row vector with explicit Jacobians."""
    Gamma1, Gamma2 = net.parameters.Gamma1, net.parameters.Gamma2
    gamma, beta = net.parameters.gamma, net.parameters.beta
    N, p2 = len(net.X), len(Gamma2)
    nodes, samples = sp.eye_array(p2), sp.eye_array(N)
    ones = np.ones((N, 1))
    shift = 0.0 if beta is None else ones @ beta[None, :]

    if gamma is None:
        B = net.X @ Gamma1 + shift
        B_by_Gamma1 = sp.kron(nodes, net.X, format="csr")
    else:
        X_c = net.X - ones @ (ones.T @ net.X) / N
        Z_c = X_c @ Gamma1
        sigma = np.sqrt(np.diag(Z_c.T @ Z_c) / net.d + net.eps)
        D_gamma, root_Sigma = sp.diags_array(gamma), sp.diags_array(1 / sigma)
        K = diagonal_selection(p2)
        B = Z_c @ D_gamma @ root_Sigma + shift
        B_by_gamma = sp.kron(root_Sigma, Z_c) @ K
        sigma_inverse_by_Z_c = -1 / net.d * sp.diags_array(sigma**-3) @ K.T @ sp.kron(nodes, Z_c.T)
        B_by_Z_c = sp.kron(root_Sigma @ D_gamma, samples) + sp.kron(nodes, Z_c @ D_gamma) @ K @ sigma_inverse_by_Z_c
        B_by_Gamma1 = B_by_Z_c @ sp.kron(nodes, X_c)

    V = net.activation.value(B)
    residual = y - V @ Gamma2
    J_a = sp.diags_array(vec(net.activation.slope(B)))
    R_by_B = -2 / N * residual[None, :] @ sp.kron(Gamma2[None, :], samples, format="csr") @ J_a
    return NetGradient(
        Gamma1=unvec(R_by_B @ B_by_Gamma1, *Gamma1.shape),
        gamma=None if gamma is None else (R_by_B @ B_by_gamma).ravel(),
        beta=None if beta is None else (R_by_B @ sp.kron(nodes, ones)).ravel(),
        Gamma2=-2 / N * (V.T @ residual),
        loss=residual @ residual / N,
    )
