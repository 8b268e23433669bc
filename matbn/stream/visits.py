"""What one block adds to each quantity that a run gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.stream.kernel import back, is_homogeneous, summed_product
from matbn.stream.run import Layer, Seen


@dataclass(eq=False)
class GradientSums:
    """The sums that a gradient, or Jᵀu, is made of."""

    squares: float  # Σ w e²
    by_F: Array  # p1 + 1 × p2, x·diag(u)·a′(B), Γ₂ left out
    by_Gamma2: Array | None  # p2, Vᵀu; None where it follows from by_F

    def __iadd__(self, other: "GradientSums") -> "GradientSums":
        self.squares += other.squares
        self.by_F += other.by_F
        if self.by_Gamma2 is not None:
            self.by_Gamma2 += other.by_Gamma2
        return self


@dataclass(eq=False)
class CrossProducts:
    """What a least-squares solve for Γ₂ needs: (VᵀDV)Γ₂ = VᵀDy minimises R, D = diag(w) or I."""

    VtV: Array  # p2 × p2, VᵀDV
    Vty: Array  # p2, VᵀDy
    yty: float  # yᵀDy

    def __iadd__(self, other: "CrossProducts") -> "CrossProducts":
        self.VtV += other.VtV
        self.Vty += other.Vty
        self.yty += other.yty
        return self


def residual_sums(net: Layer) -> Callable[[Seen], GradientSums]:
    """Return the visit for the gradient: u = w⊙e, e = y - ŷ."""

    def visit(seen: Seen) -> GradientSums:
        e = seen.rows.y - net.Gamma2 @ seen.V
        u = e if seen.rows.w is None else seen.rows.w * e
        return _sums(seen, u, net, float(u @ e))

    return visit


def adjoint_sums(net: Layer, u: Array) -> Callable[[Seen], GradientSums]:
    """Return the visit for Jᵀu."""
    return lambda seen: _sums(seen, u[seen.rows.start : seen.rows.start + seen.x.shape[1]], net)


def _sums(seen: Seen, u: Array, net: Layer, squares: float = 0.0) -> GradientSums:
    if seen.x.dtype != u.dtype:  # the block is in float32, sums over blocks are in float64
        u = u.astype(seen.x.dtype)
    by_F = back(seen.x, seen.S, u, seen.buffers)
    by_Gamma2 = None if is_homogeneous(net.activation) else summed_product(seen.V, u[None])[:, 0]
    if by_F.dtype != np.float64:
        by_F, by_Gamma2 = by_F.astype(np.float64), None if by_Gamma2 is None else by_Gamma2.astype(np.float64)
    return GradientSums(squares, by_F, by_Gamma2)


def by_Gamma2(sums: GradientSums, net: Layer) -> Array:
    """Return Vᵀu; where a(b) = a′(b)·b, V = a′(B)⊙B and Bᵀ = xᵀF make it a sum over inputs."""
    return np.add.reduce(net.F * sums.by_F, axis=0) if sums.by_Gamma2 is None else sums.by_Gamma2


def fitted(net: Layer) -> Callable[[Seen], list[Array]]:
    """Return the visit for ŷ."""
    return lambda seen: [(net.Gamma2 @ seen.V).astype(np.float64, copy=False)]


def cross_products(seen: Seen) -> CrossProducts:
    """Visit for the cross-products of V and y."""
    y, w, V = seen.rows.y, seen.rows.w, seen.V
    wy = y if w is None else w * y
    VtV = (V if w is None else np.multiply(V, w.astype(V.dtype, copy=False), out=seen.S)) @ V.T
    return CrossProducts(VtV.astype(np.float64, copy=False), V @ wy, float(wy @ y))


def jacobian_product(net: Layer, dF: Array, dGamma2: Array) -> Callable[[Seen], list[Array]]:
    """Return the visit for Jv: dŷ = (a′(B)⊙dB)Γ₂ + V·dΓ₂."""
    dF, dGamma2 = (step.astype(net.F.dtype, copy=False) for step in (dF, dGamma2))

    def visit(seen: Seen) -> list[Array]:
        dB = dF.T @ seen.x
        dB *= seen.S
        return [(net.Gamma2 @ dB + dGamma2 @ seen.V).astype(np.float64, copy=False)]

    return visit


def jacobian_gram(seen: Seen) -> Array:
    """Visit for KᵀDK, K the derivatives of ŷ by F (node after node, Γ₂ left out) and by Γ₂."""
    x, V, S, w = seen.x, seen.V, seen.S, seen.rows.w
    (q, n), p2 = x.shape, len(V)
    K = np.empty((p2 * q + p2, n), x.dtype)
    np.multiply(S[:, None, :], x, out=K[: p2 * q].reshape(p2, q, n))
    K[p2 * q :] = V
    if w is not None:
        K *= np.sqrt(w).astype(x.dtype, copy=False)
    gram: Array = (K @ K.T).astype(np.float64, copy=False)
    return gram
