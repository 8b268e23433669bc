"""The loss by its definition in mpmath's arithmetic, and its gradient by central differences: a reference that uses no
formula of matbn."""

import mpmath
import numpy as np

DIGITS = 60

FUNCTIONS = {
    "relu": lambda b: b if b > 0 else mpmath.mpf(0),
    "tanh": mpmath.tanh,
    "logistic": lambda b: 1 / (1 + mpmath.exp(-b)),
    "gelu": lambda b: b * mpmath.erfc(-b / mpmath.sqrt(2)) / 2,
}


def exact(array):
    """The same numbers as mpmath has them."""
    as_mpf = np.vectorize(lambda v: v if isinstance(v, mpmath.mpf) else mpmath.mpf(float(v)), otypes=[object])
    return as_mpf(array)


def fitted_values(X, theta, place, function, total, w, ddof, eps):
    """ŷ by the definition of the net; `place` holds where each entry of θ goes."""
    Z = X.dot(theta[place.Gamma1.astype(int)])
    if place.gamma is not None:
        Z = Z - w.dot(Z) / total
        variance = w.dot(Z * Z) / (total - ddof) + mpmath.mpf(eps)
        Z = Z * (theta[place.gamma.astype(int)] / np.array([mpmath.sqrt(v) for v in variance]))
    if place.beta is not None:
        Z = Z + theta[place.beta.astype(int)]
    return function(Z).dot(theta[place.Gamma2.astype(int)])


def places(parameters):
    """Where each entry of θ goes in the parameters."""
    return parameters.with_theta(np.arange(len(parameters.theta), dtype=float))


def along(theta, direction, step):
    """θ ± step·direction."""
    return theta + step * direction, theta - step * direction


def reference_gradient(X, y, parameters, activation="tanh", ddof=1, eps=0.0, weights=None):
    """R and its gradient by all of θ, of which about 40 digits are right before they become float64."""
    with mpmath.workdps(DIGITS):
        X, y, theta = exact(X), exact(y), exact(parameters.theta)
        w = exact(np.ones(len(y)) if weights is None else weights)
        total = w.sum()
        function = np.vectorize(FUNCTIONS[activation], otypes=[object])
        place = places(parameters)

        def loss(theta):
            e = y - fitted_values(X, theta, place, function, total, w, ddof, eps)
            return w.dot(e * e) / total

        step = mpmath.mpf(10) ** -20
        gradient = []
        for k in range(len(theta)):
            up, down = theta.copy(), theta.copy()
            up[k] += step * max(1, abs(theta[k]))
            down[k] -= step * max(1, abs(theta[k]))
            gradient.append(float((loss(up) - loss(down)) / (up[k] - down[k])))
        return float(loss(theta)), np.array(gradient)


def reference_jacobian(X, parameters, activation="tanh", ddof=1, eps=0.0, weights=None):
    """ŷ and ∂ŷ/∂θᵀ, on mpmath's numbers."""
    with mpmath.workdps(DIGITS):
        X, theta = exact(X), exact(parameters.theta)
        w = exact(np.ones(len(X)) if weights is None else weights)
        function, place = np.vectorize(FUNCTIONS[activation], otypes=[object]), places(parameters)

        def fitted(theta):
            return fitted_values(X, theta, place, function, w.sum(), w, ddof, eps)

        step = mpmath.mpf(10) ** -20
        ends = [[fitted(end) for end in along(theta, exact(unit), step)] for unit in np.eye(len(theta))]
        columns = [(up - down) / (2 * step) for up, down in ends]
        return fitted(theta), np.array(columns).T


def reference_hessian_product(X, y, parameters, direction, activation="tanh", ddof=1, eps=0.0):
    """∂²R/∂θ∂θᵀ·direction by second differences of R."""
    with mpmath.workdps(3 * DIGITS):
        X, y, theta, direction = exact(X), exact(y), exact(parameters.theta), exact(direction)
        w = exact(np.ones(len(y)))
        function, place = np.vectorize(FUNCTIONS[activation], otypes=[object]), places(parameters)

        def loss(theta):
            e = y - fitted_values(X, theta, place, function, w.sum(), w, ddof, eps)
            return e.dot(e) / len(e)

        def slope(theta, unit):
            up, down = along(theta, unit, step)
            return loss(up) - loss(down)

        step = mpmath.mpf(10) ** -40
        ends = along(theta, direction, step)
        units = [exact(unit) for unit in np.eye(len(theta))]
        return np.array([float((slope(ends[0], unit) - slope(ends[1], unit)) / (4 * step**2)) for unit in units])


def within_half_an_ulp(array, rng):
    """The same numbers, each moved up or down by half a unit in its last place, as mpmath holds them."""
    with mpmath.workdps(DIGITS):
        return exact(array) * (1 + exact(rng.choice([-1.0, 1.0], np.shape(array)) * 2.0**-53))
