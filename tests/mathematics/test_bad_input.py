"""An error names the wrong argument and what was found; unusual arguments work, without a copy."""

from decimal import Decimal

import numpy as np
import pytest
import scipy.sparse as sp
from conftest import random_net

import matbn
from matbn.errors import ArgumentError, ElementTypeError, MatbnError, NotFiniteError, ShapeError, VarianceError
from matbn.gradient import ROUTES


def call(function="net_gradient", **changes):
    net = random_net(0)
    arguments = {"X": net.X, "y": net.y, **net.arguments, **changes}
    if function in ("net_forward", "net_jacobian", "fold"):
        del arguments["y"]
    return getattr(matbn, function)(**arguments)


def with_entry(array, value):
    changed = np.array(array)
    changed.flat[1] = value
    return changed


NET = random_net(0)
BAD = [
    ("X", NET.X[:, :3], ShapeError, "X has 3 columns, but Gamma1 has 4 rows"),
    ("X", NET.X[0], ShapeError, r"X has shape \(4,\), but must be a matrix"),
    ("X", NET.X[None], ShapeError, r"X has shape \(1, 9, 4\)"),
    ("X", NET.X[:0], ShapeError, "X has no rows"),
    ("X", NET.X[:1], VarianceError, "there are 1 samples, but batch norm needs at least 2"),
    (
        "X",
        with_entry(NET.X, np.nan),
        NotFiniteError,
        r"X has 1 entries that are missing \(NaN\) or infinite, at \(0, 1\) \(counted",
    ),
    ("X", with_entry(NET.X, -np.inf), NotFiniteError, "X has 1 entries"),
    ("X", np.where(NET.X > 0, np.inf, -np.inf), NotFiniteError, "X has 36 entries .*, …"),
    ("X", np.ma.masked_greater(NET.X, 2), NotFiniteError, "X has .* masked entries"),
    ("X", NET.X.astype(object), ElementTypeError, r"X holds Python objects \(float\), not numbers"),
    ("X", [["a", "b"]], ElementTypeError, "X holds elements of type <U1"),
    ("X", [[1, 2], [3]], ShapeError, "X is not a rectangular array"),
    ("X", sp.csr_array(NET.X), ElementTypeError, "X holds one object of type csr_array"),
    ("X", None, ElementTypeError, "X holds one object of type NoneType"),
    ("y", NET.y[:5], ShapeError, "y has 5 entries, but 9 are needed: one for each row of X"),
    ("y", np.ones((9, 2)), ShapeError, r"y has shape \(9, 2\), but must be a vector"),
    ("y", with_entry(NET.y, np.nan), NotFiniteError, "y has 1 entries"),
    ("y", [Decimal(1)] * 9, ElementTypeError, "Decimal"),
    ("Gamma1", np.ones((4, 0)), ShapeError, "Gamma1 is 4 × 0, but a net needs"),
    ("Gamma1", np.ones((0, 3)), ShapeError, "Gamma1 is 0 × 3"),
    ("gamma", [1.0, 2], ShapeError, "gamma has 2 entries, but 3 are needed: one for each node, and Gamma1 is 4 × 3"),
    ("beta", np.ones(4), ShapeError, "beta has 4 entries"),
    ("beta", None, ArgumentError, "beta is None, but batch norm needs a shift"),
    ("Gamma2", np.ones((3, 2)), ShapeError, "Gamma2 has shape"),
    ("ddof", 9, VarianceError, "there are 9 samples and ddof is 9"),
    ("ddof", -1, ArgumentError, "ddof is -1.0, but must be a finite number, 0 or larger"),
    ("ddof", "1", ElementTypeError, "ddof is '1', but must be a real number"),
    ("eps", -1e-3, ArgumentError, "eps is -0.001"),
    ("eps", np.nan, ArgumentError, "eps is nan"),
    ("eps", None, ElementTypeError, "eps is None"),
    ("activation", "swish", ArgumentError, "activation is 'swish', but must be one of relu"),
    ("activation", 3, ArgumentError, "activation is 3"),
    ("route", "magic", ArgumentError, "route is 'magic', but must be one of 'matrix', 'loop'"),
]


@pytest.mark.parametrize(("name", "value", "error", "message"), BAD)
def test_bad_arguments_are_named(name, value, error, message):
    with pytest.raises(error, match=message):
        call(**{name: value})


@pytest.mark.parametrize("function", ["net_forward", "net_loss", "net_jacobian", "fold"])
def test_every_function_checks_alike(function):
    with pytest.raises(ShapeError, match="X has 3 columns"):
        call(function, X=NET.X[:, :3])
    with pytest.raises(NotFiniteError, match="Gamma2 has 1 entries"):
        call(function, Gamma2=[1.0, np.nan, 2.0])


def test_one_family_and_the_builtin_kinds():
    assert issubclass(ShapeError, MatbnError)
    assert issubclass(ShapeError, ValueError)
    assert issubclass(ElementTypeError, TypeError)


