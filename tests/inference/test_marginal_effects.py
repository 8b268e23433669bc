"""Marginal effects against differences of predictions, their errors against numeric derivatives by named parameters."""

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


def data(N=200):
    rng = np.random.default_rng(1)
    frame = pandas.DataFrame({"x": rng.uniform(1, 3, N), "z": rng.normal(size=N), "w": rng.uniform(0.5, 2, N)})
    frame["g"], frame["id"] = rng.choice(list("ab"), N), rng.integers(10, size=N)
    frame["y"] = np.log(frame.x) * 2 + np.tanh(frame.z * frame.x) + (frame.g == "b") + rng.normal(size=N) / 5
    return frame


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
@pytest.mark.parametrize("effects", ["", " | id"])
def test_effects_are_derivatives_of_predictions_through_all_terms(effects, activation):
    frame = data()
    fit = matbn.fit(
        f"y ~ g + log(x) + net(z, scale(x), size=2){effects}", frame, weights="w", penalty=1e-3, starts=2,
        activation=activation,
    )  # fmt: skip
    h = 1e-5
    for name in ("x", "z"):
        found = fit.marginal_effects([name], average=False)
        ends = [fit.predict(frame.assign(**{name: frame[name] + side * h})) for side in (1, -1)]
        np.testing.assert_allclose(found.estimate, (ends[0] - ends[1]) / (2 * h), rtol=1e-5, atol=1e-6)
        mean = fit.marginal_effects([name])
        assert mean.estimate[0] == pytest.approx(np.average(found.estimate, weights=frame.w), rel=1e-10)
        assert mean.names == (name,)
    assert fit.marginal_effects().names == ("x", "z")
    with pytest.raises(matbn.ArgumentError, match="variable is 'g', but must be one of 'x', 'z'"):
        fit.marginal_effects(["g"])


@pytest.mark.parametrize("vcov", ["iid", "HC1", "~ id"])
def test_errors_follow_from_the_covariance_of_the_parameters(vcov):
    frame = data()
    fit = matbn.fit("y ~ x + net(z, x, size=2)", frame, penalty=1e-4, starts=2)
    V = fit.vcov(vcov, part="all")
    table = fit.table(vcov, part="all")
    place = {name: k for k, name in enumerate(V.names)}

    def average(parameters, name):
        A = np.array([[parameters[place[f"A[{v},{j}]"]] for j in (1, 2)] for v in ("z", "x")])
        c = np.array([parameters[place[f"c[{j}]"]] for j in (1, 2)])
        output = np.array([parameters[place[f"Gamma2[{j}]"]] for j in (1, 2)])
        slope = 1 / np.cosh(frame[["z", "x"]].to_numpy() @ A + c) ** 2
        linear = parameters[place["x"]] if name == "x" else 0.0
        return np.mean(slope @ (A[("z", "x").index(name)] * output)) + linear

    for k, name in enumerate(("x", "z")):
        steps = 1e-6 * np.eye(len(place))
        estimate = table.estimate
        g = [(average(estimate + s, name) - average(estimate - s, name)) / 2e-6 for s in steps]
        found = fit.marginal_effects(vcov=vcov)
        assert found.names[k] == name
        assert found.estimate[k] == pytest.approx(average(estimate, name), rel=1e-8)
        assert found.error[k] == pytest.approx(np.sqrt(g @ V.matrix @ g), rel=1e-5)


def test_without_nets_effects_are_coefficients_and_arrays_have_names():
    frame = data()
    fit = matbn.fit("y ~ x + z | id", frame)
    found, table = fit.marginal_effects(), fit.table()
    np.testing.assert_allclose(found.estimate, table.estimate, rtol=1e-9)
    np.testing.assert_allclose(found.error, table.error, rtol=1e-8)
    np.testing.assert_allclose(found.upper, table.upper, rtol=1e-8)
    Z = frame[["z", "x"]]
    arrays = matbn.fit(frame.y, nets=matbn.net(Z, 1), linear=frame[["x"]], penalty=1e-3, starts=1, seed=3)
    formula = matbn.fit("y ~ x + net(z, x, size=1)", frame, penalty=1e-3, starts=1, seed=3)
    assert arrays.marginal_effects().names == ("z", "x")
    np.testing.assert_allclose(
        arrays.marginal_effects(["x", "z"]).estimate, formula.marginal_effects().estimate, rtol=1e-5
    )


def test_requests_that_make_no_sense_are_refused():
    frame = data()
    fit = matbn.fit("y ~ x + net(z, size=2) | id", frame, penalty=1e-3, starts=1)
    with pytest.raises(matbn.ArgumentError, match="there are no numeric variables"):
        fit.marginal_effects([])
    with pytest.raises(matbn.ElementTypeError, match="variables are 3, but must be names"):
        fit.marginal_effects(3)
    with pytest.raises(matbn.NotFiniteError, match="at has missing values"):
        fit.partial_dependence("z", [np.nan])
    with pytest.raises(matbn.ArgumentError, match="there is nothing to bootstrap"):
        fit.bootstrap(lambda one: np.nan, 5)
    only = matbn.fit("y ~ 1 | id", frame)
    with pytest.raises(matbn.ArgumentError, match="there is nothing to bootstrap"):
        only.bootstrap(replicates=5)
    assert not only.wald().names
    assert "penalty" not in str(only)
