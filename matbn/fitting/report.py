"""A fit in words."""

from matbn.fitting.result import Fit


def text(fit: Fit) -> str:
    """Return what printing a fit shows."""
    lines = [] if fit.recipe is None else [fit.recipe.formula.text]
    lines.append(f"{fit.N:,} rows, weight {fit.weight:g}" if fit.weight != fit.N else f"{fit.N:,} rows")
    if fit.coefficient_names:
        width = max(map(len, fit.coefficient_names))
        lines += ["", "Linear part"]
        lines += [f"  {name:<{width}}  {value: .6g}" for name, value in fit.coef.items()]
    for effect in fit.effects:
        lines += ["", f"Fixed effects of {effect.name}: {len(effect.levels)} groups"]
    for net in fit.nets:
        size = len(net.gamma)
        lines += ["", f"{net.label}: {size} node{'s' * (size > 1)} ({fit.activation}) on {', '.join(net.names)}"]
    lines += ["", f"R² {fit.r_squared:.4f}" + (f", within {fit.within_r_squared:.4f}" if fit.effects else "")]
    lines.append(f"mean squared residual {fit.loss:.6g}, penalty {fit.penalty:.3g}")
    if fit.edf is not None:
        lines.append(
            f"penalty by generalised cross-validation of {len(fit.path)}, {fit.edf:.1f} effective degrees of freedom"
        )
    if fit.searches:
        best, losses = fit.searches[0], [search.loss for search in fit.searches]
        lines.append(
            f"{best.status} after {best.iterations} iterations, largest entry of the gradient {best.gradient:.0e}"
        )
        if len(losses) > 1:
            within = sum(loss <= 1.01 * losses[0] for loss in losses)
            lines.append(
                f"{len(losses)} starts ended at losses from {losses[0]:.6g} to {losses[-1]:.6g},"
                f" {within} of them within 1 % of the best"
            )
    return "\n".join([*lines, *(f"note: {message}" for message in fit.messages)])
