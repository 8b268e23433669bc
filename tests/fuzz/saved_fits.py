"""Fits of all kinds as JSON, and the rule that a damaged text must keep."""

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import matbn

# Where a text may differ and predictions with it; everywhere else they stay the same to the last digit.
_PREDICTING = re.compile(
    r"(nets\.\d+\.(Gamma1|gamma|beta|Gamma2|mean)|coefficients|effects|effects\.\d+\.(levels|estimates|average)|activation"
    r"|recipe\.specs\.\d+\.(transforms|factors))(\.|$)"
)


@dataclass(frozen=True)
class Saved:
    """A fit's text, how it predicts, and what."""

    name: str
    text: str
    predict: Callable[[matbn.Fit], np.ndarray]
    predicted: np.ndarray


def saved_fits() -> list[Saved]:
    """Return fits of linear models, nets, effects, factors, splines, masks, several nets and weights."""
    import pandas

    rng = np.random.default_rng(31)
    N = 36
    data = pandas.DataFrame({"x": rng.uniform(1, 3, N), "z": rng.normal(size=N), "g": rng.choice(list("abc"), N)})
    data["id"], data["w"], data["my var"] = rng.integers(4, size=N), rng.uniform(1, 2, N), rng.normal(size=N)
    data["y"] = np.log(data.x) + np.tanh(data.z) + (data.g == "b") + rng.normal(size=N) / 5
    new = data.iloc[4:12].drop(columns="y")
    formulas = (
        "y ~ x + z",
        "y ~ poly(x, 2) + bs(z, df=4) + C(g, Sum)",
        "y ~ scale(x) * g + {z + 1} + `my var` | id",
        "y ~ cs(x, df=4, constraints='center') + net(z, g, size=2)",
        "log(y + 9) ~ net(center(z), x, size=2) + net(poly(x, 2), size=1) | id + g",
    )
    found = []
    for formula in formulas:
        weights = "w" if "id" in formula else None
        fit = _quietly(formula, data, penalty="gcv" if "cs(" in formula else 0.01, starts=2, weights=weights)
        found.append(_saved(formula, fit, lambda fit: fit.predict(new, unseen="average")))
    Z, labels = data[["x", "z"]].to_numpy(), np.array(["2020-01-01", "2021-06-01"], "M8[D]")[data.id % 2]
    linear = np.column_stack([Z[:, 0], 2 * Z[:, 0]])
    net = matbn.net(Z, 2, mask=[[1, 1], [0, 1]])
    fit = _quietly(data.y, nets=net, linear=linear, effects=labels, penalty=0.01, starts=2, activation="softplus")
    arrays = {"inputs": [Z[:8]], "linear": linear[:8], "effects": labels[:8], "unseen": "average"}
    return [*found, _saved("arrays", fit, lambda fit: fit.predict(**arrays))]


def _quietly(*arguments: Any, **options: Any) -> matbn.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)
        return matbn.fit(*arguments, **options)


def _saved(name: str, fit: matbn.Fit, predict: Callable[[matbn.Fit], np.ndarray]) -> Saved:
    return Saved(name, fit.to_json(), predict, predict(fit))


def judged(saved: Saved, text: str) -> str:
    """Return how a damaged text ended, "refused", "refused to predict", "predicts otherwise" or "the same".

    An AssertionError tells of one that ended in any other way: with an error that is not the family's or does not say
    where, as a fit that holds something else than the text, or with other predictions where none may change.
    """
    try:
        fit = matbn.Fit.from_json(text)
    except matbn.MatbnError as error:
        if re.match(r"text(: [\w(]| is | nests )", str(error)):
            return "refused"
        raise AssertionError(f"the error does not say where: {error}") from error
    differing = _differences(json.loads(text), json.loads(fit.to_json()))
    assert not differing, f"the fit holds something else than its text at {differing}"
    try:
        with np.errstate(all="ignore"):
            predicted = saved.predict(fit)
    except matbn.MatbnError:
        return "refused to predict"
    if np.array_equal(predicted, saved.predicted, equal_nan=True):
        return "the same"
    changed = _differences(json.loads(saved.text), json.loads(text))
    assert any(map(_PREDICTING.match, changed)), f"predictions differ, but the texts do at {changed}"
    return "predicts otherwise"


def _differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two contents of JSON differ, up to how the same number or width of texts is written."""
    if isinstance(one, dict) and isinstance(other, dict):
        one, other = _without_width(one), _without_width(other)
        if one.keys() != other.keys():
            return [path]
        return [found for key in one for found in _differences(one[key], other[key], f"{path}.{key}".lstrip("."))]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for k, (a, b) in pairs for found in _differences(a, b, f"{path}.{k}")]
    if type(one) in (int, float) and type(other) in (int, float):
        return [] if float(one) == float(other) else [path]
    return [] if (type(one) is type(other) and one == other) or {str(one), str(other)} == {"None", "nan"} else [path]


def _without_width(content: dict[str, Any]) -> dict[str, Any]:
    dtype = content.get("dtype")
    return (
        {**content, "dtype": re.sub(r"^[<>]", "<", re.sub(r"U\d+$", "U", dtype))} if isinstance(dtype, str) else content
    )
