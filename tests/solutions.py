"""Fits at first layers that no search has ended at."""

import numpy as np

from matbn.fitted.units import in_user_units
from matbn.problem.coordinates import theta_of_problem
from matbn.problem.posing import pose
from matbn.search.minimum import CONVERGED, Minimum


def fit_at(design, model, theta):
    """Return the fit whose nets have these first layers (`Fit.theta`), with all that is linear solved for."""
    posed = pose(design, model)
    theta = theta_of_problem(posed, theta)
    return in_user_units(design, posed, [Minimum(theta, np.nan, np.zeros_like(theta), 0, 0, CONVERGED)])
