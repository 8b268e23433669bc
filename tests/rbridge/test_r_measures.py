"""R's numbers about a fit are Python's: measures, tables, effects, predictions, resampling."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")
pytestmark = pytest.mark.r
FIXTURES = Path(__file__).parents[1] / "fixtures"
LIBRARY = Path(__file__).parents[2] / ".r-library"
ENVIRONMENT = {**os.environ, "R_LIBS": str(LIBRARY), "RETICULATE_PYTHON": sys.executable}

MODELS = (
    ("inv ~ value + capital", None),
    ("inv ~ value + capital | firm + year", "value"),
    ("inv ~ capital + net(value, year, size=2) | firm", None),
    ("inv ~ capital + net(value, size=1) + net(year, size=1)", "w"),
)
IN_R = """
library(matbn)
given <- commandArgs(TRUE)
data <- read.csv(given[1])
data$w <- (seq_len(nrow(data)) %% 4) / 2 # rows of weight 0 among them
all_of <- function(x) lapply(as.list(x), unname)
measured <- function(formula, weights) {
  given <- list(as.formula(formula), data, weights = str2lang(weights), penalty = 1e-3, starts = 2, seed = 1)
  fit <- do.call(matbn, given)
  log_likelihood <- logLik(fit)
  intervals <- predict(fit, data[1:5, ], se.fit = TRUE, interval = "prediction", vcov = "HC2")
  draws <- bootstrap(fit, replicates = 20, seed = 3)
  validated <- cross_validate(fit, folds = 3, starts = 1, seed = 2)
  list(
    glance = all_of(generics::glance(fit)),
    tidy = all_of(generics::tidy(fit, conf.int = TRUE, vcov = ~firm, part = "all")),
    summary = all_of(summary(fit)[c("r.squared", "rmse", "sigma", "df.residual", "logLik", "AIC", "BIC")]),
    methods = list(
      sigma = sigma(fit), df = df.residual(fit), nobs = nobs(fit), loglik = as.numeric(log_likelihood),
      parameters = attr(log_likelihood, "df"), aic = AIC(fit), bic = BIC(fit), deviance = deviance(fit)
    ),
    augment = unname(as.list(generics::augment(fit, data.frame(row = seq_along(data$inv))))[-1]),
    wald = all_of(wald_test(fit)[1:3]), effects = all_of(marginal_effects(fit)[-1]),
    dependence = all_of(partial_dependence(fit, "capital", c(100, 300), vcov = "HC3")[-1]),
    predict = c(unname(intervals$fit), unname(intervals$se.fit)),
    bootstrap = c(confint(draws, level = 0.8), sqrt(diag(vcov(draws)))),
    validation = c(validated$mse, validated$error, validated$rmse, validated$r.squared)
  )
}
found <- Map(measured, given[c(2, 4, 6, 8)], given[c(3, 5, 7, 9)])
cat(jsonlite::toJSON(found, digits = 17, na = "null", auto_unbox = TRUE))
"""


@pytest.fixture(scope="module")
def measured_in_r(tmp_path_factory):
    if not (LIBRARY / "matbn").exists() and not os.environ.get("CI"):
        pytest.skip("needs the R package in .r-library: run bin/setup")
    script = tmp_path_factory.mktemp("r") / "measures.R"
    script.write_text(IN_R)
    models = [part or "NULL" for model in MODELS for part in model]
    arguments = ["Rscript", "--vanilla", str(script), str(FIXTURES / "grunfeld.csv"), *models]
    done = subprocess.run(arguments, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("formula", "weights"), MODELS, ids=[formula for formula, _ in MODELS])
def test_r_gives_pythons_numbers(formula, weights, measured_in_r):
    r = measured_in_r[formula]
    data = pandas.read_csv(FIXTURES / "grunfeld.csv")
    data["w"] = np.arange(1, len(data) + 1) % 4 / 2
    fit = matbn.fit(formula, data, weights=weights, penalty=1e-3, starts=2, seed=1)

    def same(found, expected, rtol=1e-7):
        found = np.array([np.nan if value is None else value for value in np.ravel(np.array(found, object))], float)
        expected = np.ravel(np.asarray(expected, float))
        np.testing.assert_allclose(
            found, expected, rtol=rtol, atol=rtol * np.abs(expected[~np.isnan(expected)]).max(initial=0)
        )

    for name, value in fit.glance().iloc[0].items():
        # R and Python spell names of more than one word each in its own way.
        same({key.replace(".", "_").lower(): value for key, value in r["glance"].items()}[name], value)
    own = (fit.r_squared, fit.rmse, fit.sigma, fit.df_residual, fit.loglik, fit.aic, fit.bic)
    for found, value in zip(r["summary"].values(), own, strict=True):
        same(found, value)
    own = (fit.sigma, fit.df_residual, fit.nobs, fit.loglik, fit.degrees + 1, fit.aic, fit.bic, fit.sum_of_squares)
    for found, value in zip(r["methods"].values(), own, strict=True):
        same(found, value)
    tidy = fit.tidy("~ firm", "all")
    for found, name in zip(list(r["tidy"].values())[1:], tidy.columns[1:], strict=True):
        same(found, tidy[name], 1e-5)
    rows = fit.augment()
    for found, name in zip(r["augment"], ("_fitted", "_resid", "_hat", "_std_resid"), strict=True):
        same(found, rows[name], 1e-5)
    tests = fit.wald()
    for found, value in zip(r["wald"].values(), (tests.numerator, tests.F, tests.p), strict=True):
        same(found, value, 1e-5)
    for found, made in (
        (r["effects"], fit.marginal_effects()),
        (r["dependence"], fit.partial_dependence("capital", [100, 300], vcov="HC3")),
    ):
        for one, value in zip(found.values(), (made.estimate, made.error, made.lower, made.upper), strict=True):
            same(one, value, 1e-5)
    made = fit.get_prediction(data.iloc[:5], interval="prediction", vcov="HC2")
    same(r["predict"], np.concatenate([made.value, made.lower, made.upper, made.error]), 1e-5)
    draws = fit.bootstrap(replicates=20, seed=3)
    same(r["bootstrap"], np.concatenate([draws.interval(0.8).T.ravel(), np.sqrt(draws.covariance.diagonal())]), 1e-4)
    validated = fit.cross_validate(folds=3, starts=1, seed=2)
    same(r["validation"], [validated.mse, validated.error, validated.rmse, validated.r_squared], 1e-4)
