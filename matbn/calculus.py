"""Matrix calculus: vec, commutation, and the differentials of Kronecker and Hadamard products.

vec stacks columns, so vec(AXB) = (Bᵀ⊗A) vec X, and ∂vec(F)/∂vec(X)ᵀ is the Jacobian of a matrix
function F(X). Matrices that are mostly zeros are returned as SciPy's sparse arrays.

Sources: J. R. Magnus and H. Neudecker, Matrix Differential Calculus, ch. 3 and ch. 9 §14;
P. L. Fackler, Notes on Matrix Calculus.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from matbn.arguments import Array, as_array, as_integer, as_matrix, as_vector, finite_result
from matbn.errors import ShapeError
from matbn.memory import check_memory


def vec(A: ArrayLike) -> Array:
    """Stack the columns of A (m × n) into a vector of mn entries.

    A Fortran-ordered A is not copied: the result is then a view.
    """
    return as_matrix("A", A).reshape(-1, order="F")


def unvec(v: ArrayLike, m: int, n: int) -> Array:
    """Return the m × n matrix whose columns, stacked, are the vector v: unvec(vec(A), m, n) = A."""
    m, n = as_integer("m", m), as_integer("n", n)
    return as_vector("v", v, m * n, f"an {m} × {n} matrix").reshape((m, n), order="F")


def commutation_order(m: int, n: int) -> Array:
    """Return the permutation p of 0 … mn-1 with vec(Aᵀ) = vec(A)[p] for every m × n matrix A."""
    m, n = as_integer("m", m), as_integer("n", n)
    check_memory(f"a permutation of {m} × {n} entries", 2 * m * n, "take smaller matrices")
    return np.arange(m * n).reshape((m, n), order="F").T.reshape(-1, order="F")


def commutation(m: int, n: int) -> sp.csr_array:
    """Return the commutation matrix K_mn (mn × mn, sparse): K_mn vec(A) = vec(Aᵀ), A m × n."""
    size = as_integer("m", m) * as_integer("n", n)
    check_memory(f"a commutation matrix of {size:,} rows", 5 * size, "take smaller matrices")
    order = commutation_order(m, n)
    return sp.csr_array((np.ones(size), (np.arange(size), order)), shape=(size, size))


def diagonal_selection(n: int) -> sp.csr_array:
    """Return the binary K (n² × n, sparse) with K u = vec(diag(u)) and Kᵀ vec(M) = the diagonal of M."""
    n = as_integer("n", n)
    check_memory(f"a matrix of {n * n:,} rows", n * n, "take a smaller n")
    return sp.csr_array((np.ones(n), (np.arange(n) * (n + 1), np.arange(n))), shape=(n * n, n))


def kronecker_differential_A(A_shape: tuple[int, int], B: ArrayLike) -> sp.csr_array:
    """Return ∂vec(A⊗B)/∂vec(A)ᵀ (mpnq × mn, sparse) for A m × n and B p × q.

    It equals (I_n⊗K_qm⊗I_p)(I_mn⊗vec B) and depends on A through its shape only.
    """
    m, n = _shape("A_shape", A_shape)
    B = as_matrix("B", B)
    p, q = B.shape
    _check_differential(m * n * p * q)
    return sp.csr_array(_interleave(m, n, p, q) @ sp.kron(sp.eye_array(m * n), vec(B)[:, None], format="csr"))


def kronecker_differential_B(A: ArrayLike, B_shape: tuple[int, int]) -> sp.csr_array:
    """Return ∂vec(A⊗B)/∂vec(B)ᵀ (mpnq × pq, sparse) for A m × n and B p × q.

    It equals (I_n⊗K_qm⊗I_p)(vec A⊗I_pq) and depends on B through its shape only.
    """
    A = as_matrix("A", A)
    m, n = A.shape
    p, q = _shape("B_shape", B_shape)
    _check_differential(m * n * p * q)
    return sp.csr_array(_interleave(m, n, p, q) @ sp.kron(vec(A)[:, None], sp.eye_array(p * q), format="csr"))


def hadamard_differential(A: ArrayLike, B: ArrayLike) -> tuple[sp.csr_array, sp.csr_array]:
    """Return ∂vec(A⊙B)/∂vec(A)ᵀ = diag(vec B) and ∂vec(A⊙B)/∂vec(B)ᵀ = diag(vec A), both mn × mn, sparse."""
    A, B = as_matrix("A", A), as_matrix("B", B)
    if A.shape != B.shape:
        raise ShapeError(f"A is {A.shape} and B is {B.shape}, but a Hadamard product needs equal shapes")
    return sp.diags_array(vec(B), format="csr"), sp.diags_array(vec(A), format="csr")


@np.errstate(all="ignore")
def kronecker_apply(A: ArrayLike, B: ArrayLike, v: ArrayLike) -> Array:
    """Return (A⊗B) v without forming A⊗B, as vec(B·unvec(v)·Aᵀ), for A m × n, B p × q and v of nq entries.

    A matrix v (nq × k) is multiplied column by column, at the cost of O(nqp + npm) for each and not O(mpnq).
    """
    A, B = as_matrix("A", A), as_matrix("B", B)
    (m, n), (p, q) = A.shape, B.shape
    columns = as_array("v", v)
    single = columns.ndim < 2
    columns = as_vector("v", columns)[:, None] if single else as_matrix("v", columns)
    if len(columns) != n * q:
        raise ShapeError(f"v has {len(columns)} rows, but A⊗B with A {m} × {n} and B {p} × {q} takes {n * q}")
    k = columns.shape[1]
    # Axes (k, n, q): each column's unvec(v) is q × n, stored here as its transpose.
    stacked = A @ columns.T.reshape(k, n, q) @ B.T
    result = finite_result("(A⊗B) v", stacked.reshape(k, m * p).T)
    return result[:, 0] if single else result


def _check_differential(entries: int) -> None:
    check_memory(f"the differential of A⊗B, which has {entries:,} entries", 8 * entries, "take smaller matrices")


def _interleave(m: int, n: int, p: int, q: int) -> sp.csr_array:
    """Return I_n⊗K_qm⊗I_p, which takes vec(A)⊗vec(B) to vec(A⊗B)."""
    return sp.csr_array(sp.kron(sp.kron(sp.eye_array(n), commutation(q, m)), sp.eye_array(p), format="csr"))


def _shape(name: str, shape: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(shape, tuple | list) or len(shape) != 2:
        raise ShapeError(f"{name} is {shape!r}, but must be a pair (rows, columns)")
    return as_integer(name, shape[0]), as_integer(name, shape[1])
