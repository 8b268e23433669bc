"""By scalar sums, outputs × examples: i counts the layer's n_out outputs, j its m examples.

    ẑ_ij = (z_ij - μ_i)/√(σ_i² + eps),   μ_i = (1/m) Σ_j z_ij,   σ_i² = (1/d) Σ_j (z_ij - μ_i)²
    x_ij = γ_i ẑ_ij + β_i

The three ways in which z_ij reaches the loss, directly, through μ_i and through σ_i², add up to

    dγ_i  = Σ_j dx_ij ẑ_ij
    dβ_i  = Σ_j dx_ij
    dẑ_ij = γ_i dx_ij
    dz_ij = 1/(m√(σ_i² + eps)) · (m·dẑ_ij - Σ_k dẑ_ik - (m/d)·ẑ_ij Σ_k dẑ_ik ẑ_ik)

The source has d = m, hence no factor m/d in the last sum.
"""

import numpy as np

from matbn.arguments import Array
from matbn.parameters import Net, NetGradient


def gradient(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient, with every sum over examples spelled out by einsum."""
    parameters = net.parameters
    m = len(y)
    z = np.einsum("ki,jk->ij", parameters.Gamma1, net.X)
    x = z
    if parameters.gamma is not None:
        mu = np.einsum("ij->i", z) / m
        deviation = z - mu[:, None]
        root = np.sqrt(np.einsum("ij,ij->i", deviation, deviation) / net.d + net.eps)
        z_hat = deviation / root[:, None]
        x = parameters.gamma[:, None] * z_hat
    if parameters.beta is not None:
        x = x + parameters.beta[:, None]

    v = net.activation.value(x)
    e = y - np.einsum("i,ij->j", parameters.Gamma2, v)
    dx = np.einsum("i,j,ij->ij", parameters.Gamma2, -2 / m * e, net.activation.slope(x))

    dgamma, dz = None, dx
    if parameters.gamma is not None:
        dgamma = np.einsum("ij,ij->i", dx, z_hat)
        dz_hat = parameters.gamma[:, None] * dx
        sum_dz_hat = np.einsum("ik->i", dz_hat)[:, None]
        sum_product = np.einsum("ik,ik->i", dz_hat, z_hat)[:, None]
        dz = (m * dz_hat - sum_dz_hat - m / net.d * z_hat * sum_product) / (m * root[:, None])
    return NetGradient(
        Gamma1=np.einsum("ij,jk->ki", dz, net.X),
        gamma=dgamma,
        beta=None if parameters.beta is None else np.einsum("ij->i", dx),
        Gamma2=np.einsum("j,ij->i", -2 / m * e, v),
        loss=np.einsum("j,j->", e, e) / m,
    )
