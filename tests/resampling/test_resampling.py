"""Cross-validation compared with scikit-learn and by hand, choices, and the bootstrap compared with copies of rows."""

from dataclasses import replace

import numpy as np
import pytest
from solutions import fit_at

import matbn
from matbn.fitting.refit import start_of
from matbn.model.design import some_rows
from matbn.model.formula import parse, with_size
from matbn.problem.coordinates import theta_for_other_rows
from matbn.random_streams import Stream, generator

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


def data(N=160, seed=4):
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame({"x": rng.normal(size=N), "z": rng.normal(size=N), "w": rng.uniform(0.5, 2, N)})
    frame["g"], frame["id"], frame["year"] = (
        rng.choice(list("ab"), N),
        rng.integers(16, size=N),
        rng.integers(8, size=N),
    )
    frame["y"] = frame.x + np.tanh(2 * frame.z) + frame.id / 5 + rng.normal(size=N) / 3
    return frame


def test_folds_of_a_linear_model_are_predicted_as_scikit_learn_does():
    linear_model = pytest.importorskip("sklearn.linear_model")
    selection = pytest.importorskip("sklearn.model_selection")
    frame = data()
    fit = matbn.fit("y ~ x + z", frame, weights="w")
    found = fit.cross_validate(folds=4, seed=3)
    expected = selection.cross_val_predict(
        linear_model.LinearRegression(), frame[["x", "z"]], frame.y, cv=selection.PredefinedSplit(found.fold),
        params={"sample_weight": frame.w},
    )  # fmt: skip
    np.testing.assert_allclose(found.predictions, expected, rtol=1e-9)
    errors = np.square(frame.y - expected)
    assert found.mse == pytest.approx(np.average(errors, weights=frame.w))
    by_fold = [np.average(errors[found.fold == k], weights=frame.w[found.fold == k]) for k in range(4)]
    np.testing.assert_allclose(found.by_fold, by_fold)
    assert found.error == pytest.approx(np.std(by_fold, ddof=1) / 2)
    assert np.bincount(found.fold).tolist() == [40, 40, 40, 40]
    assert f"{found.rmse:.6g}" in str(found)


def test_groups_stay_together_and_time_goes_ahead():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, size=2)", frame, penalty=1e-3, starts=2)
    by_group = fit.cross_validate(by="id", starts=1)
    assert (pandas.Series(by_group.fold).groupby(frame.id).nunique() == 1).all()
    ahead = fit.cross_validate(time="year", folds=3, starts=1)
    assert (ahead.fold[frame.year < 2] == -1).all()
    assert np.isnan(ahead.predictions[frame.year < 2]).all()
    last = matbn.fit("y ~ x + net(z, size=2)", frame[frame.year < 6], penalty=fit.penalty, starts=5)
    np.testing.assert_allclose(ahead.predictions[frame.year >= 6], last.predict(frame[frame.year >= 6]), atol=1e-4)
    labels = fit.cross_validate(by=frame.id.astype(str), starts=1)
    assert (pandas.Series(labels.fold).groupby(frame.id).nunique() == 1).all()


def test_effects_of_groups_that_are_left_out():
    frame = data()
    fit = matbn.fit("y ~ x + z | id", frame)
    within = fit.cross_validate(by="id", unseen="estimate")
    average = fit.cross_validate(by="id", unseen="average")
    assert average.mse > 2 * within.mse
    k = 7
    rest = matbn.fit("y ~ x + z | id", frame[within.fold != within.fold[k]])
    others = frame[(frame.id == frame.id[k]) & (frame.index != k)]
    slopes = np.array([rest.coef["x"], rest.coef["z"]])
    effect = (others.y - others[["x", "z"]] @ slopes).mean()
    assert within.predictions[k] == pytest.approx(frame.loc[k, ["x", "z"]].astype(float) @ slopes + effect, rel=1e-9)
    plain = fit.cross_validate()
    assert plain.rmse == pytest.approx(within.rmse, rel=0.1)


