"""Effects of groups that the fit has not seen, from their outcomes: against computations by hand and a textbook."""

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


def data(N=150, seed=4):
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame({"x": rng.normal(size=N), "z": rng.normal(size=N)})
    frame["id"], frame["year"] = rng.integers(10, size=N), rng.integers(4, size=N)
    frame["y"] = frame.x + np.tanh(2 * frame.z) + frame.id / 5 + rng.normal(size=N) / 3
    return frame


def new(seed=5):
    frame = data(8, seed)
    frame["id"] = [77, 77, 77, 88, 88, 3, 77, 88]
    frame.loc[[6, 7], "y"] = np.nan  # predicted from the other rows of their groups
    return frame


def test_the_effect_is_the_mean_of_what_is_left():
    fit = matbn.fit("y ~ x + net(z, size=2) | id + year", data(), penalty=1e-3, starts=2)
    rows = new()
    estimated, zero = fit.predict(rows, unseen="estimate"), fit.predict(rows, unseen="zero")
    for group in (77, 88):
        here = (rows.id == group).to_numpy()
        known = here & rows.y.notna().to_numpy()
        np.testing.assert_allclose(estimated[here] - zero[here], (rows.y - zero)[known].mean(), rtol=1e-12)
    assert estimated[5] == zero[5]
    np.testing.assert_allclose(fit.predict(rows.drop(columns="y"), outcomes=rows.y, unseen="estimate"), estimated)
    again = matbn.Fit.from_json(fit.to_json())
    np.testing.assert_allclose(again.predict(rows, unseen="estimate"), estimated, rtol=1e-12)


def test_errors_of_a_linear_model():
    fit = matbn.fit("y ~ x + z | id", data())
    rows = new()
    prediction = fit.get_prediction(rows, unseen="estimate", interval="prediction")
    V = fit.vcov().matrix
    X = rows[["x", "z"]].to_numpy()
    for group, n in ((77, 3), (88, 2)):
        here = (rows.id == group).to_numpy()
        off = X[here] - X[here & rows.y.notna().to_numpy()].mean(axis=0)
        variance = np.einsum("ij,jk,ik->i", off, V, off) + fit.sigma**2 / n
        np.testing.assert_allclose(prediction.error[here], np.sqrt(variance), rtol=1e-9)
    half = (prediction.upper - prediction.lower) / 2
    assert (half > 1.96 * fit.sigma).all()
    known = fit.get_prediction(rows.drop(columns="y")[5:6])
    assert prediction.error[5] == pytest.approx(known.error[0], rel=1e-12)


def test_arrays_and_logarithms():
    frame, rows = data(), new()
    formula = matbn.fit("y ~ x + z | id", frame)
    arrays = matbn.fit(frame.y, linear=frame[["x", "z"]], effects=frame.id)
    of_arrays = arrays.predict(linear=rows[["x", "z"]], effects=rows.id, outcomes=rows.y, unseen="estimate")
    np.testing.assert_allclose(of_arrays, formula.predict(rows, unseen="estimate"), rtol=1e-10)
    logs = matbn.fit("log(y) ~ x | id", frame.assign(y=np.exp(frame.y)))
    of_logs = logs.predict(rows.assign(y=np.exp(rows.y)), unseen="estimate")
    left = rows.y - logs.predict(rows, unseen="zero")
    assert of_logs[0] - logs.predict(rows, unseen="zero")[0] == pytest.approx(left[:3].mean())


def test_what_cannot_be_estimated_is_refused():
    fit = matbn.fit("y ~ x + z | id + year", data())
    rows = new()
    with pytest.raises(matbn.ArgumentError, match="needs outcomes of the new groups; none are given"):
        fit.predict(rows.drop(columns="y"), unseen="estimate")
    with pytest.raises(matbn.ArgumentError, match="no outcome is known of id 88"):
        fit.predict(rows.assign(y=rows.y.where(rows.id != 88)), unseen="estimate")
    with pytest.raises(matbn.ArgumentError, match="new groups in more than one effect"):
        fit.predict(rows.assign(year=1999), unseen="estimate")
    with pytest.raises(matbn.ShapeError, match="outcomes have shape"):
        fit.predict(rows, outcomes=[1.0], unseen="estimate")
    with pytest.raises(matbn.ElementTypeError, match="outcomes are no numbers"):
        fit.predict(rows, outcomes=["a"] * 8, unseen="estimate")
    with pytest.raises(matbn.ArgumentError, match="unseen is 'guess', but must be one of"):
        fit.predict(rows, unseen="guess")
