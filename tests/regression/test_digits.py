"""How many digits of NIST's certified values fits keep, beside numpy and R; and what offsets and scales cost."""

import json
import math
import subprocess

import mpmath
import numpy as np
import pytest
import strd

import matbn
from matbn.problem.compensated import product
from matbn.problem.linear_part import factorise, refine_coefficients

pd = pytest.importorskip("pandas")
smf = pytest.importorskip("statsmodels.formula.api")

CERTIFIED = strd.certified()
TOL = 1e-10  # with which x^10 of Filip is kept
WANTED = dict.fromkeys(CERTIFIED, 9.0) | {"Filip": 7.0}


def frame(name):
    return pd.DataFrame(strd.columns(name)).astype(float)


def digits(estimates, name):
    """Return the least number of correct digits of the coefficients, their errors, σ and R² (absolute for zeros)."""
    by_kind = {}
    for quantity, text in CERTIFIED[name].items():
        value = float(text)
        error = abs(estimates[quantity] - value) / (abs(value) or 1)
        kind = quantity.rstrip("0123456789")
        by_kind[kind] = min(by_kind.get(kind, 16.0), 16.0 if error == 0 else -math.log10(error))
    return by_kind


def quantities(name, b, se, sigma, r_squared):
    first = name in strd.WITHOUT_INTERCEPT
    values = {f"b{k + first}": float(value) for k, value in enumerate(b)}
    values |= {f"se{k + first}": float(value) for k, value in enumerate(se)}
    return values | {"sigma": sigma, "r_squared": r_squared}


def by_formula(name):
    data = frame(name)
    fit = matbn.fit(f"y ~ {strd.right_side(name, data)}", data, tol=TOL)
    table = fit.table()
    return quantities(name, table.estimate, table.error, fit.sigma, fit.r_squared)


def by_arrays(name):
    data = frame(name)
    X = np.array(strd.matrix(name, data, float))
    intercept = name not in strd.WITHOUT_INTERCEPT
    fit = matbn.fit(data["y"], linear=X[:, 1:] if intercept else X, intercept=intercept, tol=TOL)
    return quantities(name, fit.coefficients, fit.vcov().error, fit.sigma, fit.r_squared)


def by_lstsq(name):
    data = frame(name)
    X, y = np.array(strd.matrix(name, data, float)), data["y"].to_numpy()
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    e = y - X @ b
    sigma = math.sqrt(e @ e / (len(y) - len(b)))
    se = sigma * np.sqrt(np.abs(np.linalg.pinv(X.T @ X).diagonal()))
    about = 0 if name in strd.WITHOUT_INTERCEPT else y.mean()
    return quantities(name, b, se, sigma, 1 - e @ e / ((y - about) @ (y - about)))


@pytest.mark.parametrize("name", CERTIFIED)
def test_the_certified_values_are_those_of_the_data(name):
    """Both were copied by hand: the data give each certified value again to all of its 15 digits."""
    data = strd.columns(name)
    with mpmath.workdps(60):
        X, y = mpmath.matrix(strd.matrix(name, data, mpmath.mpf)), mpmath.matrix([mpmath.mpf(v) for v in data["y"]])
        inverse = (X.T * X) ** -1
        b = inverse * (X.T * y)
        e = y - X * b
        squares = (e.T * e)[0]
        s2 = squares / (len(y) - len(b))
        centre = 0 if name in strd.WITHOUT_INTERCEPT else sum(y) / len(y)
        se = [mpmath.sqrt(s2 * inverse[k, k]) for k in range(len(b))]
        computed = quantities(name, b, se, mpmath.sqrt(s2), 1 - squares / sum((v - centre) ** 2 for v in y))
    assert set(computed) == set(CERTIFIED[name])
    for quantity, text in CERTIFIED[name].items():
        assert computed[quantity] == pytest.approx(float(text), rel=5e-15, abs=1e-40), quantity


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_sets_keep_the_digits_that_float64_allows(name, record_property):
    table = {"formula": digits(by_formula(name), name), "arrays": digits(by_arrays(name), name)}
    table["lstsq"] = digits(by_lstsq(name), name)
    for way, kept in table.items():
        print(f"{name:9} {way:8}", *(f"{kind} {value:4.1f}" for kind, value in kept.items()))
        record_property(way, kept)
    assert min(min(table[way].values()) for way in ("formula", "arrays")) >= WANTED[name]
    assert table["formula"]["b"] >= min(table["lstsq"]["b"], 13) - 0.5


