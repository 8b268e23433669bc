"""The loss by its definition on mpmath's numbers, and its gradient by central differences: a reference that knows no
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
    return np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])(array)


def reference_gradient(X, y, parameters, activation="tanh", ddof=1, eps=0.0, weights=None):
    """R and its gradient by all of θ, of which about 40 digits are right before they become float64."""
    with mpmath.workdps(DIGITS):
        X, y, theta = exact(X), exact(y), exact(parameters.theta)
        w = exact(np.ones(len(y)) if weights is None else weights)
        total = w.sum()
        function = np.vectorize(FUNCTIONS[activation], otypes=[object])
        place = parameters.with_theta(np.arange(len(theta), dtype=float))  # where each entry of θ goes

        def loss(theta):
            Gamma1, Gamma2 = theta[place.Gamma1.astype(int)], theta[place.Gamma2.astype(int)]
            Z = X.dot(Gamma1)
            if place.gamma is not None:
                Z = Z - w.dot(Z) / total
                variance = w.dot(Z * Z) / (total - ddof) + mpmath.mpf(eps)
                Z = Z * (theta[place.gamma.astype(int)] / np.array([mpmath.sqrt(v) for v in variance]))
            if place.beta is not None:
                Z = Z + theta[place.beta.astype(int)]
            e = y - function(Z).dot(Gamma2)
            return w.dot(e * e) / total

        step = mpmath.mpf(10) ** -20
        gradient = []
        for k in range(len(theta)):
            up, down = theta.copy(), theta.copy()
            up[k] += step * max(1, abs(theta[k]))
            down[k] -= step * max(1, abs(theta[k]))
            gradient.append(float((loss(up) - loss(down)) / (up[k] - down[k])))
        return float(loss(theta)), np.array(gradient)
