"""A fit in words."""

from typing import Any

import numpy as np

from matbn.fitting.result import Fit, FittedNet


def text(fit: Fit) -> str:
    """Return what printing a fit shows."""
    lines = [] if fit.recipe is None else [fit.recipe.formula.text]
    lines.append(f"{fit.N:,} rows, weight {fit.weight:g}" if fit.weight != fit.N else f"{fit.N:,} rows")
    if fit.coefficient_names:
        width = max(map(len, fit.coefficient_names))
        lines += ["", "Linear part"]
        lines += [f"  {name:<{width}}  {value: .6g}" for name, value in fit.coef.items()]
    for effect in fit.effects:
        lines += [
            "",
            f"Fixed effects of {effect.name}: {len(effect.levels)} groups, deviation {effect.estimates.std():.4g}",
        ]
    for net in fit.nets:
        size = len(net.gamma)
        lines += ["", f"{net.label}: {size} node{'s' * (size > 1)} ({fit.activation.name}) on {', '.join(net.names)}"]
    lines += ["", f"R² {fit.r_squared:.4f}" + (f", within {fit.within_r_squared:.4f}" if fit.effects else "")]
    lines.append(f"mean squared residual {fit.loss:.6g}, penalty {fit.penalty:.3g}")
    if fit.edf is not None:
        lines[-1] += f", {fit.edf:.1f} effective degrees of freedom"
    if fit.path:
        method = "cross-validation" if fit.path[0].edf is None else "generalised cross-validation"
        lines.append(f"penalty by {method} of {len(fit.path)}")
    if fit.searches:
        best, losses = fit.searches[0], [search.loss for search in fit.searches]
        lines.append(
            f"{best.status} after {best.iterations} iterations, largest entry of the gradient {best.gradient:.0e}"
        )
        if len(losses) > 1:
            within = sum(loss <= 1.01 * losses[0] for loss in losses)
            lines.append(
                f"{len(losses)} searches ended at losses from {losses[0]:.6g} to {losses[-1]:.6g},"
                f" {within} of them within 1 % of the best"
            )
    return "\n".join([*lines, *(f"note: {message}" for message in fit.messages)])


def summary(fit: Fit, table: Any) -> str:
    """Return `Fit.summary`'s report; `table` has the coefficients' errors, if there are any."""
    quantiles = np.quantile(fit.residuals, [0, 0.25, 0.5, 0.75, 1])
    names = ("least", "lower quarter", "median", "upper quarter", "largest")
    lines = [text(fit), "", "Residuals", *_table(names, [[f"{q:.4g}" for q in quantiles]])]
    if table is not None:
        lines += ["", f"Linear part, errors {table.kind}, {table.df:.6g} degrees of freedom", *_coefficients(table)]
    for net in fit.nets:
        lines += ["", net.label, *_nodes(net)]
    if fit.searches:
        rows = [
            [f"{s.loss:.8g}", s.status, f"{s.iterations}", f"{s.evaluations}", f"{s.gradient:.0e}"]
            for s in fit.searches
        ]
        lines += ["", "Searches, the best first"]
        lines += _table(("loss", "status", "iterations", "evaluations", "gradient"), rows)
    return "\n".join(lines)


def _coefficients(table: Any) -> list[str]:
    header = ("", "estimate", "error", "t", "p", *(f"{100 * side:.4g} %" for side in _sides(table.level)))
    columns = (table.estimate, table.error, table.t, table.p, table.lower, table.upper)
    rows = [[name, *(f"{value:.4g}" for value in values)] for name, *values in zip(table.names, *columns, strict=True)]
    return _table(header, rows)


def _sides(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2


def _nodes(net: FittedNet) -> list[str]:
    """Return a net's parameters, a column for each node."""
    header = ("", *(f"node {j + 1}" for j in range(len(net.gamma))))
    rows = [(f"Gamma1 {name}", *row) for name, row in zip(net.names, net.Gamma1, strict=True)]
    rows += [(symbol, *getattr(net, symbol)) for symbol in ("gamma", "beta", "Gamma2")]
    return _table(header, [[name, *(f"{value:.4g}" for value in values)] for name, *values in rows])


def _table(header: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    """Return lines in columns, each to the right but a first one of names."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    left = header[0] == ""

    def line(cells: tuple[str, ...] | list[str]) -> str:
        padded = [
            cell.ljust(width) if left and k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  " + "  ".join(padded)

    return [line(header), *map(line, rows)]
