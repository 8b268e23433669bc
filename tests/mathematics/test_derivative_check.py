import numpy as np
import pytest

import matbn
from matbn.derivative_check import CENTRAL_DIFFERENCES, COMPLEX_STEP
from matbn.errors import ArgumentError, NotFiniteError, ShapeError

A = np.random.default_rng(0).normal(size=(4, 3))


def test_a_right_gradient_passes_by_complex_step():
    check = matbn.check_gradient(lambda A: np.sin(A).sum(), np.cos, A)
    assert check.ok
    assert check.method == COMPLEX_STEP
    assert check.errors["at"] < 1e-15


@pytest.mark.parametrize("entry", [(0, 0), (3, 2)])
def test_one_wrong_entry_is_found(entry):
    wrong = np.cos(A)
    wrong[entry] *= 1.001
    check = matbn.check_gradient(lambda A: np.sin(A).sum(), wrong, A)
    assert not check.ok
    assert "FAILED" in str(check)
    assert "wrong" in str(check)


@pytest.mark.parametrize(
    "f",
    [
        lambda A: np.abs(np.sin(A) ** 2).sum(),  # |·| drops the imaginary part
        lambda A: np.linalg.norm(np.sin(A)) ** 2,
        lambda A: (np.sin(A) * np.sin(A).conj()).sum(),
        lambda A: float(np.square(np.sin(np.array(A, dtype=float))).sum()),  # refuses complex
        lambda A: np.square(np.sin(A.real)).sum(),  # takes complex and ignores it
    ],
)
def test_functions_that_are_not_analytic_fall_back_to_differences(f):
    check = matbn.check_gradient(f, lambda A: np.sin(2 * A), A)
    assert check.method == CENTRAL_DIFFERENCES
    assert check.ok
    assert check.errors["at"] < 1e-9
    assert not matbn.check_gradient(f, lambda A: np.sin(2 * A) * 1.0001, A).ok


def test_several_arguments_by_position_and_by_name():
    b = np.array([1.0, -2, 3])
    check = matbn.check_gradient(
        lambda A, b: ((A @ b) ** 2).sum(), lambda A, b: (2 * np.outer(A @ b, b), 2 * A.T @ A @ b), (A, b)
    )
    assert check.ok
    assert list(check.errors) == ["argument 1", "argument 2"]
    check = matbn.check_gradient(
        lambda A, b: ((A @ b) ** 2).sum(),
        lambda A, b: {"A": 2 * np.outer(A @ b, b), "b": 3 * A.T @ A @ b},
        {"A": A, "b": b},
    )
    assert check.errors["A"] < 1e-14
    assert check.errors["b"] > 0.01


def test_arguments_of_very_different_sizes():
    scales = np.array([1e-2, 1.0, 1e3])
    at = scales * np.array([1.0, 2, -3])
    right = matbn.check_gradient(lambda a: np.cosh(a / scales).sum(), lambda a: np.sinh(a / scales) / scales, at)
    assert right.ok
    assert right.method == COMPLEX_STEP


def test_a_scalar_argument_and_a_zero_gradient():
    assert matbn.check_gradient(lambda t: t**2, lambda t: 2 * t, 3.0).ok
    assert matbn.check_gradient(lambda A: 5.0 + 0 * A.sum(), np.zeros_like, A).ok
    assert not matbn.check_gradient(lambda A: 5.0 + 0 * A.sum(), np.ones_like, A).ok


def test_what_cannot_be_checked_is_named():
    with pytest.raises(ShapeError, match=r"gradient by at has shape \(3,\), but at has \(4, 3\)"):
        matbn.check_gradient(np.sum, np.ones(3), A)
    with pytest.raises(ArgumentError, match="must be one real number"):
        matbn.check_gradient(np.sin, np.cos, A)
    with pytest.raises(ArgumentError, match="no entry 'b'"):
        matbn.check_gradient(lambda a, b: a + b, {"a": 1.0}, {"a": 1.0, "b": 2.0})
    with pytest.raises(ArgumentError, match="a tuple of 2 arrays"):
        matbn.check_gradient(lambda a, b: a + b, lambda a, b: 1.0, (1.0, 2.0))
    with pytest.raises(NotFiniteError, match=r"f\(at\)"):
        matbn.check_gradient(lambda a: a * np.inf, 1.0, 2.0)