@pytest.mark.parametrize("route", ROUTES)
def test_a_node_without_variance(route):
    Gamma1 = NET.parameters.Gamma1.copy()
    Gamma1[:, 2] = 0
    with pytest.raises(VarianceError, match=r"X @ Gamma1 has zero variance in nodes 2 \(counted from 0\)"):
        call(Gamma1=Gamma1, route=route)
    assert np.isfinite(call(Gamma1=Gamma1, route=route, eps=0.1).theta).all()


def test_a_node_that_only_rounding_keeps_from_being_constant():
    X = NET.X.copy()
    X[:, 3] = X[:, 0] * 0.1 + X[:, 1] * 0.3
    Gamma1 = NET.parameters.Gamma1.copy()
    Gamma1[:, 1] = [0.1, 0.3, 0, -1]
    with pytest.raises(VarianceError, match="zero variance"):
        call(X=X, Gamma1=Gamma1)


@pytest.mark.parametrize("constant", [0.1, 1e10])
def test_a_constant_column_is_fine_where_nodes_vary(constant):
    X = NET.X.copy()
    X[:, 1] = constant
    gradient = call(X=X)
    assert (gradient.Gamma1[1] == 0).all()
    Gamma1 = np.zeros((4, 3))
    Gamma1[1] = 1  # now the nodes see nothing but the constant
    with pytest.raises(VarianceError):
        call(X=X, Gamma1=Gamma1)


def test_constant_columns_are_no_matter_in_a_plain_net():
    assert np.isfinite(call(X=np.ones((9, 4)), gamma=None).theta).all()
    assert np.isfinite(call(X=np.ones((1, 4)), y=[1.0], gamma=None, beta=None).theta).all()


@pytest.mark.parametrize("route", ROUTES)
def test_unusual_arrays_give_the_same_answer(route):
    expected = call(route=route).theta
    readonly = NET.X.copy()
    readonly.setflags(write=False)
    wide = np.zeros((18, 8))
    wide[::2, ::2] = NET.X
    for X in (np.asfortranarray(NET.X), readonly, wide[::2, ::2], NET.X[::-1][::-1], NET.X.tolist()):
        np.testing.assert_allclose(call(X=X, route=route).theta, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(call(y=NET.y[:, None], route=route).theta, expected, rtol=1e-12)
    row = {"gamma": NET.parameters.gamma[None, :], "Gamma2": NET.parameters.Gamma2[:, None]}
    np.testing.assert_allclose(call(**row, route=route).theta, expected, rtol=1e-12)


def test_nothing_that_is_passed_is_changed():
    X, dY = NET.X.copy(), np.ones((9, 4))
    _, cache = matbn.bn_forward(X, np.ones(4), np.zeros(4))
    matbn.bn_backward(dY, cache)
    call(X=X)
    assert (X == NET.X).all()
    assert (dY == 1).all()


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.float32, bool])
def test_other_number_types_are_converted(kind):
    X = np.round(NET.X).astype(kind)
    np.testing.assert_allclose(call(X=X).theta, call(X=X.astype(float)).theta, rtol=0)


def test_large_arrays_are_taken_without_a_copy():
    import tracemalloc

    from matbn.arguments import as_matrix

    X = np.ones((1_000_000, 10))
    for view in (X, np.asfortranarray(X[:1000]), X[::2], X.T):
        tracemalloc.start()
        taken = as_matrix("X", view)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert np.shares_memory(taken, view)
        assert peak < 1e6


@pytest.mark.parametrize(
    ("function", "changes"),
    [
        ("net_loss", {"y": NET.y * 1e200}),
        ("net_gradient", {"y": NET.y * 1e200}),
        ("net_forward", {"Gamma2": np.full(3, 1e308)}),
        ("net_gradient", {"Gamma2": np.full(3, 1e308)}),
        ("net_hessian_product", {"Gamma2": np.full(3, 1e200), "direction": np.full(21, 1e200)}),
    ],
)
def test_overflow_is_refused_without_warnings(function, changes):
    with pytest.raises(NotFiniteError, match=r"would not be finite: .* rescale the data"):
        call(function, **changes)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_the_size_of_the_inputs_does_not_matter(scale):
    # Normalised layers see no scale: all but the derivatives by Γ₁ stay, and those go with 1/scale · scale.
    expected, found = call(), call(X=NET.X * scale)
    np.testing.assert_allclose(found.theta, expected.theta, rtol=1e-11, atol=1e-13)
    direction = np.random.default_rng(0).normal(size=21)
    arguments = {"direction": direction, "activation": "tanh"}
    product = call("net_hessian_product", X=NET.X * scale, **arguments)
    np.testing.assert_allclose(product, call("net_hessian_product", **arguments), rtol=1e-10, atol=1e-12)