def test_a_solution_is_the_same_function_on_other_rows():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, x, size=3)", frame, penalty=1e-3, starts=1)
    some = some_rows(fit.design, np.arange(fit.N) < 100)
    start = start_of(fit)
    posed = start_of(replace(fit, design=some)).posed
    there = fit_at(some, fit.options, theta_for_other_rows(fit.theta, start.posed, posed))
    for mine, other in zip(fit.nets[0].A.T, there.nets[0].A.T, strict=True):
        np.testing.assert_allclose(np.abs(mine), np.abs(other), rtol=1e-9)
    np.testing.assert_allclose(np.abs(fit.nets[0].c), np.abs(there.nets[0].c), rtol=1e-8)


def test_bad_requests_of_cross_validation():
    frame = data()
    fit = matbn.fit("y ~ x + z | id", frame)
    with pytest.raises(matbn.ArgumentError, match="by and time are both given"):
        fit.cross_validate(by="id", time="year")
    with pytest.raises(matbn.ArgumentError, match="'q' is neither a column nor an effect"):
        fit.cross_validate(by="q")
    with pytest.raises(matbn.ArgumentError, match="one group only"):
        fit.cross_validate(by=np.zeros(160))
    with pytest.raises(matbn.ShapeError, match="'by' has shape"):
        fit.cross_validate(by=[1, 2])
    with pytest.raises(matbn.MatbnError, match="folds is 1"):
        fit.cross_validate(folds=1)
    with pytest.raises(matbn.ArgumentError, match="unseen is 'error', but must be one of 'average'"):
        fit.cross_validate(unseen="error")
    with pytest.raises(matbn.ArgumentError, match="came from JSON"):
        matbn.Fit.from_json(fit.to_json()).cross_validate()


def test_the_size_that_made_the_data_is_chosen():
    rng = np.random.default_rng(8)
    frame = pandas.DataFrame({"x": rng.uniform(-3, 3, 400), "id": rng.integers(40, size=400)})
    frame["y"] = np.tanh(3 * frame.x - 3) - np.tanh(3 * frame.x + 3) + frame.id / 9 + rng.normal(size=400) / 5
    fit = matbn.fit("y ~ net(x, size = 1) | id", frame, penalty=1e-4, starts=3)
    for options in ({"criterion": "bic"}, {"by": "id", "unseen": "estimate"}):
        found = fit.choose(sizes=[1, 2, 5], penalties=[1e-4, 1e-1], **options)
        assert found.sizes[np.argmin(found.scores)] in (2, 5)
        assert found.fit.recipe.formula.text == f"y ~ net(x, size = {len(found.fit.nets[0].gamma)}) | id"
        assert found.fit.penalty == 1e-4
        assert "<-" in str(found)
        np.testing.assert_allclose(found.fit.predict(frame), found.fit.fitted, rtol=1e-8)
        if "criterion" in options:
            assert found.scores.min() == pytest.approx(found.fit.bic, rel=1e-4)
            assert found.sizes[np.argmin(found.scores)] == 2
    only = fit.choose(penalties=[1e-4, 1e-2])
    assert np.isnan(only.sizes).all()
    with pytest.raises(matbn.ArgumentError, match="has no net"):
        matbn.fit("y ~ x", frame).choose([1, 2])
    with pytest.raises(matbn.ArgumentError, match="has a mask"):
        matbn.fit(frame.y, nets=matbn.net(frame[["x", "id"]], 1, mask=[[1], [0]])).choose([1, 2])
    with pytest.raises(matbn.ArgumentError, match="criterion is 'aic', but must be one of 'cv', 'bic'"):
        fit.choose([1, 2], criterion="aic")


def test_other_sizes_keep_what_else_stands_in_the_formula():
    formula = with_size(parse("log(y) ~ x + net(poly(z, 2), w, size=k, label='size = 3') + net(v, size = 2) | id"), 7)
    assert formula.text == "log(y) ~ x + net(poly(z, 2), w, size = 7, label = 'size = 3') + net(v, size = 7) | id"