LM = """
for (set in split(commandArgs(TRUE), rep(seq_len(length(commandArgs(TRUE)) / 2), each = 2))) {
  fit <- lm(as.formula(paste("y ~", set[2])), read.csv(set[1]), tol = 1e-10)
  found <- suppressWarnings(summary(fit))
  writeLines(sprintf("%a", c(found$coefficients[, 1], found$coefficients[, 2], found$sigma, found$r.squared)))
}
"""


@pytest.mark.r
def test_certified_sets_beside_lm():
    sets = []
    for name in CERTIFIED:
        sets += [str(strd.FOLDER / f"{name}.csv"), strd.right_side(name, strd.columns(name), "x^{}")]
    ran = subprocess.run(["Rscript", "--vanilla", "-e", LM, *sets], capture_output=True, text=True, check=True)
    numbers = iter(float.fromhex(line) for line in ran.stdout.split())
    for name, values in CERTIFIED.items():
        b, se = ([next(numbers) for quantity in values if quantity.startswith("b")] for _ in range(2))
        of_lm, own = digits(quantities(name, b, se, next(numbers), next(numbers)), name), digits(by_formula(name), name)
        for way, kept in (("lm", of_lm), ("matbn", own)):
            print(f"{name:9} {way:8}", *(f"{kind} {value:4.1f}" for kind, value in kept.items()))
        for kind, value in own.items():
            assert value >= min(of_lm[kind], 13) - 0.5, (name, kind)


@pytest.mark.parametrize("shape", [(3, 500, 2), (2, 7, 900), (1, 1, 1)])
def test_products_keep_twice_the_precision(shape):
    rng = np.random.default_rng(1)
    m, n, k = shape
    A, B = rng.normal(size=(m, n)), rng.normal(size=(n, k)) * 10.0 ** rng.integers(-6, 6, (n, 1))
    A[0, -1] = 0
    high, low = product(A, B)
    with mpmath.workdps(60):
        exact = mpmath.matrix(A.tolist()) * mpmath.matrix(B.tolist())
        sizes = np.abs(A).max(axis=1)[:, None] * np.abs(B).max(axis=0)
        for i in range(m):
            for j in range(k):
                assert abs(exact[i, j] - high[i, j] - mpmath.mpf(float(low[i, j]))) <= n * 1e-24 * sizes[i, j]


