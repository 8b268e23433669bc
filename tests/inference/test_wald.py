"""Tests of variables and of nested fits, statistics of whole fits and data frames: beside statsmodels without nets."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from solutions import fit_at

import matbn

sm = pytest.importorskip("statsmodels.api")
smf = pytest.importorskip("statsmodels.formula.api")
pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")
from statsmodels.stats.anova import anova_lm  # noqa: E402


def data(N=120, seed=1):
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame({"x": rng.normal(size=N), "z": rng.normal(size=N), "w": rng.uniform(0.5, 2, N)})
    frame["g"], frame["id"] = rng.choice(list("abc"), N), rng.integers(12, size=N)
    frame["y"] = frame.x + np.tanh(frame.z) + (frame.g == "b") + frame.id / 5 + rng.normal(size=N)
    return frame


@pytest.mark.parametrize("vcov", ["iid", "HC1", "HC3", "~ id"])
def test_wald_tests_of_a_linear_model_are_those_of_statsmodels(vcov):
    frame = data()
    fit = matbn.fit("y ~ x*z + g", frame, weights="w")
    options = {"cov_type": vcov, "use_t": True}
    if vcov == "iid":
        options = {}
    if vcov == "~ id":
        options = {"cov_type": "cluster", "cov_kwds": {"groups": frame.id}, "use_t": True}
    peer = smf.wls("y ~ x*z + g", frame, weights=frame.w).fit(**options)
    found = fit.wald(vcov=vcov)
    assert found.names == ("x", "z", "g")
    tested = {"x": "x = 0, x:z = 0", "z": "z = 0, x:z = 0", "g": "g[T.b] = 0, g[T.c] = 0"}
    for k, name in enumerate(found.names):
        expected = peer.f_test(tested[name])
        assert found.F[k] == pytest.approx(float(expected.fvalue), rel=1e-9)
        assert found.numerator[k] == expected.df_num
        df = 11 if vcov == "~ id" else peer.df_resid
        assert found.df == pytest.approx(df)
        assert found.p[k] == pytest.approx(stats.f.sf(found.F[k], expected.df_num, df), rel=1e-9)


def test_a_variable_is_tested_through_all_terms_and_nodes():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, log(w), x, size=2) | id", frame, penalty=1e-3, starts=3)
    V = fit.vcov("HC1", part="all")
    estimate = fit.table("HC1", part="all").estimate
    found = fit.wald(["x", "w"], vcov="HC1")
    for k, columns in enumerate((["A[x,1]", "A[x,2]", "x"], ["A[log(w),1]", "A[log(w),2]"])):
        at = [V.names.index(name) for name in columns]
        F = estimate[at] @ np.linalg.solve(V.matrix[np.ix_(at, at)], estimate[at]) / len(at)
        assert found.F[k] == pytest.approx(F, rel=1e-8)
        assert found.numerator[k] == len(at)
    with pytest.raises(matbn.ArgumentError, match="variable is 'id', but must be one of 'x', 'z', 'w'"):
        fit.wald(["id"])
    arrays = matbn.fit(frame.y, nets=matbn.net(frame[["z", "x"]], 2), linear=frame[["x"]], penalty=1e-3, starts=3)
    assert arrays.wald().names == ("z", "x")
    assert arrays.wald("x").numerator[0] == 3


def test_wald_tests_keep_their_level_where_an_input_has_no_effect():
    rng = np.random.default_rng(5)
    p = []
    for _ in range(150):
        Z = rng.normal(size=(200, 2))
        y = np.tanh(1.5 * Z[:, 0] + 0.5) + rng.normal(size=200) / 4
        p.append(matbn.fit(y, nets=matbn.net(Z, 1), penalty=0.0, starts=1, tolerance=1e-5).wald(["net2"]).p[0])
    below = np.mean(np.array(p) < 0.1)
    assert 0.05 < below < 0.17  # 0.1, with a Monte-Carlo error of 0.025
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_nested_fits_are_compared_as_statsmodels_does():
    frame = data()
    formulas = ["y ~ x", "y ~ x + z", "y ~ x*z + g"]
    found = matbn.anova(*(matbn.fit(formula, frame, weights="w") for formula in formulas))
    expected = anova_lm(*(smf.wls(formula, frame, weights=frame.w).fit() for formula in formulas))
    np.testing.assert_allclose(found.df_residual, expected.df_resid)
    np.testing.assert_allclose(found.sum_of_squares, expected.ssr, rtol=1e-10)
    np.testing.assert_allclose(found.F[1:], expected.F[1:], rtol=1e-9)
    assert found.p[2] == pytest.approx(expected["Pr(>F)"][2], rel=1e-9)
    assert found.p[1] == pytest.approx(stats.f.sf(expected.F[1], 1, expected.df_resid[2]), rel=1e-9)  # as R has it
    assert not found.notes
    lines = str(found).splitlines()
    assert lines[0].split() == ["df", "residual", "sum", "of", "squares", "df", "difference", "F", "p"]
    assert len(lines) == 4
    net = matbn.fit("y ~ x + net(z, size=2)", frame, weights="w", penalty=1e-3, starts=2)
    with_net = matbn.anova(matbn.fit("y ~ x", frame, weights="w"), net)
    assert "have 0 and 2 nodes: p is not a test's" in with_net.notes[0]


def test_fits_that_cannot_be_compared_are_refused():
    frame = data()
    fit = matbn.fit("y ~ x", frame)
    with pytest.raises(matbn.ArgumentError, match="two fits or more"):
        matbn.anova(fit)
    with pytest.raises(matbn.ElementTypeError, match=r"fits\[1\] is a str"):
        matbn.anova(fit, "y ~ x")
    with pytest.raises(matbn.ArgumentError, match=r"fits\[1\] is to other outcomes, rows or weights"):
        matbn.anova(fit, matbn.fit("y ~ x", frame[:50]))
    with pytest.raises(matbn.ArgumentError, match=r"fits\[1\] is to other outcomes, rows or weights"):
        matbn.anova(fit, matbn.fit("y ~ x", frame, weights="w"))


@pytest.mark.parametrize("weights", [None, "w"])
def test_statistics_and_data_frames_are_those_of_statsmodels(weights):
    frame = data()
    fit = matbn.fit("y ~ x + g", frame, weights=weights)
    peer = smf.wls("y ~ x + g", frame, weights=1.0 if weights is None else frame.w).fit()
    glance = fit.glance().iloc[0]
    expected = {
        "r_squared": peer.rsquared, "sigma": np.sqrt(peer.scale), "loglik": peer.llf, "aic": peer.aic + 2,
        "bic": peer.bic + np.log(120), "deviance": peer.ssr, "df_residual": peer.df_resid, "edf": 4, "nobs": 120,
    }  # fmt: skip
    for name, value in expected.items():  # the errors' variance counts as a parameter, as in R
        assert glance[name] == pytest.approx(value, rel=1e-10), name
    tidy = fit.tidy()
    assert list(tidy.term) == ["(Intercept)", "x", "g[T.b]", "g[T.c]"]
    np.testing.assert_allclose(tidy.estimate, peer.params.iloc[[0, 3, 1, 2]], rtol=1e-9)
    np.testing.assert_allclose(tidy.std_error, peer.bse.iloc[[0, 3, 1, 2]], rtol=1e-9)
    np.testing.assert_allclose(tidy.p_value, peer.pvalues.iloc[[0, 3, 1, 2]], rtol=1e-7)
    rows = fit.augment()
    influence = sm.OLS(peer.model.wendog, peer.model.wexog).fit().get_influence()
    np.testing.assert_allclose(rows._fitted, peer.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(rows._hat, influence.hat_matrix_diag, rtol=1e-9)
    np.testing.assert_allclose(rows._std_resid, influence.resid_studentized_internal, rtol=1e-8)
    assert list(rows.columns[: len(frame.columns)]) == list(frame.columns)


def test_bounds_by_name_and_what_is_not_identified():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, size=2) | id", frame, penalty=1e-3, starts=2)
    table = fit.table("HC1", part="all", level=0.9)
    bounds = fit.confint(["A[z,1]", "x"], 0.9, "HC1", part="all")
    for name, (lower, upper) in bounds.items():
        k = table.names.index(name)
        assert (lower, upper) == (table.lower[k], table.upper[k])
    for part in ("Gamma1", "gamma", "beta"):
        with pytest.raises(matbn.ArgumentError, match=f"part '{part}' is not identified.*folded weights"):
            fit.vcov(part=part)
    with pytest.raises(matbn.ArgumentError, match=r"'gamma\[1\]' is not identified"):
        fit.confint(["gamma[1]"])
    with pytest.raises(matbn.ArgumentError, match="name is 'q', but must be one of 'x'"):
        fit.confint(["q"])


def test_a_rectifiers_scale_and_dead_nodes_are_refused_but_effects_are_not():
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(150, 2))
    y = np.maximum(Z[:, 0] + 0.3, 0) + rng.normal(size=150) / 5
    fit = matbn.fit(y, nets=matbn.net(Z, 1), activation="relu", penalty=1e-6, starts=3)
    with pytest.raises(matbn.ArgumentError, match=r"rank 4 of 5\): with relu a node's scale may pass"):
        fit.vcov(part="nets")
    assert fit.marginal_effects().error[0] > 0
    assert fit.vcov().errors["(Intercept)"] > 0


def test_more_nodes_than_the_data_determine_have_no_errors_without_a_penalty():
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(60, 1))
    y = np.tanh(2 * Z[:, 0]) + rng.normal(size=60) / 5
    one = matbn.fit(y, nets=matbn.net(Z, 1), penalty=0.0, starts=1)
    theta = np.repeat(one.theta.reshape(2, 1), 2, axis=1).ravel()  # a copy of the node
    copied = matbn.Fit.of(fit_at(replace(one.design, terms=(matbn.net(Z, 2),)), one.options, theta))
    with pytest.raises(matbn.ArgumentError, match=r"rank 4 of 7.*nodes whose output is 0 or that copy others"):
        copied.vcov(part="nets")
    np.testing.assert_allclose(copied.get_prediction().error, one.get_prediction().error, rtol=1e-6)
    np.testing.assert_allclose(copied.marginal_effects().error, one.marginal_effects().error, rtol=1e-6)


def test_the_summary_tells_it_all():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, size=2) | id", frame, penalty=1e-3, starts=2)
    text = fit.summary("~ id")
    for part in (
        "Wald tests that a variable has no effect", "AIC", "groups: 12 of id", "clustered by id (sandwich)",
        "the data determine 7 of 7 parameters", f"{fit.loglik:.6g}",
    ):  # fmt: skip
        assert part in text
    assert "no standard errors: the model has as many" in matbn.fit(frame.y[:3], linear=frame[["x", "z"]][:3]).summary()
    from_text = matbn.Fit.from_json(fit.to_json())
    assert "Wald" not in from_text.summary()
    assert from_text.aic == pytest.approx(fit.aic)


def test_errors_that_would_take_too_much_memory_are_refused(monkeypatch):
    monkeypatch.setattr("matbn.inference.request.MOST_NUMBERS", 500)
    fit = matbn.fit("y ~ x + net(z, size=2) | id", data(), penalty=1e-3, starts=2)
    with pytest.raises(matbn.ArgumentError, match="standard errors would take 840 derivatives of 120 fitted values"):
        fit.vcov()
    assert "no standard errors: standard errors would take" in fit.summary()


def test_a_node_that_the_penalty_has_switched_off_leaves_the_linear_part_its_errors():
    rng = np.random.default_rng(9)
    frame = pandas.DataFrame({"x": rng.normal(size=200), "id": rng.integers(20, size=200)})
    frame["y"] = frame.x + rng.normal(size=200)
    fit = matbn.fit("y ~ x + net(x, size=2) | id", frame, penalty=1.0, starts=2)
    assert np.abs(fit.nets[0].Gamma2).max() < 1e-4  # as good as a straight line
    straight = matbn.fit("y ~ x | id", frame)
    for vcov in ("iid", "HC1", "~ id"):
        assert fit.vcov(vcov).errors["x"] == pytest.approx(straight.vcov(vcov).errors["x"], rel=1e-3)
    with pytest.raises(matbn.ArgumentError, match=r"not identified: A.* nodes whose output is 0"):
        fit.vcov(part="nets")
    assert "errors iid" in fit.summary()
