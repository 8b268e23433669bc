"""Errors and intervals of predictions: beside statsmodels without a net, beside refits to changed outcomes with one."""

import numpy as np
import pytest
from scipy import stats

import matbn
from matbn.fitted.prediction import new_rows
from matbn.fitted.unseen_groups import codes_of
from matbn.inference.predictions import NewRows, influence_on
from matbn.inference.request import checked_linearisation

sm = pytest.importorskip("statsmodels.api")
pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


def panel(N=150, seed=1):
    rng = np.random.default_rng(seed)
    data = pandas.DataFrame({"x": rng.normal(size=N), "z": rng.normal(size=N), "w": rng.uniform(0.5, 2, N)})
    data["id"], data["year"] = rng.integers(12, size=N), rng.integers(5, size=N)
    data["y"] = data.x + np.tanh(2 * data.z) + data.id / 5 + data.year / 3 + rng.normal(size=N) / 3
    return data


KINDS = {"iid": ("nonrobust", {}), "HC1": ("HC1", {}), "HC3": ("HC3", {})}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("effects", [(), ("id",), ("id", "year")])
def test_linear_predictions_have_the_errors_that_statsmodels_finds(effects, kind):
    data = panel()
    bar = f" | {' + '.join(effects)}" if effects else ""
    fit = matbn.fit(f"y ~ x + z{bar}", data, weights="w")
    dummies = [pandas.get_dummies(data[name], drop_first=True, prefix=name, dtype=float) for name in effects]
    X = sm.add_constant(pandas.concat([data[["x", "z"]], *dummies], axis=1))
    peer = sm.WLS(data.y, X, weights=data.w).fit(cov_type=KINDS[kind][0], use_t=True)
    expected = peer.get_prediction(X.iloc[:20]).summary_frame(alpha=0.1)
    found = fit.get_prediction(data[:20], vcov=kind, level=0.9)
    np.testing.assert_allclose(found.value, expected["mean"], rtol=1e-9)
    np.testing.assert_allclose(found.error, expected["mean_se"], rtol=1e-8)
    np.testing.assert_allclose(found.lower, expected["mean_ci_lower"], rtol=1e-7)
    if kind == "iid":
        new = fit.get_prediction(data[:20], interval="prediction", level=0.9)
        assert ((new.upper - new.value) > (found.upper - found.value)).all()
        half = stats.t.ppf(0.95, peer.df_resid) * np.sqrt(expected["mean_se"] ** 2 + peer.scale)
        np.testing.assert_allclose(new.upper - new.value, half, rtol=1e-8)
    own = fit.get_prediction(vcov=kind)
    np.testing.assert_allclose(own.error[:20], found.error, rtol=1e-9)


@pytest.mark.parametrize("effects", ["", " | id", " | id + year"])
def test_predictions_of_nets_move_with_the_outcomes_as_the_errors_say(effects):
    data = panel()
    options = {"penalty": 1e-3, "tolerance": 1e-10, "starts": 1, "seed": 2}
    fit = matbn.fit(f"y ~ x + net(z, size=1){effects}", data, weights="w", **options)
    assert fit.converged
    new = new_rows(fit, data[:5], (), None, None)
    groups = [codes_of(effect, new.effects, 5) for effect in fit.effects]
    # Gauss and Newton leave out the residuals' curvature: compare at a fit without residuals.
    exact = data.assign(y=fit.fitted)
    options["penalty"] = 1e-9
    base = matbn.fit(f"y ~ x + net(z, size=1){effects}", exact, weights="w", **options)
    linearisation = checked_linearisation(base)
    influence = influence_on(linearisation, NewRows(new.inputs, new.linear, np.array(groups, int).reshape(-1, 5).T))
    order = np.argsort(linearisation.posed.order)
    for row in (3, 40, 77):
        h = 1e-4
        changed = exact.assign(y=exact.y + h * (np.arange(len(exact)) == row))
        refit = matbn.fit(f"y ~ x + net(z, size=1){effects}", changed, weights="w", **options)
        numeric = (refit.predict(data[:5]) - base.predict(data[:5])) / h
        np.testing.assert_allclose(influence[:, order[row]] * np.sqrt(data.w[row]), numeric, atol=2e-3)


def test_groups_that_were_not_seen():
    data = panel()
    fit = matbn.fit("y ~ x + z | id + year", data)
    new = data[:3].assign(id=99)
    with pytest.raises(matbn.ArgumentError, match="unseen='average' or 'zero' predicts them"):
        fit.predict(new)
    zero, average = fit.predict(new, unseen="zero"), fit.predict(new, unseen="average")
    effect = next(effect for effect in fit.effects if effect.name == "id")
    np.testing.assert_allclose(average - zero, effect.estimates[data.id].mean(), rtol=1e-10)
    assert np.isfinite(fit.get_prediction(new, unseen="zero").error).all()
    with pytest.raises(matbn.ArgumentError, match="interval is 'both'"):
        fit.get_prediction(data, interval="both")
    with pytest.raises(matbn.ArgumentError, match="level is 95"):
        fit.get_prediction(data, level=95)