def test_coefficients_keep_all_digits_of_columns_that_nearly_depend_on_each_other():
    """Against the exact solution for the stored numbers; plain QR loses eight digits here."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(40, 3))
    X[:, 2] = X[:, 0] + X[:, 1] + 1e-8 * X[:, 2]
    y = rng.normal(size=40)
    part = factorise(X.T, np.linalg.norm(X, axis=0), tol=1e-12)
    high, low = refine_coefficients(part, X.T, y)
    with mpmath.workdps(80):
        exact = mpmath.matrix(X.tolist())
        inverse = (exact.T * exact) ** -1
        expected = np.array([float(value) for value in inverse * (exact.T * mpmath.matrix(y.tolist()))])
        inverse = np.array(inverse.tolist(), dtype=float)
    np.testing.assert_allclose(high + low, expected, rtol=1e-14)
    np.testing.assert_allclose(part.inverse @ part.inverse.T, inverse, rtol=1e-13)
    np.testing.assert_allclose(part.Q @ part.Q.T, np.eye(3), atol=1e-14)
    Q, R = np.linalg.qr(X)
    assert np.abs(np.linalg.solve(R, Q.T @ y) / expected - 1).max() > 1e-11


def signal(N=150):
    rng = np.random.default_rng(3)
    Z, x, g = rng.normal(size=(N, 2)), rng.normal(size=N), rng.integers(7, size=N)
    return np.sin(2 * Z[:, 0]) + 0.5 * x + 0.2 * g + rng.normal(size=N) / 5, Z, x, g, rng.uniform(0.5, 2, N)


def fitted(y, Z, x, g, w, **options):
    options = {"starts": 2, "penalty": 1e-3} | options
    return matbn.fit(y, nets=matbn.net(Z, 2), linear=x, effects=g, weights=w, **options)


SHIFTS = {
    "offset": (1.0, 1e6, 1e-8),
    "large offset": (1.0, 1e9, 1e-5),
    "tiny": (2.0**-540, 0.0, 1e-12),
    "tiny with an offset": (2.0**-540, 2.0**-520, 1e-8),
    "smallest": (2.0**-990, 0.0, 1e-12),
    "huge": (2.0**500, 0.0, 1e-12),
}


@pytest.mark.parametrize("effects", [False, True])
@pytest.mark.parametrize("case", SHIFTS)
def test_fits_move_with_the_outcomes_units(case, effects):
    """Starts, search and penalty stay the same, and all results change as y does, up to the rounding of stored y."""
    scale, shift, rtol = SHIFTS[case]
    y, Z, x, g, w = signal()
    g = g if effects else None
    a, b = fitted(y, Z, x, g, w), fitted(scale * y + shift, Z, x, g, w)
    assert [end.iterations for end in a.searches] == [end.iterations for end in b.searches]

    def same(mine, theirs, unit=1.0, atol=0.0):
        np.testing.assert_allclose(np.asarray(theirs) / unit, mine, rtol=rtol, atol=atol)

    same(a.r_squared, b.r_squared)
    same(a.sigma, b.sigma, scale)
    same(a.nets[0].Gamma1, b.nets[0].Gamma1, atol=rtol)
    same(a.nets[0].Gamma2, b.nets[0].Gamma2, scale)
    same(a.coefficients[-1], b.coefficients[-1], scale)
    same(a.residuals, b.residuals, scale, atol=rtol)
    assert b.loglik == pytest.approx(a.loglik - len(y) * math.log(scale), rel=100 * rtol)
    for vcov in ("iid", "HC3"):
        same(a.table(vcov).error, b.table(vcov).error, scale)
        same(a.wald(vcov=vcov).F, b.wald(vcov=vcov).F, atol=100 * rtol)
    same(a.wald().F, b.wald().F)
    new = {"inputs": [Z[:4]], "linear": x[:4], "effects": None if g is None else g[:4]}
    for interval in ("confidence", "prediction"):
        mine, theirs = (fit.get_prediction(**new, interval=interval) for fit in (a, b))
        same(mine.upper - mine.lower, theirs.upper - theirs.lower, scale, atol=10 * rtol)
    same(a.marginal_effects().error, b.marginal_effects().error, scale)
    same(a.partial_dependence("x1", [0.0]).error, b.partial_dependence("x1", [0.0]).error, scale)
    same(a.glance()["rmse"], b.glance()["rmse"], scale)
    same(a.augment()["_std_resid"], b.augment()["_std_resid"], atol=10 * rtol)
    smaller = (fitted(y, Z[:, :1], x, g, w), fitted(scale * y + shift, Z[:, :1], x, g, w))
    same(matbn.anova(smaller[0], a).F[1], matbn.anova(smaller[1], b).F[1])
    assert "nan" not in b.summary()


def test_the_penalty_that_is_chosen_does_not_depend_on_units():
    y, Z, x, g, w = signal(80)
    for penalty in ("cv", "gcv"):
        a, b, c = (fitted(v, Z, x, g, w, penalty=penalty, starts=1) for v in (y, 2.0**-540 * y, y + 1e9 * g))
        assert a.penalty == b.penalty == c.penalty
        np.testing.assert_allclose([s.score for s in c.path], [s.score for s in a.path], rtol=1e-4)


def test_offsets_of_groups_are_taken_off_before_anything_is_squared():
    y, Z, x, g, w = signal()
    year = np.arange(len(y)) % 5
    for groups, away in ((g, 1e9 * g**2), ({"g": g, "year": year}, 1e9 * g**2 + 1e8 * year)):
        a, b = fitted(y, Z, x, groups, w), fitted(y + away, Z, x, groups, w)
        np.testing.assert_allclose(b.residuals, a.residuals, atol=2e-4)
        np.testing.assert_allclose(b.table().error, a.table().error, rtol=1e-4)
        assert b.r_squared > 1 - 1e-15
        assert b.within_r_squared == pytest.approx(a.within_r_squared, rel=1e-4)


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_weights_of_any_size(unit):
    y, Z, x, _, w = signal()
    a, b = fitted(y, Z, x, None, w), fitted(y, Z, x, None, unit * w)
    np.testing.assert_allclose(b.table().error, a.table().error, rtol=1e-7)
    np.testing.assert_allclose(b.fitted, a.fitted, rtol=1e-8, atol=1e-8)
    assert b.sigma == pytest.approx(a.sigma * math.sqrt(unit), rel=1e-8)
    assert b.loglik == pytest.approx(a.loglik, rel=1e-8)
    assert b.weight == pytest.approx(a.weight * unit, rel=1e-12)
    assert matbn.anova(fitted(y, Z[:, :1], x, None, unit * w), b).F[1] == pytest.approx(
        matbn.anova(fitted(y, Z[:, :1], x, None, w), a).F[1], rel=1e-5
    )


def test_columns_with_offsets_and_of_any_size():
    """Against mpmath; R's lm drops a time in seconds, since it is nearly a multiple of the intercept."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=30)
    for away, unit in ((2e3, 10), (1.6e9, 60), (1.6e18, 1e9), (0, 1e200), (0, 1e-200), (0, 1e-300)):
        column = away + unit * np.round(x, 2)
        y = x + rng.normal(size=30)
        with mpmath.workdps(1_300):  # enough for squares of 1e-300 added to 1
            X = mpmath.matrix([[1, mpmath.mpf(v)] for v in column.tolist()])
            inverse = (X.T * X) ** -1
            b = inverse * (X.T * mpmath.matrix(y.tolist()))
            e = mpmath.matrix(y.tolist()) - X * b
            se = [mpmath.sqrt((e.T * e)[0] / 28 * inverse[k, k]) for k in range(2)]
        fit = matbn.fit(y, linear=column)
        np.testing.assert_allclose(fit.coefficients, [float(v) for v in b], rtol=1e-12)
        np.testing.assert_allclose(fit.table().error, [float(v) for v in se], rtol=1e-12)
        slope = fit.marginal_effects()
        np.testing.assert_allclose([slope.estimate[0], slope.error[0]], [float(b[1]), float(se[1])], rtol=1e-7)
        assert fit.messages == ()


