"""Node by node through the computational graph: nine steps forward, nine back, as in the third answer.

    1  mu     = Σ x / N                    6  ivar   = 1/sqrtvar
    2  xmu    = x - mu                     7  xhat   = xmu·ivar
    3  sq     = xmu²                       8  gammax = γ·xhat
    4  var    = Σ sq / d                   9  out    = gammax + β
    5  sqrtvar = √(var + eps)

Backward, each step multiplies the derivative that arrives by its own, and derivatives that reach a value from
several steps are added: xmu is used in steps 3 and 7, x in steps 1 and 2.
"""

from typing import NamedTuple

import numpy as np

from matbn.arguments import Array
from matbn.parameters import Net, NetGradient


class _Steps(NamedTuple):
    """The values of one node's forward pass that its backward pass uses."""

    xmu: Array
    sqrtvar: float
    ivar: float
    xhat: Array
    gamma: float


def gradient(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient, sending one node after the other through the graph."""
    parameters = net.parameters
    N, p2 = len(y), len(parameters.Gamma2)
    x = net.X @ parameters.Gamma1
    out = np.empty_like(x)
    steps = []
    for j in range(p2):
        beta = 0.0 if parameters.beta is None else parameters.beta[j]
        if parameters.gamma is None:
            out[:, j] = x[:, j] + beta
        else:
            out[:, j], node_steps = _forward(x[:, j], parameters.gamma[j], beta, net.d, net.eps)
            steps.append(node_steps)

    v = net.activation.value(out)
    e = y - v @ parameters.Gamma2
    dfitted = -2 / N * e
    dGamma1, dgamma, dbeta = np.empty_like(parameters.Gamma1), np.empty(p2), np.empty(p2)
    for j in range(p2):
        dout = dfitted * parameters.Gamma2[j] * net.activation.slope(out[:, j])
        dx = dout
        if parameters.gamma is not None:
            dx, dgamma[j] = _backward(dout, steps[j], net.d)
        dbeta[j] = dout.sum()
        dGamma1[:, j] = net.X.T @ dx
    return NetGradient(
        Gamma1=dGamma1,
        gamma=None if parameters.gamma is None else dgamma,
        beta=None if parameters.beta is None else dbeta,
        Gamma2=v.T @ dfitted,
        loss=e @ e / N,
    )


def _forward(x: Array, gamma: float, beta: float, d: float, eps: float) -> tuple[Array, _Steps]:
    mu = x.sum() / len(x)
    xmu = x - mu
    sq = xmu**2
    var = sq.sum() / d
    sqrtvar = np.sqrt(var + eps)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return out, _Steps(xmu, sqrtvar, ivar, xhat, gamma)


def _backward(dout: Array, steps: _Steps, d: float) -> tuple[Array, float]:
    ones = np.ones(len(dout))
    dgammax = dout  # 9
    dgamma = float(dgammax @ steps.xhat)  # 8
    dxhat = dgammax * steps.gamma
    divar = dxhat @ steps.xmu  # 7
    dxmu = dxhat * steps.ivar
    dsqrtvar = -divar / steps.sqrtvar**2  # 6
    dvar = 0.5 * dsqrtvar / steps.sqrtvar  # 5
    dsq = dvar / d * ones  # 4
    dxmu = dxmu + 2 * steps.xmu * dsq  # 3, joining 7
    dmu = -dxmu.sum()  # 2
    dx: Array = dxmu + dmu / len(dout) * ones  # 1, joining 2
    return dx, dgamma
