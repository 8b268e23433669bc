"""What printing a fit shows."""

from matbn.fitted.fitted_model import FittedModel, FittedNet


def text(fit: FittedModel) -> str:
    """Return a fit's printed form."""
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
    lines.append(f"mean squared residual {fit.loss:.6g}" + (f", penalty {fit.penalty:.3g}" if fit.nets else ""))
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


def nodes(net: FittedNet) -> list[str]:
    """Return a net's parameters, a column for each node."""
    header = ("", *(f"node {j + 1}" for j in range(len(net.gamma))))
    rows = [(f"Gamma1 {name}", *row) for name, row in zip(net.names, net.Gamma1, strict=True)]
    rows += [(symbol, *getattr(net, symbol)) for symbol in ("gamma", "beta", "Gamma2")]
    return table(header, [[name, *(f"{value:.4g}" for value in values)] for name, *values in rows])


def table(header: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table; columns are aligned right, but a first column without a header is aligned left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    left = header[0] == ""

    def line(cells: tuple[str, ...] | list[str]) -> str:
        padded = [
            cell.ljust(width) if left and k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  " + "  ".join(padded)

    return [line(header), *map(line, rows)]
