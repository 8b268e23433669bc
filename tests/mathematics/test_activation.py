from dataclasses import replace

import mpmath
import numpy as np
import pytest

from matbn.activation import ACTIVATIONS, LEAKY_SLOPE, Activation, as_activation
from matbn.errors import ArgumentError, ElementTypeError

POINTS = np.array([-740.0, -40.0, -6.5, -1.0, -1e-3, 1e-3, 0.7, 2.0, 9.0, 40.0, 740.0])

REFERENCE = {
    "relu": lambda b: b if b > 0 else mpmath.mpf(0),
    "leaky_relu": lambda b: b if b > 0 else mpmath.mpf(LEAKY_SLOPE) * b,
    "tanh": mpmath.tanh,
    "logistic": lambda b: 1 / (1 + mpmath.exp(-b)),
    "softplus": lambda b: mpmath.log1p(mpmath.exp(b)),
    "gelu": lambda b: b * mpmath.ncdf(b),
    "sine": mpmath.sin,
    "identity": lambda b: b,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_slope_and_curvature_against_mpmath(name):
    activation = ACTIVATIONS[name]
    with mpmath.workdps(400):  # differences of exp(-740) need the digits
        for order, function in enumerate((activation.value, activation.slope, activation.curvature)):
            expected = [float(mpmath.diff(REFERENCE[name], mpmath.mpf(b), order)) for b in POINTS]
            np.testing.assert_allclose(function(POINTS), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_complex_steps_give_the_derivatives(name):
    activation = ACTIVATIONS[name]
    moved = POINTS + 1e-30j
    np.testing.assert_allclose(activation.value(moved).imag / 1e-30, activation.slope(POINTS), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(
        np.imag(activation.slope(moved)) / 1e-30, activation.curvature(POINTS), rtol=1e-13, atol=1e-15
    )


def test_left_derivative_at_the_kink():
    assert ACTIVATIONS["relu"].slope(np.zeros(1)) == 0
    assert ACTIVATIONS["leaky_relu"].slope(np.zeros(1)) == LEAKY_SLOPE


def test_an_activation_of_ones_own():
    cube = Activation("cube", lambda b: b**3, lambda b: 3 * b**2, lambda b: 6 * b)
    assert as_activation(cube) is cube
    with pytest.raises(ArgumentError, match="'rleu', but must be one of relu, leaky_relu"):
        as_activation("rleu")


def test_what_an_activation_says_of_itself_is_checked():
    def own(**facts):
        return Activation("own", np.tanh, lambda b: 1 - np.tanh(b) ** 2, lambda b: 0 * b, **facts)

    assert as_activation(own(odd=True, jump=0.0)).odd
    with pytest.raises(ArgumentError, match="said to be homogeneous, but"):
        as_activation(own(homogeneous=True))
    with pytest.raises(ArgumentError, match="said to have the jump 1, but its slope jumps by 0"):
        as_activation(own(jump=1.0))
    with pytest.raises(ElementTypeError, match="odd of activation 'own' is 'yes', but must be True or False"):
        as_activation(own(odd="yes"))
    logistic = ACTIVATIONS["logistic"]
    with pytest.raises(ArgumentError, match="said to be odd, but"):
        as_activation(replace(logistic, name="own", odd=True))


def test_facts_of_the_built_in_activations():
    b = np.linspace(-3, 3, 25)
    for activation in ACTIVATIONS.values():
        value = activation.value
        assert activation.odd == np.allclose(value(-b), -value(b))
        assert activation.homogeneous == np.allclose(value(2 * b), 2 * value(b))
        left, right = activation.slope(np.array([-1e-9, 1e-9]))
        assert activation.jump == pytest.approx(right - left, abs=1e-7)
