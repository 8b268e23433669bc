"""Visits: what one block adds to each of the quantities that a run computes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.stream.kernel import is_homogeneous, summed_product, weighted_product
from matbn.stream.run import FoldedNet, NetBlock


@dataclass(eq=False)
class GradientSums:
    """The sums over rows from which a gradient, or Jᵀu, follows."""

    squares: float  # Σ w e²
    by_F: Array  # p1 + 1 × p2, x·diag(u)·a′(B), without the factor Γ₂
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


def residual_sums(net: FoldedNet) -> Callable[[NetBlock], GradientSums]:
    """Return the visit for the gradient: u = w⊙e, e = y - ŷ."""

    def visit(block: NetBlock) -> GradientSums:
        e = block.rows.y - net.Gamma2 @ block.V
        u = e if block.rows.w is None else block.rows.w * e
        return _sums(block, u, net, float(u @ e))

    return visit


def adjoint_sums(net: FoldedNet, u: Array) -> Callable[[NetBlock], GradientSums]:
    """Return the visit for Jᵀu."""
    return lambda block: _sums(block, u[block.rows.start : block.rows.start + block.x.shape[1]], net)


def _sums(block: NetBlock, u: Array, net: FoldedNet, squares: float = 0.0) -> GradientSums:
    if block.x.dtype != u.dtype:  # the block is in float32, sums over blocks are in float64
        u = u.astype(block.x.dtype)
    by_F = weighted_product(block.x, block.S, u, block.buffers)
    by_Gamma2 = None if is_homogeneous(net.activation) else summed_product(block.V, u[None])[:, 0]
    if by_F.dtype != np.float64:
        by_F, by_Gamma2 = by_F.astype(np.float64), None if by_Gamma2 is None else by_Gamma2.astype(np.float64)
    return GradientSums(squares, by_F, by_Gamma2)


def by_Gamma2(sums: GradientSums, net: FoldedNet) -> Array:
    """Return Vᵀu; where a(b) = a′(b)·b, it follows from `by_F`, since V = a′(B)⊙B and B = xᵀF."""
    return np.add.reduce(net.F * sums.by_F, axis=0) if sums.by_Gamma2 is None else sums.by_Gamma2


def fitted_values(net: FoldedNet) -> Callable[[NetBlock], list[Array]]:
    """Return the visit for ŷ."""
    return lambda block: [(net.Gamma2 @ block.V).astype(np.float64, copy=False)]


def cross_products(block: NetBlock) -> CrossProducts:
    """Return a block's cross-products of V and y; this is a visit itself."""
    y, w, V = block.rows.y, block.rows.w, block.V
    wy = y if w is None else w * y
    VtV = (V if w is None else np.multiply(V, w.astype(V.dtype, copy=False), out=block.S)) @ V.T
    return CrossProducts(VtV.astype(np.float64, copy=False), V @ wy, float(wy @ y))


def jacobian_product(net: FoldedNet, dF: Array, dGamma2: Array) -> Callable[[NetBlock], list[Array]]:
    """Return the visit for Jv: dŷ = (a′(B)⊙dB)Γ₂ + V·dΓ₂."""
    dF, dGamma2 = (step.astype(net.F.dtype, copy=False) for step in (dF, dGamma2))

    def visit(block: NetBlock) -> list[Array]:
        dB = dF.T @ block.x
        dB *= block.S
        return [(net.Gamma2 @ dB + dGamma2 @ block.V).astype(np.float64, copy=False)]

    return visit


def jacobian_gram(block: NetBlock) -> Array:
    """Return a block's KᵀDK, K the derivatives of ŷ by F (node after node, without the factor Γ₂) and by Γ₂."""
    x, V, S, w = block.x, block.V, block.S, block.rows.w
    (q, n), p2 = x.shape, len(V)
    K = np.empty((p2 * q + p2, n), x.dtype)
    np.multiply(S[:, None, :], x, out=K[: p2 * q].reshape(p2, q, n))
    K[p2 * q :] = V
    if w is not None:
        K *= np.sqrt(w).astype(x.dtype, copy=False)
    gram: Array = (K @ K.T).astype(np.float64, copy=False)
    return gram
