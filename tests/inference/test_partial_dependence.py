"""Partial dependence beside means of predictions, its errors beside linear models and named parameters."""

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
sm = pytest.importorskip("statsmodels.api")
pytest.importorskip("formulaic")


def data(N=150, seed=4):
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame({"x": rng.uniform(1, 3, N), "z": rng.normal(size=N), "w": rng.uniform(0.5, 2, N)})
    frame["g"], frame["id"] = rng.choice(list("abc"), N), rng.integers(10, size=N)
    frame["y"] = np.log(frame.x) + np.tanh(frame.z * frame.x) + (frame.g == "b") + frame.id / 5 + rng.normal(size=N) / 3
    return frame


@pytest.mark.parametrize("effects", ["", " | id"])
@pytest.mark.parametrize("variable", ["x", "g"])
def test_curves_are_means_of_predictions(effects, variable):
    frame = data()
    fit = matbn.fit(f"y ~ g + log(x) + net(z, scale(x), size=2){effects}", frame, weights="w", penalty=1e-3, starts=2)
    found = fit.partial_dependence(variable)
    assert len(found.at) == (40 if variable == "x" else 3)
    for value, estimate in zip(found.at, found.estimate, strict=True):
        predictions = fit.predict(frame.assign(**{variable: value}))
        assert estimate == pytest.approx(np.average(predictions, weights=frame.w), rel=1e-9)
    some = fit.partial_dependence(variable, found.at[1:3], vcov="HC1", level=0.9)
    np.testing.assert_allclose(some.estimate, found.estimate[1:3])
    assert (some.error != found.error[1:3]).all()


@pytest.mark.parametrize("vcov", ["iid", "HC2", "~ id"])
@pytest.mark.parametrize("effects", [(), ("id",)])
def test_errors_of_a_linear_model_are_those_of_its_mean_row(vcov, effects):
    frame = data()
    fit = matbn.fit("y ~ x + z" + (" | id" if effects else ""), frame, weights="w")
    dummies = [pandas.get_dummies(frame[name], drop_first=True, prefix=name, dtype=float) for name in effects]
    X = sm.add_constant(pandas.concat([frame[["x", "z"]], *dummies], axis=1))
    options = {"iid": {"cov_type": "nonrobust"}, "HC2": {"cov_type": "HC2"}}.get(
        vcov, {"cov_type": "cluster", "cov_kwds": {"groups": frame.id}}
    )
    peer = sm.WLS(frame.y, X, weights=frame.w).fit(**options)
    found = fit.partial_dependence("x", [1.0, 2.5], vcov=vcov)
    for k, value in enumerate((1.0, 2.5)):
        mean = np.average(X.assign(x=value), axis=0, weights=frame.w)
        assert found.estimate[k] == pytest.approx(mean @ peer.params, rel=1e-10)
        assert found.error[k] == pytest.approx(np.sqrt(mean @ peer.cov_params() @ mean), rel=1e-8)


def test_errors_follow_from_the_covariance_of_the_parameters():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, x, size=2)", frame, penalty=1e-4, starts=2)
    V, estimate = fit.vcov("HC1", part="all"), fit.table("HC1", part="all").estimate
    place = {name: k for k, name in enumerate(V.names)}

    def mean(parameters, value):
        Z = frame[["z", "x"]].assign(x=value).to_numpy()
        A = np.array([[parameters[place[f"A[{v},{j}]"]] for j in (1, 2)] for v in ("z", "x")])
        c = np.array([parameters[place[f"c[{j}]"]] for j in (1, 2)])
        output = np.array([parameters[place[f"Gamma2[{j}]"]] for j in (1, 2)])
        linear = parameters[place["(Intercept)"]] + parameters[place["x"]] * value
        return np.mean(np.tanh(Z @ A + c) @ output) + linear

    found = fit.partial_dependence("x", [1.2, 2.8], vcov="HC1")
    for k, value in enumerate((1.2, 2.8)):
        steps = 1e-6 * np.eye(len(place))
        g = np.array([(mean(estimate + s, value) - mean(estimate - s, value)) / 2e-6 for s in steps])
        assert found.error[k] == pytest.approx(np.sqrt(g @ V.matrix @ g), rel=1e-4)


def test_bad_requests():
    fit = matbn.fit("y ~ x + g | id", data())
    with pytest.raises(matbn.ArgumentError, match="variable is 'id', but must be one of 'x', 'g'"):
        fit.partial_dependence("id")
    with pytest.raises(matbn.ArgumentError, match="at has no values"):
        fit.partial_dependence("x", [])
    with pytest.raises(matbn.ArgumentError, match="level is 95"):
        fit.partial_dependence("x", level=95)
    with pytest.raises(matbn.ArgumentError, match="'g' has levels that the fit has not seen: q"):
        fit.partial_dependence("g", ["q"])


@pytest.mark.parametrize("formula", ["y ~ x + net(z, size=1) + offset(2*x)", "y ~ net(z, size=1) + offset(2*x)"])
def test_what_a_variable_does_through_the_offset_counts(formula):
    rng = np.random.default_rng(4)
    data = pandas.DataFrame({"x": rng.normal(size=50), "z": rng.normal(size=50)})
    data["y"] = 3 * data.x + np.sin(data.z) + rng.normal(size=50) / 5
    fit = matbn.fit(formula, data, penalty=1e-3, starts=1)
    means = [fit.predict(data.assign(x=value)).mean() for value in (0.0, 1.0)]
    np.testing.assert_allclose(fit.partial_dependence("x", [0.0, 1.0]).estimate, means, rtol=1e-9)
    np.testing.assert_allclose(fit.marginal_effects(["x"]).estimate, means[1] - means[0], rtol=1e-6)
    assert ("x" in fit.wald().names) == ("x +" in formula)  # an offset has no parameters to test
