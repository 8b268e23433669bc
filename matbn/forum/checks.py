"""The forum's numeric checks: each printed figure is compared with Python's value and with R's."""

from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.embedded_r import RUnavailableError
from matbn.forum.data import ForumData, draw
from matbn.forum.posted import FIGURES
from matbn.forum.printed import printed_figure, shows
from matbn.forum.r_side import r_figures

PUBLISHED = {"seed": 1, "N": 10, "p1": 7, "p2": 4}
# Python and R sum the same terms in different orders, which changes only a few last digits.
AGREEMENT = 1e-12


@dataclass(frozen=True)
class Check:
    """One figure of the question, computed in every available way."""

    name: str
    python: Array
    r: Array | None  # None without R
    printed: Array | None  # the digits as text; None unless seed and sizes are the question's
    twin: Array  # the same figure computed by the other form (loop or matrix), in Python

    @property
    def agrees(self) -> bool:
        """Whether R, the printed digits and the other form all agree with Python."""
        values = [self.python] if self.r is None else [self.python, self.r]
        return (
            close(self.python, self.twin)
            and (self.r is None or close(self.python, self.r))
            and (self.printed is None or all(_reads_as(value, self.printed) for value in values))
        )


@dataclass(frozen=True)
class ForumChecks:
    """All checks on one draw of the data."""

    checks: tuple[Check, ...]
    data: ForumData
    without_r: str  # why R's figures are missing; empty where they are there

    @property
    def agree(self) -> bool:
        """Whether every check agrees."""
        return all(check.agrees for check in self.checks)


def forum_checks(
    seed: int = 1, N: int = 10, p1: int = 7, p2: int = 4, *, r: dict[str, Array] | None = None
) -> ForumChecks:
    """Run the posted code on one draw of the data, in Python and, where R is available, in R.

    Parameters
    ----------
    seed, N, p1, p2
        R's seed and the sizes; the posted loop needs p1 >= p2. The defaults are the question's, the only ones for
        which it prints figures.
    r
        R's figures by name, if R has computed them already; otherwise R is started in this process, if available.
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
    """Return whether two figures agree up to rounding."""
    return a.shape == b.shape and bool(np.max(np.abs(a - b)) <= AGREEMENT * np.max(np.abs(a)))


def _twin(name: str, python: dict[str, Array], data: ForumData) -> Array:
    """Return the same figure as the check's other form (loop or matrix) gives it."""
    if name == "kronecker_rule":  # the other form: the same linear map, applied to each unit vector
        N = len(data.X)
        return np.array([np.repeat(unit, N) for unit in np.eye(len(data.beta))]).T
    if name == "gamma_matrix":  # the loop gives its diagonal only
        matrix = python[name].copy()
        np.fill_diagonal(matrix, python["gamma_loop"])
        return matrix
    if name == "gamma_loop":
        return np.diag(python["gamma_matrix"])
    parameter, form = name.split("_")
    return python[f"{parameter}_{'loop' if form == 'matrix' else 'matrix'}"]


def _reads_as(value: Array, texts: Array) -> bool:
    return value.shape == texts.shape and all(
        shows(float(number), str(text)) for number, text in zip(value.flat, texts.flat, strict=True)
    )
