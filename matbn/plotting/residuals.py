"""Outcomes and residuals against fitted values, and the residuals' quantiles against normal ones."""

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.request import checked_linearisation
from matbn.plotting.canvas import BLUE, DARK, GREY, LIGHT, ORANGE, display_name, panels, simplify_frame
from matbn.plotting.points import cloud, running_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EXACT = 1e-10  # 1 - leverage, below which a row is fitted exactly and its residual is rounding error


def draw_fitted(fit: FittedModel, axes: Any) -> "Axes":
    """Draw outcomes against fitted values, with the line on which they would be equal."""
    (axis,) = panels(axes, ["fitted"], 1, (5.4, 5.0))
    observed = fit.fitted + fit.residuals
    ends = min(fit.fitted.min(), observed.min()), max(fit.fitted.max(), observed.max())
    axis.axline((ends[0], ends[0]), slope=1, color=ORANGE, linewidth=1.4, zorder=3)
    cloud(axis, fit.fitted, observed, _weights(fit))
    margin = 0.04 * (ends[1] - ends[0]) or 1.0
    axis.set_xlim(ends[0] - margin, ends[1] + margin)
    axis.set_ylim(axis.get_xlim())
    axis.set_aspect("equal", adjustable="box")
    text = f"R² = {fit.r_squared:.3f}"
    if fit.effects:
        text += f"\nwithin effects {fit.within_r_squared:.3f}"
    axis.text(0.03, 0.97, text, transform=axis.transAxes, ha="left", va="top", color=DARK)
    axis.set_xlabel("fitted")
    axis.set_ylabel(f"observed {outcome_name(fit)}".rstrip())
    simplify_frame(axis)
    return axis


def draw_residuals(fit: FittedModel, axes: Any) -> Array:
    """Draw residuals against fitted values with their running mean, and standardised ones against normal quantiles."""
    ordered, label = standardised_residuals(fit)
    left, right = both = panels(axes, ["residuals", "quantiles"], 2, (5.0, 4.0))
    w = _weights(fit)
    left.axhline(0, color=GREY, linewidth=1, zorder=0.5)
    cloud(left, fit.fitted, fit.residuals, w)
    left.plot(*running_mean(fit.fitted, fit.residuals, w), color=ORANGE, linewidth=2, label="running mean")
    left.legend(frameon=False, fontsize="small", loc="best" if fit.N <= 1_000 else "upper left")
    left.set_xlabel("fitted")
    left.set_ylabel(f"residual {outcome_name(fit)}".rstrip())

    n = len(ordered)
    k = np.arange(1, n + 1)
    normal = special.ndtri((k - 0.5) / n)
    low, high = (special.ndtri(special.betaincinv(k, n + 1 - k, side)) for side in (0.025, 0.975))
    right.fill_between(normal, low, high, color=LIGHT, alpha=0.5, linewidth=0, label="95 % of normal draws")
    right.axline((0, 0), slope=1, color=ORANGE, linewidth=1.4)
    right.plot(normal, ordered, "o", color=BLUE, markersize=3, markeredgewidth=0, alpha=0.7, rasterized=n > 5_000)
    right.legend(frameon=False, fontsize="small", loc="upper left")
    right.set_xlabel("normal quantile")
    right.set_ylabel(label)
    for axis in both:
        simplify_frame(axis)
    return np.array(both, dtype=object)


def standardised_residuals(fit: FittedModel) -> tuple[Array, str]:
    """Return the sorted residuals in units of their standard errors √(σ²(1 - h)/w), and what to call them.

    Rows without weight are left out, and rows that are fitted exactly, such as one alone in its group. A fit without
    data has no leverages h and weights; its residuals are divided by σ alone.
    """
    if not fit.sigma > 0:
        raise ArgumentError("the residual variance is 0, so that residuals cannot be standardised")
    if fit.design is None or fit.edf is None:  # None: leverages would take too much memory
        return np.sort(fit.residuals / fit.sigma), "residual / σ"
    linearisation = checked_linearisation(fit)
    root_w = linearisation.posed.problem.root_w
    kept = np.asarray(root_w is None or root_w > 0) & (1 - linearisation.leverage > _EXACT)
    relative = linearisation.e[kept] / np.sqrt(linearisation.variance * (1 - linearisation.leverage[kept]))
    return np.sort(relative), "standardised residual"


def outcome_name(fit: FittedModel) -> str:
    """Return the outcome as the formula has it; empty text without a formula."""
    return "" if fit.recipe is None else display_name(fit.recipe.formula.outcome)


def _weights(fit: FittedModel) -> Array | None:
    return None if fit.design is None else fit.design.w
