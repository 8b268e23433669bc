"""Plots of fits, by matplotlib: `Fit.plot(kind, axes, **options)`, and a heat map of a gradient check.

    kind         what it shows                                              options
    "effects"    each variable's partial dependence, with bounds            variables, vcov, correction, level, at
    "fitted"     outcomes against fitted values
    "residuals"  residuals against fitted values, and their quantiles
    "trace"      how the loss of each search went down
    "network"    inputs, nodes and output, with weights as edges

`plot_gradients` shows two gradients, such as those of two routes, and how far they are apart.

Each draws into `axes` if given (one, or a sequence where there are several panels), or makes a figure with
`matplotlib.pyplot`, and returns the axes. Nothing is shown or saved, and no setting of matplotlib's is changed.
`kinds` has the list, `effects`, `residuals`, `trace`, `network` (laid out by `graph`) and `gradients` draw, with what
`canvas` and `points` have for all.

matplotlib is needed (`pip install 'matbn[plot]'`), and imported when something is drawn.
"""

from matbn.plotting.gradients import plot_gradients
from matbn.plotting.kinds import plot

__all__ = ["plot", "plot_gradients"]