def test_digits_that_storage_lost_are_told():
    y, Z, x, _, w = signal()
    fit = fitted(y + 1e12, Z, x, None, w)
    (message,) = [text for text in fit.messages if "stored in steps" in text]
    assert "steps of up to 0.00012" in message
    assert "about 4 digit(s)" in message
    assert "exactly" not in " ".join(fit.messages)
    assert 0.5 < fit.r_squared < 1
    with pytest.warns(matbn.PrecisionWarning, match="y is stored in steps of up to 2") as caught:
        matbn.fit(np.round(10 * y) + 1e16, linear=x)
    assert caught[0].filename == __file__
    whole = matbn.fit(np.round(10 * y) + 1e15, linear=x)  # steps of 0.125 hold whole numbers
    assert whole.messages == ()
    assert whole.r_squared == pytest.approx(matbn.fit(np.round(10 * y), linear=x).r_squared, rel=1e-12)
    with pytest.warns(matbn.PrecisionWarning, match="x1: float64 keeps about 1 digit"):
        matbn.fit(y, linear=x + 1e15)


def test_what_is_fitted_exactly():
    y, Z, x, g, _ = signal()
    for outcomes, groups in ((3 + 2 * x, None), (1e12 + 2 * x, None), (0.1 * g, g), (1e12 * g, g)):
        fit = fitted(outcomes, Z, x, groups, None)
        assert "fit the outcomes exactly" in fit.messages[0]
        assert fit.r_squared == pytest.approx(1, abs=1e-9)
    for constant in (0.1, 1e12, 0.0):
        fit = matbn.fit(np.full(50, constant), linear=x[:50])
        assert math.isnan(fit.r_squared)
        assert "y is the same in all rows" in fit.messages[0]
    with pytest.raises(matbn.ArgumentError, match="too large to be squared"):
        matbn.fit(1e160 * y, linear=x)
    with pytest.raises(matbn.ArgumentError, match="the coefficient of x1 would be too large"):
        matbn.fit(1e100 * y, linear=1e-250 * x)


