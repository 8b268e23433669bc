import mpmath
import numpy as np
import pytest
from conftest import CONVENTIONS

import matbn
from matbn.batchnorm import centre
from matbn.errors import VarianceError


def draw(N=8, p=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(2.0, 3.0, (N, p)), rng.normal(size=p), rng.normal(size=p), rng.normal(size=(N, p))


def exact(Z, gamma, beta, ddof, eps):
    """Batch norm by its definition, to 50 digits."""
    with mpmath.workdps(50):
        result = np.empty(Z.shape)
        for j in range(Z.shape[1]):
            z = [mpmath.mpf(float(value)) for value in Z[:, j]]
            mean = mpmath.fsum(z) / len(z)
            root = mpmath.sqrt(mpmath.fsum((x - mean) ** 2 for x in z) / (len(z) - ddof) + mpmath.mpf(eps))
            result[:, j] = [float((x - mean) / root * float(gamma[j]) + float(beta[j])) for x in z]
        return result


@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
def test_forward_by_definition(ddof, eps):
    Z, gamma, beta, _ = draw()
    Y, _ = matbn.bn_forward(Z, gamma, beta, ddof, eps)
    np.testing.assert_allclose(Y, exact(Z, gamma, beta, ddof, eps), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("shift", "scale"), [(1e6, 1.0), (1.7e9, 3600.0), (0.0, 1e200), (0.0, 1e-200), (3e-150, 1e-156)]
)
def test_forward_keeps_its_digits(shift, scale, order):
    Z = np.asarray(draw(N=500)[0] * scale + shift, order=order)
    Y, _ = matbn.bn_forward(Z, np.ones(3), np.zeros(3))
    np.testing.assert_allclose(Y, exact(Z, np.ones(3), np.zeros(3), 1, 0.0), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
def test_backward_is_the_derivative(ddof, eps, layout):
    Z, gamma, beta, dY = draw()
    if layout == "columns":
        Z, dY = Z.T, dY.T
    _, cache = matbn.bn_forward(Z, gamma, beta, ddof, eps, layout=layout)
    dZ, dgamma, dbeta = matbn.bn_backward(dY, cache)
    check = matbn.check_gradient(
        lambda Z, gamma, beta: (dY * matbn.bn_forward(Z, gamma, beta, ddof, eps, layout=layout).Y).sum(),
        {"Z": dZ, "gamma": dgamma, "beta": dbeta},
        {"Z": Z, "gamma": gamma, "beta": beta},
    )
    assert check.method == "complex step"
    assert max(check.errors.values()) < 1e-14


def test_layouts_are_transposes():
    Z, gamma, beta, _ = draw()
    rows, _ = matbn.bn_forward(Z, gamma, beta)
    columns, _ = matbn.bn_forward(Z.T, gamma, beta, layout="columns")
    assert (rows == columns.T).all()


@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
def test_jacobian_of_a_node(ddof, eps):
    z = draw()[0][:, 0]
    J = matbn.bn_jacobian(z, 1.7, ddof, eps)
    moved = z[:, None] + 1e-30j * np.eye(len(z))  # column l has a complex step in sample l
    columns = [matbn.bn_forward(moved[:, [k]], [1.7], [0.2], ddof, eps).Y.imag[:, 0] / 1e-30 for k in range(len(z))]
    np.testing.assert_allclose(J, np.array(columns).T, atol=1e-15)
    assert (J == J.T).all()


def test_normalised_columns_have_mean_0_and_variance_1():
    Z, _, _, _ = draw(N=50)
    Y, _ = matbn.bn_forward(Z, np.ones(3), np.zeros(3))
    np.testing.assert_allclose(Y.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(Y.std(axis=0, ddof=1), 1, rtol=1e-14)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e300, -7.3e-12])
def test_a_constant_node(constant):
    Z = draw(N=1001)[0]
    Z[:, 1] = constant
    with pytest.raises(VarianceError, match=r"Z has zero variance in nodes 1 \(counted from 0\).*set eps > 0"):
        matbn.bn_forward(Z, np.ones(3), np.zeros(3))
    Y, _ = matbn.bn_forward(Z, np.ones(3), np.full(3, 5.0), eps=1e-3)
    assert (Y[:, 1] == 5).all()


def test_centring_makes_constant_columns_exactly_zero():
    for N in range(2, 3000, 37):
        centred, mean = centre(np.full((N, 4), [0.1, 1 / 3, -1e15 / 7, 1e-300]))
        assert (centred == 0).all()
        np.testing.assert_allclose(mean, [0.1, 1 / 3, -1e15 / 7, 1e-300], rtol=1e-15)


def test_a_node_that_is_constant_but_for_rounding():
    X = np.random.default_rng(0).normal(size=(20, 2))
    z = (X @ [0.3, 0.4]) / (X @ [0.3, 0.4]) * 0.7  # 0.7 in exact arithmetic
    z[::2] = np.nextafter(z[::2], 1)
    with pytest.raises(VarianceError):
        matbn.bn_forward(z[:, None], [1.0], [0.0])