def test_an_activation_that_misbehaves():
    nan = matbn.Activation("nan", lambda b: b * np.nan, np.cos, np.sin)
    with pytest.raises(NotFiniteError, match="activation does not return finite numbers"):
        call(activation=nan)
    short = matbn.Activation("short", lambda b: b[:, :1], np.cos, np.sin)
    with pytest.raises(ShapeError, match=r"value of activation 'short' returns shape \(9, 1\) for \(9, 3\)"):
        call(activation=short)


@pytest.mark.parametrize("activation", matbn.ACTIVATIONS)
def test_saturated_activations_have_finite_derivatives(activation):
    gamma = np.full(3, 1e150)
    gradient = call(gamma=gamma, activation=activation, Gamma2=np.full(3, 1e-150))
    assert np.isfinite(gradient.theta).all()


def test_wrong_kinds_of_state():
    with pytest.raises(ElementTypeError, match="cache is of type BatchNormOutput"):
        matbn.bn_backward(NET.X, matbn.bn_forward(NET.X, np.ones(4), np.zeros(4)))
    with pytest.raises(ElementTypeError, match="running is of type tuple"):
        matbn.bn_infer(NET.X, np.ones(4), np.zeros(4), (0, 1))
    with pytest.raises(ShapeError, match="direction has 20 entries, but 21 are needed"):
        call("net_hessian_product", direction=np.ones(20))
    with pytest.raises(ElementTypeError, match="f is of type NoneType"):
        matbn.check_gradient(None, 1.0, 2.0)
    with pytest.raises(ShapeError, match="A_shape is 3"):
        matbn.kronecker_differential_A(3, np.eye(2))


@pytest.mark.parametrize("N", [9, 300])
@pytest.mark.parametrize(
    ("part", "function"),
    [
        ("value", lambda b: b[:, :1]),
        ("slope", lambda b: b[:, :1]),
        ("slope", lambda b: b.astype(object)),
        ("value", lambda b: None),
    ],
)
def test_parts_of_an_activation_are_checked(part, function, N):
    parts = {"value": np.sin, "slope": np.cos, "curvature": np.sin, part: function}
    net = random_net(0, N=N)
    with pytest.raises((ShapeError, ElementTypeError), match=f"{part} of activation 'odd' returns"):
        matbn.net_gradient(net.X, net.y, **net.arguments, activation=matbn.Activation("odd", **parts))


def test_an_activation_of_ones_own_has_nodes_in_columns_for_any_number_of_rows():
    slopes = np.array([0.1, 0.2, 0.3])
    prelu = matbn.Activation(
        "prelu",
        lambda b: np.where(b > 0, b, slopes * b),
        lambda b: np.where(b > 0, 1.0, slopes * np.ones_like(b)),
        np.zeros_like,
    )
    for N in (9, 400):
        net = random_net(0, N=N)
        gradient = matbn.net_gradient(net.X, net.y, **net.arguments, activation=prelu)

        def loss(beta, net=net):
            return matbn.net_loss(net.X, net.y, **{**net.arguments, "beta": beta}, activation=prelu)

        assert matbn.check_gradient(loss, gradient.beta, net.parameters.beta).ok


def test_nan_inside_a_rectifier_is_not_hidden():
    with pytest.raises(NotFiniteError, match=r"X @ Gamma1 would not be finite"):
        matbn.net_forward([[2e200, 1e200], [1, 1]], [[1e200], [-1e200]], None, None, [1.0])


def test_a_cache_does_not_change_with_its_gamma():
    gamma = np.ones(4)
    _, cache = matbn.bn_forward(NET.X, gamma, np.zeros(4))
    expected = matbn.bn_backward(NET.X, cache).Z
    gamma *= 10
    assert (expected == matbn.bn_backward(NET.X, cache).Z).all()


def test_checks_of_gradients_at_odd_places():
    A = np.ones(2)

    def writes(A):
        A *= 2
        return A.sum()

    assert matbn.check_gradient(writes, np.full(2, 2.0), A).ok
    assert (A == 1).all()
    with pytest.raises(ArgumentError, match="out of float64's range"):
        matbn.check_gradient(lambda A: A.sum(), lambda A: 2e300 * np.ones_like(A), [1e300, 2e300])
    with pytest.raises(ElementTypeError, match="complex"):
        matbn.check_gradient(lambda A: A.sum(), np.ones(2) + 5j, np.ones(2))
    with pytest.raises(ArgumentError, match="seed is -1"):
        matbn.check_gradient(lambda A: A.sum(), np.ones(2), np.ones(2), seed=-1)


def test_numbers_that_are_none():
    with pytest.raises(ArgumentError, match="eps is inf"):
        matbn.net_loss(NET.X, NET.y, **NET.arguments, eps=10**400)
    with pytest.raises(ElementTypeError, match="ddof is"):
        matbn.net_loss(NET.X, NET.y, **NET.arguments, ddof=np.ma.masked)
    with pytest.raises(ShapeError, match="rectangular"):
        matbn.kronecker_apply(np.eye(2), np.eye(2), [[1, 2], [3]])