@pytest.mark.parametrize("by", [None, "id"])
def test_replicates_are_fits_to_copies_of_rows_and_groups(by):
    frame = data(60)
    fit = matbn.fit("y ~ x + net(z, size=1) | id", frame, penalty=1e-3, starts=2)
    found = fit.bootstrap(lambda one: [one.coef["x"], one.r_squared, one.weight], 2, by=by, seed=9)
    groups = np.arange(60) if by is None else pandas.factorize(frame.id)[0]
    count = groups.max() + 1
    drawn = generator(9, Stream.REPLICATES, 0).integers(count, size=count)
    copies = [frame[groups == g].assign(id=[f"{k}-{i}" for i in frame.id[groups == g]]) for k, g in enumerate(drawn)]
    rows = pandas.concat(copies)
    if by is None:
        rows["id"] = rows.id.str.partition("-")[2]
    direct = matbn.fit("y ~ x + net(z, size=1) | id", rows, penalty=1e-3, starts=5)
    np.testing.assert_allclose(found.draws[0], [direct.coef["x"], direct.r_squared, len(rows)], rtol=2e-5)
    assert found.groups == count
    assert found.estimate[0] == fit.coef["x"]


def test_errors_of_the_bootstrap_are_those_of_the_sandwich():
    frame = data(400)
    fit = matbn.fit("y ~ x + net(z, size=1) | id", frame, penalty=1e-4, starts=2)
    found = fit.bootstrap(replicates=400, by="id")
    assert found.names == ("x", "effect of x", "effect of z")
    delta = np.r_[fit.vcov("~ id").errors["x"], fit.marginal_effects(vcov="~ id").error]
    np.testing.assert_allclose(found.error, delta, rtol=0.25)  # 16 groups
    np.testing.assert_allclose(np.sqrt(found.covariance.diagonal()), found.error, rtol=1e-10)
    rows = fit.bootstrap(lambda one: one.predict(frame[:5]), 300)
    noise = 1 / np.sqrt(2 * 300)
    np.testing.assert_allclose(rows.error, fit.get_prediction(frame[:5], vcov="HC3").error, rtol=5 * noise)
    lower, upper = found.interval(0.9).T
    assert ((lower < found.estimate) & (found.estimate < upper)).all()
    assert "400 replicates of 16 drawn" in str(found)


def test_draws_depend_on_the_seed_only(monkeypatch):
    fit = matbn.fit("y ~ x + net(z, size=1)", data(), penalty=1e-3, starts=1)
    found = fit.bootstrap(replicates=6, seed=5)
    monkeypatch.setattr("matbn.resampling.bootstrap.default_threads", lambda: 1)
    np.testing.assert_allclose(fit.bootstrap(replicates=6, seed=5).draws, found.draws, rtol=1e-9)
    assert (fit.bootstrap(replicates=6, seed=6).draws != found.draws).all()


def test_statistics_that_cannot_be_used():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, size=1) | id", frame, penalty=1e-3, starts=1)
    with pytest.raises(matbn.ArgumentError, match="statistic is a str, but must be a function"):
        fit.bootstrap("coef", 5)
    with pytest.raises(matbn.ArgumentError, match="must return a number or a vector of numbers"):
        fit.bootstrap(lambda one: one.coef, 5)
    with pytest.raises(matbn.ArgumentError, match="vectors of different lengths"):
        fit.bootstrap(lambda one: one.residuals, 5)
    with pytest.raises(matbn.MatbnError, match="replicates is 1"):
        fit.bootstrap(replicates=1)
    some = fit.bootstrap(lambda one: one.predict(frame[:1]), 40, by="id")  # the group is not always drawn
    assert 5 < some.failed < 30
    assert np.isfinite(some.error).all()


def test_long_bootstraps_show_a_bar(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    from matbn.search import progress

    monkeypatch.setattr(progress, "_FIRST", 0.0)
    fit = matbn.fit("y ~ x + z", data())
    fit.bootstrap(replicates=30, progress=True)
    assert "bootstrap: " in capsys.readouterr().err
