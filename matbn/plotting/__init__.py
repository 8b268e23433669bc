"""Plots of fits, by matplotlib: `Fit.plot(kind, axes, **options)`, and a heat map of a gradient check.

    kind         what it shows                                              options
    "effects"    each variable's partial dependence, with bounds            variables, vcov, correction, level, at
    "fitted"     outcomes against fitted values
    "residuals"  residuals against fitted values, and their quantiles
    "trace"      how the loss of each search went down
    "network"    inputs, nodes and output, with weights as edges

`plot_gradients` shows two gradients, such as those of two routes, and how far they are apart.

Each plot is drawn into `axes` if given (one, or a sequence where there are several panels), or else into a new figure
of `matplotlib.pyplot`, and its axes are returned. Nothing is shown or saved, and matplotlib's settings stay unchanged.
Read `kinds`, which lists the kinds, then the files that draw: `effects`, `residuals`, `trace`, `network` (laid out by
`graph`) and `gradients`. They share `canvas` (figures and colours) and `points` (many points in one panel).

Plots need matplotlib (`pip install 'matbn[plot]'`), which is imported when something is drawn.
"""

from matbn.plotting.gradients import plot_gradients
from matbn.plotting.kinds import plot

__all__ = ["plot", "plot_gradients"]
