"""What a fit's linearisation costs, and the parameters that it lists."""

import sys

import numpy as np
import pytest

import matbn
from matbn.inference.identified import identified_parameters, identified_values, places_of
from matbn.inference.tables import covariance_by_name
from matbn.problem import posing, profile
from matbn.rbridge.models import fit_from_r

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


@pytest.fixture
def calls(monkeypatch):
    """Count calls of functions that go through all rows, wherever they are imported."""
    counts = {}

    def counting(function):
        def counted(*arguments, **named):
            counts[function.__name__] += 1
            return function(*arguments, **named)

        return counted

    for function in (profile.solve, posing.pose):
        counts[function.__name__] = 0
        wrapped = counting(function)
        for module in [module for name, module in sys.modules.items() if name.startswith("matbn")]:
            if getattr(module, function.__name__, None) is function:
                monkeypatch.setattr(module, function.__name__, wrapped)
    return counts


def data(N=80):
    rng = np.random.default_rng(8)
    frame = pandas.DataFrame(rng.normal(size=(N, 4)), columns=["y", "x", "z", "v"])
    frame["id"] = rng.integers(8, size=N)
    return frame


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit, frame: fit.partial_dependence("z"),
        lambda fit, frame: fit.marginal_effects(average=False),
        lambda fit, frame: fit.get_prediction(frame[:9], vcov="HC1"),
        lambda fit, frame: fit.table(part="all"),
        lambda fit, frame: fit.wald(),
    ],
    ids=["partial_dependence", "marginal_effects", "get_prediction", "table", "wald"],
)
def test_each_question_poses_and_solves_once(calls, ask):
    frame = data()
    fit = matbn.fit("y ~ x + net(z, v, size=2) | id", frame, penalty=1e-2, starts=1)
    calls |= dict.fromkeys(calls, 0)
    ask(fit, frame)
    assert calls == {"solve": 1, "pose": 1}


def as_r_holds(fit, weights):
    """Return a fit as R's lists bring it, with names that Python would not allow."""
    design = fit.design
    model = {
        "y": np.array(design.y),
        "nets": [
            {"Z": t.Z, "size": float(t.size), "basis": t.basis, "mask": t.mask, "label": "net", "names": ["u", "u"]}
            for t in design.terms
        ],
        "linear": design.linear[:, int(design.intercept) :],
        "linear_names": ["x", "x"],
        "effects": [effect.codes + 1.0 for effect in design.effects],
        "weights": weights,
        "intercept": 1.0,
    }
    arrays = ("Gamma1", "gamma", "beta", "Gamma2", "mean")
    numbers = ("coefficients", "theta", "penalty", "linear_penalty", "tol", "residuals", "residual_norm", "rank", "edf")
    return model, {
        **{name: getattr(fit, name) for name in numbers},
        "nets": [{name: getattr(net, name) for name in arrays} for net in fit.nets],
        "effects": [effect.estimates for effect in fit.effects],
        "activation": fit.activation.name,
    }


@pytest.mark.parametrize("effects", ["", " | id"])
def test_a_fit_from_r_is_not_solved_again(calls, effects):
    frame = data()
    frame["w"] = np.linspace(0.5, 2, len(frame))
    fit = matbn.fit(
        f"y ~ x + v + net(z, v, size=2) + net(x, z, size=1){effects}", frame, weights="w", penalty=1e-2, starts=1
    )
    calls |= dict.fromkeys(calls, 0)
    here = fit_from_r(*as_r_holds(fit, frame.w.to_numpy()))
    assert calls == {"solve": 0, "pose": 0}
    expected, found = fit.vcov("HC1", part="all"), covariance_by_name(here, "HC1", "all", "sandwich")
    assert calls == {"solve": 2, "pose": 2}  # one each
    np.testing.assert_allclose(found.matrix, expected.matrix, rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(found.estimate, expected.estimate)
    assert found.names[:3] == ("net:A[u,1]", "net:A[u,1]", "net:c[1]")
    assert found.names[-2:] == ("x", "x")
    for name in ("sum_of_squares", "loss", "sigma", "aic", "df_residual", "nobs"):
        assert getattr(here, name) == pytest.approx(getattr(fit, name), rel=1e-12), name
    np.testing.assert_allclose(here.predict(), fit.predict(), rtol=1e-14)


def test_parameters_have_the_values_that_their_names_say():
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(60, 3))
    nets = [matbn.net(Z, 2, mask=[[1, 0], [1, 1], [0, 1]], label="n"), matbn.net(Z[:, :1], 1, label="n")]
    fit = matbn.fit(rng.normal(size=60), nets=nets, linear=Z[:, :2], penalty=1e-2, starts=1)
    values = dict(
        zip([parameter.name for parameter in identified_parameters(fit)], identified_values(fit), strict=True)
    )
    assert list(values) == [
        *("n:A[n1,1]", "n:A[n2,1]", "n:A[n3,1]", "n:c[1]", "n:A[n1,2]", "n:A[n2,2]", "n:A[n3,2]", "n:c[2]"),
        *("n:Gamma2[1]", "n:Gamma2[2]", "n.1:A[n1,1]", "n.1:c[1]", "n.1:Gamma2[1]", "(Intercept)", "x1", "x2"),
    ]
    total = values["(Intercept)"] + Z[:, :2] @ [values["x1"], values["x2"]]
    for net, p, size in (("n", 3, 2), ("n.1", 1, 1)):
        for j in range(1, size + 1):
            folded = [values[f"{net}:A[n{i},{j}]"] for i in range(1, p + 1)]
            total = total + values[f"{net}:Gamma2[{j}]"] * np.tanh(Z[:, :p] @ folded + values[f"{net}:c[{j}]"])
    np.testing.assert_allclose(total, fit.fitted, rtol=1e-9, atol=1e-12)
    places = places_of(identified_parameters(fit), {0: [1], None: [0, 2]})
    assert [list(values)[place] for place in places] == ["n:A[n2,1]", "n:A[n2,2]", "(Intercept)", "x2"]