def test_columns_that_nearly_depend_on_others_come_with_a_warning():
    data = frame("Filip")
    formula = f"y ~ {strd.right_side('Filip', data)}"
    with pytest.warns(matbn.CollinearityWarning, match=r"I\(x \*\* 10\): dropped .* nearly depends") as caught:
        fit = matbn.fit(formula, data)
    assert caught[0].filename == __file__
    assert math.isnan(fit.coef["I(x ** 10)"])
    with pytest.warns(matbn.CollinearityWarning, match="net: its inputs nearly depend on each other"):
        matbn.fit(
            data["y"],
            nets=matbn.net(np.column_stack([data["x"], data["x"] * (1 + 1e-9 * data["y"])]), 1),
            penalty=1e-3,
            starts=1,
        )
    y, Z, x, g, _ = signal()
    of_group = (g == 2).astype(float)
    for columns, effects, name in (([x, 2 * x], None, "x2"), ([x, of_group], g, "x2"), ([x, 0 * x + 7], None, "x2")):
        fit = matbn.fit(y, linear=np.column_stack(columns), effects=effects)  # a warning would be an error here
        assert f"{name}: dropped from the linear part, for it depends on" in fit.messages[0]
    twice = matbn.fit(y, nets=matbn.net(np.column_stack([Z, Z]), 2), penalty=1e-3, starts=1)
    assert "vary in 2 directions only" in twice.messages[0]
    for bad in (-1, 1, 2.5):
        with pytest.raises(matbn.ArgumentError, match="tol is"):
            matbn.fit(y, linear=x, tol=bad)


def test_a_fit_keeps_tol_for_its_errors_and_refits():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 2))
    X[:, 1] = X[:, 0] + 1e-9 * X[:, 1]
    y = X[:, 0] + rng.normal(size=60)
    fit = matbn.fit(y, linear=X, tol=1e-11)
    assert np.isfinite(fit.table().error).all()
    assert np.isfinite(fit.bootstrap(lambda refit: refit.coefficients, 3, seed=1).draws).all()
    assert matbn.Fit.from_json(fit.to_json()).tol == 1e-11
    assert json.loads(fit.to_json())["residual_norm"] == fit.residual_norm


def test_without_an_intercept():
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"x": rng.normal(2, 1, 60), "f": rng.choice(list("abc"), 60)})
    data["y"] = 3 * data["x"] + data["f"].map({"a": 0, "b": 1, "c": -1}) + rng.normal(size=60)
    for formula in ("y ~ 0 + x", "y ~ x - 1", "y ~ 0 + f + x", "y ~ 0 + x:f"):
        fit, other = matbn.fit(formula, data), smf.ols(formula, data).fit()
        np.testing.assert_allclose(np.sort(fit.coefficients), np.sort(other.params), rtol=1e-11)
        np.testing.assert_allclose(np.sort(fit.table().error), np.sort(other.bse), rtol=1e-11)
        np.testing.assert_allclose(fit.predict(data.head()), other.predict(data.head()), rtol=1e-11)
        uncentred = 1 - (other.resid @ other.resid) / (data["y"] @ data["y"])
        assert fit.r_squared == pytest.approx(uncentred, rel=1e-12)
        again = matbn.Fit.from_json(fit.to_json())
        np.testing.assert_allclose(again.predict(data.head()), fit.predict(data.head()), rtol=1e-13)
    arrays = matbn.fit(data["y"], linear=data[["x"]], intercept=False)
    assert arrays.coefficient_names == ("x",)
    np.testing.assert_allclose(arrays.predict(linear=[2.0]), 2 * arrays.coefficients)
    bent = matbn.fit("y ~ 0 + net(x, size = 2)", data, penalty=1e-6, starts=2)
    assert not bent.coef
    assert bent.r_squared > 0.9
    np.testing.assert_allclose(bent.predict(data), bent.fitted, rtol=1e-12)
    with pytest.raises(matbn.ArgumentError, match="a formula leaves it out"):
        matbn.fit("y ~ x", data, intercept=False)
    with pytest.raises(matbn.ElementTypeError, match="intercept is"):
        matbn.fit(data["y"], linear=data[["x"]], intercept="no")
