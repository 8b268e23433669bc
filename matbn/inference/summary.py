"""The long report on a fit: coefficients with errors, tests, statistics, nodes and searches."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.errors import InferenceError
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.report import nodes, table, text
from matbn.inference.request import as_errors, checked_linearisation
from matbn.inference.tables import Table, linear_table
from matbn.inference.variables import columns_of, variables_of
from matbn.inference.wald import wald_tests


def summary(fit: FittedModel, vcov: Any, correction: str) -> str:
    """Return `Fit.summary`'s report; a fit from JSON, or one without degrees of freedom, has no errors."""
    quantiles = np.quantile(fit.residuals, [0, 0.25, 0.5, 0.75, 1])
    names = ("least", "lower quarter", "median", "upper quarter", "largest")
    lines = [text(fit), "", "Residuals", *table(names, [[f"{q:.4g}" for q in quantiles]])]
    lines += ["", *_statistics(fit)]
    try:
        lines += _errors(fit, vcov, correction)
    except InferenceError as error:
        lines += ["", f"no standard errors: {error}"]
    for net in fit.nets:
        lines += ["", net.label, *nodes(net)]
    if fit.searches:
        rows = [
            [f"{s.loss:.8g}", s.status, f"{s.iterations}", f"{s.evaluations}", f"{s.gradient:.0e}"]
            for s in fit.searches
        ]
        lines += ["", "Searches, the best first"]
        lines += table(("loss", "status", "iterations", "evaluations", "gradient"), rows)
    return "\n".join(lines)


def _errors(fit: FittedModel, vcov: Any, correction: str) -> list[str]:
    """Return the coefficients' table and the tests of variables."""
    if fit.design is None:
        return []
    linearisation = checked_linearisation(fit)
    lines: list[str] = []
    if fit.coefficient_names:
        of_linear = linear_table(fit, linearisation, as_errors(fit, vcov, correction), 0.95)
        about = f"Linear part, errors {of_linear.kind}, {of_linear.df:.6g} degrees of freedom"
        lines += ["", about, *_coefficients(of_linear)]
    if fit.nets:
        known = variables_of(fit, offset=False)
        columns = [columns_of(fit, name) for name in known]
        tests = wald_tests(fit, linearisation, known, columns, as_errors(fit, vcov, correction))
        of_tests = _by_name(("", "F", "df", "p"), tests.names, (tests.F, tests.numerator, tests.p))
        determined = f"  the data determine {linearisation.rank} of {len(linearisation.D)} parameters"
        lines += ["", "Wald tests that a variable has no effect", *of_tests, determined]
    return lines


def _statistics(fit: FittedModel) -> list[str]:
    lines = [f"root mean squared residual {fit.rmse:.6g}, on {fit.df_residual:.6g} degrees of freedom {fit.sigma:.6g}"]
    lines.append(f"log-likelihood {fit.loglik:.6g}, AIC {fit.aic:.6g}, BIC {fit.bic:.6g}")
    if fit.effects:
        lines.append("groups: " + ", ".join(f"{len(effect.levels):,} of {effect.name}" for effect in fit.effects))
    return lines


def _coefficients(of: Table) -> list[str]:
    sides = (1 - of.level) / 2, (1 + of.level) / 2
    header = ("", "estimate", "error", "t", "p", *(f"{100 * side:.4g} %" for side in sides))
    return _by_name(header, of.names, (of.estimate, of.error, of.t, of.p, of.lower, of.upper))


def _by_name(header: tuple[str, ...], names: Sequence[str], columns: Sequence[Array]) -> list[str]:
    rows = [[name, *(f"{value:.4g}" for value in values)] for name, *values in zip(names, *columns, strict=True)]
    return table(header, rows)
