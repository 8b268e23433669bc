"""The loss and its exact gradient by every system of the benchmark, each as a function without arguments."""

from collections.abc import Callable

import numpy as np

import matbn

EPS = 1e-5  # PyTorch refuses 0
Call = Callable[[], object]


def by_matbn(X, y, parameters, activation, threads) -> tuple[Call, Call]:
    """Return a call, and one that gives its result as a vector (vec Γ₁, γ, β, Γ₂)."""
    prepared = matbn.prepare(X, y, activation=activation, ddof=0, eps=EPS, threads=threads)
    arguments = {name: value.astype(np.float64) for name, value in parameters.items()}

    def call():
        return prepared.gradient(**arguments)

    return call, lambda: call().theta


def by_numpy(X, y, parameters, activation, threads) -> tuple[Call, Call]:
    """Plain NumPy with whole matrices, vectorised, as one would write it."""
    Gamma1, gamma, beta, Gamma2 = parameters.values()
    N = len(y)

    def call():
        Z = X @ Gamma1
        Z = Z - Z.mean(axis=0)
        s = np.sqrt((Z * Z).mean(axis=0) + X.dtype.type(EPS))
        H = Z / s
        B = H * gamma + beta
        V = np.maximum(B, 0) if activation == "relu" else np.tanh(B)
        e = y - V @ Gamma2
        slope = B > 0 if activation == "relu" else 1 - V * V
        W = np.outer(-2 / N * e, Gamma2) * slope
        g = (H * W).sum(axis=0)
        by_Z = (W - W.mean(axis=0) - H * (g / N)) * (gamma / s)
        return e @ e / N, X.T @ by_Z, g, W.sum(axis=0), -2 / N * (V.T @ e)

    return call, lambda: as_theta(call()[1:])


def by_torch(X, y, parameters, activation, threads, compiled=False) -> tuple[Call, Call]:
    """PyTorch's autograd through its own batch norm."""
    import torch

    torch.set_num_threads(threads)
    inputs, outcomes = torch.tensor(X), torch.tensor(y)
    leaves = [torch.tensor(value, requires_grad=True) for value in parameters.values()]
    function = {"relu": torch.relu, "tanh": torch.tanh}[activation]

    def loss(Gamma1, gamma, beta, Gamma2):
        B = torch.nn.functional.batch_norm(inputs @ Gamma1, None, None, gamma, beta, training=True, eps=EPS)
        return ((outcomes - function(B) @ Gamma2) ** 2).mean()

    evaluate = torch.compile(loss) if compiled else loss

    def call():
        return torch.autograd.grad(evaluate(*leaves), leaves)

    return call, lambda: as_theta([part.numpy() for part in call()])


def by_compiled_torch(X, y, parameters, activation, threads) -> tuple[Call, Call]:
    """Compile the same with torch.compile; raises where this machine cannot."""
    return by_torch(X, y, parameters, activation, threads, compiled=True)


def by_jax(X, y, parameters, activation, threads) -> tuple[Call, Call]:
    """JAX: value and gradient, compiled as one function."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    function = {"relu": jax.nn.relu, "tanh": jnp.tanh}[activation]

    def loss(Gamma1, gamma, beta, Gamma2, X, y):
        Z = X @ Gamma1
        Z = Z - Z.mean(axis=0)
        H = Z / jnp.sqrt((Z * Z).mean(axis=0) + EPS)
        return jnp.mean((y - function(H * gamma + beta) @ Gamma2) ** 2)

    compiled = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2, 3)))
    arguments = [jnp.asarray(value) for value in (*parameters.values(), X, y)]

    def call():
        return jax.block_until_ready(compiled(*arguments))

    return call, lambda: as_theta([np.asarray(part) for part in call()[1]])


def as_theta(parts) -> np.ndarray:
    """Return (vec Γ₁, γ, β, Γ₂)."""
    return np.concatenate([np.asarray(part).reshape(-1, order="F") for part in parts])


SYSTEMS = {
    "matbn": by_matbn,
    "NumPy": by_numpy,
    "PyTorch": by_torch,
    "torch.compile": by_compiled_torch,
    "JAX jit": by_jax,
}
