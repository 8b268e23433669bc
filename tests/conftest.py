"""Shared by all tests: which peers are installed, and random nets."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from matbn.parameters import Parameters

# (ddof, eps): R and the question; its biased sibling; frameworks; both together
CONVENTIONS = ((1, 0.0), (0, 0.0), (0, 0.1), (1, 0.3))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    r_here = shutil.which("R") is not None and importlib.util.find_spec("rpy2") is not None
    torch_here = importlib.util.find_spec("torch") is not None
    for item in items:
        if "r" in item.keywords and not r_here and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason="needs R and rpy2"))
        if "torch" in item.keywords and not torch_here:
            item.add_marker(pytest.mark.skip(reason="needs torch"))


@dataclass(frozen=True)
class RandomNet:
    """Arguments of the net functions, drawn with a seed."""

    X: np.ndarray
    y: np.ndarray
    parameters: Parameters

    @property
    def arguments(self) -> dict[str, Any]:
        p = self.parameters
        return {"Gamma1": p.Gamma1, "gamma": p.gamma, "beta": p.beta, "Gamma2": p.Gamma2}


def random_net(seed: int, N: int = 9, p1: int = 4, p2: int = 3, kind: str = "batch norm") -> RandomNet:
    """Draw a net; kind is "batch norm", "plain" (with bias) or "plain without bias"."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(1.0, 2.0, (N, p1)), rng.normal(size=N)
    Gamma1, gamma, beta, Gamma2 = (rng.normal(size=shape) for shape in ((p1, p2), p2, p2, p2))
    parameters = Parameters(
        Gamma1, gamma if kind == "batch norm" else None, None if kind == "plain without bias" else beta, Gamma2
    )
    return RandomNet(X, y, parameters)
