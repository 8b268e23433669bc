"""Fits as data frames, in the manner of R's broom: terms, whole fit, rows."""

from typing import Any

import numpy as np

from matbn.fitted.fitted_model import FittedModel
from matbn.inference.request import checked_linearisation
from matbn.inference.tables import coefficient_table
from matbn.optional_packages import optional_package


def tidy(fit: FittedModel, vcov: Any, part: str, correction: str, level: float) -> Any:
    """Return `Fit.tidy`'s data frame."""
    table = coefficient_table(fit, vcov, part, correction, level)
    return _frame(
        {
            "term": table.names,
            "estimate": table.estimate,
            "std_error": table.error,
            "statistic": table.t,
            "p_value": table.p,
            "conf_low": table.lower,
            "conf_high": table.upper,
        }
    )


def glance(fit: FittedModel) -> Any:
    """Return `Fit.glance`'s data frame."""
    values = {
        "r_squared": fit.r_squared,
        "within_r_squared": fit.within_r_squared if fit.effects else np.nan,
        "sigma": fit.sigma,
        "rmse": fit.rmse,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "deviance": fit.sum_of_squares,
        "df_residual": fit.df_residual,
        "edf": fit.degrees,
        "nobs": fit.nobs,
        "penalty": fit.penalty,
        "converged": fit.converged,
    }
    return _frame({name: [value] for name, value in values.items()})


def augment(fit: FittedModel) -> Any:
    """Return `Fit.augment`'s data frame."""
    linearisation = checked_linearisation(fit)
    hat = linearisation.posed.in_design_order(linearisation.leverage)
    relative = linearisation.posed.in_design_order(linearisation.e / np.sqrt(linearisation.variance))
    with np.errstate(divide="ignore", invalid="ignore"):
        standardised = np.where(hat < 1, relative / np.sqrt(1 - hat), np.nan)
    columns = {"_fitted": fit.fitted, "_resid": fit.residuals, "_hat": hat, "_std_resid": standardised}
    if fit.data is not None:
        return fit.data.assign(**columns)
    return _frame({"y": linearisation.design.y, **columns})


def _frame(columns: dict[str, Any]) -> Any:
    return optional_package("pandas", "data frames").DataFrame(columns)
