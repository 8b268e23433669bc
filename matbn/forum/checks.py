"""The forum's numeric checks: the printed figure, Python's value and R's, held against each other."""

from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.embedded_r import RUnavailableError
from matbn.forum.data import ForumData, draw
from matbn.forum.posted import FIGURES
from matbn.forum.printed import printed_figure, shows
from matbn.forum.r_side import r_figures

PUBLISHED = {"seed": 1, "N": 10, "p1": 7, "p2": 4}
# Python and R sum the same terms in another order; that costs a few last digits and no more.
AGREEMENT = 1e-12


@dataclass(frozen=True)
class Check:
    """One figure of the question, every way that it can be had."""

    name: str
    python: Array
    r: Array | None  # None without R
    printed: Array | None  # texts; None for other draws and sizes than the question's
    twin: Array  # the same figure by the check's other form (loop or matrix), in Python

    @property
    def agrees(self) -> bool:
        """Whether R, the printed digits and the other form all say what Python says."""
        values = [self.python] if self.r is None else [self.python, self.r]
        return (
            close(self.python, self.twin)
            and (self.r is None or close(self.python, self.r))
            and (self.printed is None or all(_all_shown(value, self.printed) for value in values))
        )


@dataclass(frozen=True)
class ForumChecks:
    """All checks on one draw of the data."""

    checks: tuple[Check, ...]
    data: ForumData
    without_r: str  # why there is no R side; empty where there is

    @property
    def agree(self) -> bool:
        """Whether every check agrees."""
        return all(check.agrees for check in self.checks)


def forum_checks(
    seed: int = 1, N: int = 10, p1: int = 7, p2: int = 4, *, r: dict[str, Array] | None = None
) -> ForumChecks:
    """Run the posted procedures on one draw of the data, in Python and, where R is there, in R.

    Parameters
    ----------
    seed, N, p1, p2
        R's seed and the sizes; p1 >= p2, as the posted loop needs. The defaults are the question's, which has
        printed figures for them alone.
    r
        R's figures by name, where R has computed them; otherwise R is started in this process, if it is there.
    """
    data = draw(seed, N, p1, p2)
    python = {name: figure(data) for name, figure in FIGURES.items()}
    without_r = ""
    if r is None:
        try:
            r = r_figures(seed, N, p1, p2)
        except RUnavailableError as error:
            r, without_r = {}, str(error)
    published = {"seed": seed, "N": N, "p1": p1, "p2": p2} == PUBLISHED
    checks = tuple(
        Check(name, value, r.get(name), printed_figure(name) if published else None, _twin(name, python, data))
        for name, value in python.items()
    )
    return ForumChecks(checks, data, without_r)


def close(a: Array, b: Array) -> bool:
    """Whether two figures agree but for rounding."""
    return a.shape == b.shape and bool(np.max(np.abs(a - b)) <= AGREEMENT * np.max(np.abs(a)))


def _twin(name: str, python: dict[str, Array], data: ForumData) -> Array:
    """Return what the check's other form says of the same figure."""
    if name == "kronecker_rule":  # the same linear map, applied to each unit vector
        N = len(data.X)
        return np.array([np.repeat(unit, N) for unit in np.eye(len(data.beta))]).T
    if name == "gamma_matrix":  # the loop has its diagonal only
        matrix = python[name].copy()
        np.fill_diagonal(matrix, python["gamma_loop"])
        return matrix
    if name == "gamma_loop":
        return np.diag(python["gamma_matrix"])
    parameter, form = name.split("_")
    return python[f"{parameter}_{'loop' if form == 'matrix' else 'matrix'}"]


def _all_shown(value: Array, texts: Array) -> bool:
    return value.shape == texts.shape and all(
        shows(float(number), str(text)) for number, text in zip(value.flat, texts.flat, strict=True)
    )
