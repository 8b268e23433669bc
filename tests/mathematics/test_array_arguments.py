"""Arrays that users pass by mistake, too few rows, weights of 0, and users' own activations."""

import warnings
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest

import matbn
from matbn.errors import ArgumentError, ElementTypeError, MatbnError, NotFiniteError, ShapeError

N = 40
RNG = np.random.default_rng(1)
Z = RNG.normal(size=(N, 2))
Y = np.sin(2 * Z[:, 0]) + 0.3 * RNG.normal(size=N)
GROUPS = np.arange(N) // 5


def fitted(y=Y, **options):
    return matbn.fit(y, **{"starts": 1, "penalty": 1e-3, **options})


REFUSED = [
    (lambda: fitted(Y + 0j), ElementTypeError, "y is complex, but must be real"),
    (lambda: fitted(y for y in Y), ElementTypeError, "y holds one object of type generator"),
    (lambda: fitted(np.ma.masked_less(Y, 0)), NotFiniteError, "y has .* masked entries"),
    (lambda: fitted(np.array(["a"] * N)), ElementTypeError, "y holds elements of type <U1"),
    (lambda: matbn.prepare(Z, Y + 0j), ElementTypeError, "y is complex, but must be real"),
    (lambda: matbn.prepare(Z, Y, np.ones(N) + 0j), ElementTypeError, "weights is complex"),
    (lambda: matbn.prepare(lambda: iter([(Z, Y + 0j)])), ElementTypeError, "y in block 0 is complex"),
    (lambda: fitted(Y, linear=Z + 1j), ElementTypeError, "linear is complex"),
    (lambda: fitted(Y, linear=np.ma.masked_less(Z, 0)), NotFiniteError, "linear has .* masked entries"),
    (lambda: fitted(Y, linear=[[1], [1, 2]]), ShapeError, "linear is not a rectangular array"),
    (lambda: fitted(Y, linear=Z * 1e-310), ArgumentError, "the coefficient of x1 would be too large for float64"),
    (lambda: fitted(Y, weights=np.ones(N) + 0j), ElementTypeError, "weights is complex"),
    (lambda: fitted(Y, nets=3), ElementTypeError, "nets is a int, but must be made by matbn.net"),
    (lambda: fitted(Y, nets=[Z]), ElementTypeError, "nets hold a ndarray"),
    (lambda: matbn.net(Z + 1j, 1), ElementTypeError, "Z is complex"),
    (lambda: matbn.net(Z, 1, names=3), ElementTypeError, "names of Z is 3, but must be a sequence of texts"),
    (lambda: matbn.net(Z, 1, names="ab"), ElementTypeError, "names of Z is 'ab', but must be a sequence"),
    (lambda: matbn.net(Z, 1, names=[1, 2]), ElementTypeError, "an entry of names of Z is 1, but must be text"),
    (lambda: matbn.net(Z, 1, names=["a", "a"]), ArgumentError, "names of Z has 'a' more than once"),
    (lambda: matbn.net(Z, 1, label=3), ElementTypeError, "label is 3, but must be text"),
    (lambda: matbn.net(Z, 1, basis=np.eye(2) * 1j), ElementTypeError, "basis is complex"),
    (lambda: matbn.net(Z, 1, mask=[[2], [0.5]]), ArgumentError, "mask has entries that are neither 0 nor 1"),
    (lambda: matbn.net(Z, "2"), ElementTypeError, "size is '2'"),
    (lambda: matbn.net(Z, [1, 2]), ElementTypeError, r"size is \[1, 2\]"),
    (
        lambda: fitted(nets=matbn.net(Z, 10**9)),
        matbn.MemoryLimitError,
        "a fit with 1,000,000,000 nodes .* would take .* TB",
    ),
    (
        lambda: fitted(nets=matbn.net(Z, 1, mask=np.ones((2, 1))), starts=10**10),
        matbn.MemoryLimitError,
        "starts .* of memory",
    ),
    (lambda: fitted(effects=[1, "a"] * (N // 2)), ElementTypeError, r"effect 'effect' has labels without an order"),
    (lambda: fitted(effects=[{}, []] * (N // 2)), ElementTypeError, r"labels without an order \(dict, list\)"),
    (lambda: fitted(effects=np.ma.masked_less(GROUPS, 2)), NotFiniteError, "effect 'effect' has 10 missing labels"),
    (lambda: fitted(effects=[None, *GROUPS[1:]]), NotFiniteError, "effect 'effect' has 1 missing labels, at 0"),
    (lambda: fitted(effects={"a": GROUPS, 1: GROUPS[:3]}), ShapeError, r"effect '1' has shape \(3,\)"),
    (
        lambda: fitted(effects=GROUPS, weights=GROUPS > 0),
        ArgumentError,
        "weights are all zero in groups of 'effect': 0",
    ),
    (
        lambda: fitted(effects={"a": GROUPS, "b": np.arange(N) % 2}, weights=np.arange(N) % 2),
        ArgumentError,
        "weights are all zero in groups of 'b': 0; drop their rows",
    ),
    (lambda: fitted(nets=matbn.net(Z, 1), penalty=1j), ElementTypeError, "penalty is 1j"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_arrays_that_cannot_be_used_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_arrays_that_are_merely_unusual_work():
    pandas = pytest.importorskip("pandas")
    expected = fitted(nets=matbn.net(Z, 1), linear=Z[:, 0], effects=GROUPS)
    frame = pandas.DataFrame(Z, columns=["a", "b"]).assign(yes=True)
    frame["a"] = frame.a.astype("Float64")
    for found in (
        fitted(nets=[matbn.net(frame[["a", "b"]], 1.0)], linear=Z[:, 0].tolist(), effects=GROUPS.tolist()),
        fitted(Y.tolist(), nets=(matbn.net(Z.tolist(), np.int8(1)),), linear=frame[["a"]], effects={1: GROUPS}),
        fitted(pandas.Series(Y), nets=iter([matbn.net(Z, 1)]), linear=frame.a, effects=pandas.Series(GROUPS)),
    ):
        np.testing.assert_allclose(found.fitted, expected.fitted, rtol=1e-12)
    assert fitted(nets=None, linear=None).N == N
    assert matbn.net(frame, 1, names=(name for name in "xyz")).names == ("x", "y", "z")


def test_a_linear_penalty_without_linear_columns_penalises_nothing():
    for effects in (None, GROUPS):
        with_one = fitted(nets=matbn.net(Z, 1), effects=effects, linear_penalty=1.0)
        np.testing.assert_allclose(with_one.fitted, fitted(nets=matbn.net(Z, 1), effects=effects).fitted, rtol=1e-12)


UNORDERED = np.array([object() for _ in range(N)])
QUESTIONS = [
    (lambda fit: fit.vcov({"a": UNORDERED}), ElementTypeError, "'a' has labels without an order"),
    (lambda fit: fit.cross_validate(by=UNORDERED), ElementTypeError, "'by' has labels without an order"),
    (lambda fit: fit.cross_validate(time=[1, "a"] * 20), ElementTypeError, "'time' has labels without an order"),
    (lambda fit: fit.confint(3), ElementTypeError, "an entry of names is 3, but must be text"),
    (lambda fit: fit.confint("x"), ArgumentError, "name is 'x', but must be one of"),
    (lambda fit: fit.marginal_effects(average="a"), ElementTypeError, "average is 'a', but must be True or False"),
    (lambda fit: fit.partial_dependence("x1", 1j), ElementTypeError, "at is complex"),
    (lambda fit: fit.partial_dependence("x1", [np.inf]), NotFiniteError, "at has 1 entries that are missing"),
    (lambda fit: fit.partial_dependence("x1", [[1, 2]]), ElementTypeError, "at is .*, but must be numbers or levels"),
    (lambda fit: fit.partial_dependence("x1", "a"), ElementTypeError, "'x1' holds numbers, but is set to"),
    (lambda fit: fit.choose(sizes="ab"), ElementTypeError, "sizes is 'ab'"),
    (lambda fit: fit.choose(penalties=-1), ArgumentError, "penalties is -1"),
    (lambda fit: fit.bootstrap(lambda one: one.nope, 5), ArgumentError, "statistic .* stops with AttributeError"),
    (lambda fit: fit.bootstrap(lambda one: 1 / 0, 5), ArgumentError, "stops with ZeroDivisionError"),
]


@pytest.mark.parametrize(("ask", "error", "message"), QUESTIONS, ids=[message for _, _, message in QUESTIONS])
def test_questions_that_make_no_sense_are_refused(ask, error, message):
    fit = fitted(nets=matbn.net(Z, 1), linear=Z)
    with pytest.raises(error, match=message):
        ask(fit)


NEW = [
    ({"inputs": [Z[:3]], "linear": Z[:2]}, r"equally many in all parts: inputs\[0\] has 3, linear has 2, effects"),
    ({"inputs": [Z[:0]], "linear": Z[:0], "effects": []}, "there are no new rows"),
    ({"inputs": 3, "linear": Z}, "inputs is a int, but must be a list: one matrix for each net"),
    ({"inputs": [Z + 1j], "linear": Z}, r"inputs\[0\] is complex"),
    ({"inputs": [Z], "linear": Z + 1j}, "linear is complex"),
    ({"inputs": [Z], "linear": np.ma.masked_less(Z, 0)}, "linear has .* masked entries"),
    ({"inputs": [Z], "linear": "a"}, "linear holds one object of type str"),
    ({"inputs": [Z], "linear": 1e308 * np.sign(Z)}, "predictions would not be finite in .* rows"),
    ({"inputs": [Z], "linear": Z, "outcomes": Y + 1j}, "outcomes is complex"),
]


@pytest.mark.parametrize(("new", "message"), NEW, ids=[message for _, message in NEW])
def test_new_rows_that_cannot_be_used_are_named(new, message):
    fit = fitted(1e9 * Y, nets=matbn.net(Z, 1), linear=Z, effects=GROUPS)
    with pytest.raises(MatbnError, match=message):
        fit.predict(**{"effects": GROUPS, **new})
    with pytest.raises(ArgumentError, match="effects is given, but the fit has none"):
        fitted(linear=Z).predict(linear=Z, effects=GROUPS)


@pytest.mark.parametrize("rows", [2, 3, 4, 6])
def test_two_rows_are_too_few_to_choose_a_penalty_and_three_are_enough(rows):
    net = matbn.net(Z[:rows], 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)
        if rows == 2:
            with pytest.raises(ArgumentError, match=r"penalty is 'cv' \(the default\), but 2 rows do not tell"):
                matbn.fit(Y[:rows], nets=net, starts=1)
        else:
            assert np.isfinite(matbn.fit(Y[:rows], nets=net, starts=1).fitted).all()
    assert np.isfinite(fitted(Y[:rows], nets=net).fitted).all()


def test_folds_without_weight_or_without_known_groups():
    w = np.zeros(N)
    w[:2] = 1
    with pytest.raises(ArgumentError, match="do not tell one penalty from another"):
        matbn.fit(Y, nets=matbn.net(Z, 1), weights=w, starts=1)
    w[:12] = 1  # the other rows leave groups without weight in some folds
    found = matbn.fit(Y, nets=matbn.net(Z, 1), weights=w, starts=1)
    assert np.isfinite([scored.score for scored in found.path]).all()


def test_rows_of_weight_0_do_not_connect_groups():
    a, b = np.arange(N) % 4, np.arange(N) // 4 % 5
    apart = (a < 2) != (b < 2)  # those rows join two parts that nothing else joins
    w = np.where(apart, 0, RNG.uniform(0.5, 2, N))
    x = Z[:, 0]
    fit = fitted(linear=x, effects={"a": a, "b": b}, weights=w)
    kept = w > 0
    dropped = fitted(Y[kept], linear=x[kept], effects={"a": a[kept], "b": b[kept]}, weights=w[kept])
    dummies = np.column_stack([x, np.eye(4)[a], np.eye(5)[b]])
    root = np.sqrt(w)
    solution, _, rank, _ = np.linalg.lstsq(dummies * root[:, None], Y * root, rcond=1e-10)
    np.testing.assert_allclose(fit.coefficients, solution[:1], rtol=1e-10)
    np.testing.assert_allclose(fit.fitted[kept], (dummies @ solution)[kept], rtol=1e-10)
    np.testing.assert_allclose(fit.fitted[kept], dropped.fitted, rtol=1e-10)
    assert fit.rank == dropped.rank == rank
    assert f"{apart.sum()} rows of weight 0 have groups that no rows with weight connect" in " ".join(fit.messages)
    assert not dropped.messages
    np.testing.assert_allclose(fit.table().error, dropped.table().error, rtol=1e-8)


def test_two_effects_of_many_groups():
    rng = np.random.default_rng(3)
    rows = 7_000
    a, b = np.r_[np.arange(6_000), rng.integers(6_000, size=1_000)], rng.integers(1_900, size=rows)
    x, y = rng.normal(size=(2, rows))
    from scipy import sparse
    from scipy.sparse.linalg import lsqr

    fit = matbn.fit(y, linear=x, effects={"a": a, "b": b})
    codes = [np.unique(effect, return_inverse=True)[1] for effect in (a, b)]
    columns = [sparse.csr_array((np.ones(rows), (np.arange(rows), code))) for code in codes]
    assert columns[0].shape[1] * columns[1].shape[1] > 10_000_000
    D = sparse.hstack([sparse.csr_array(x[:, None]), *columns]).tocsr()
    expected = lsqr(D, y, atol=1e-13, btol=1e-13, iter_lim=20_000)[0]
    np.testing.assert_allclose(fit.coefficients[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(fit.fitted, D @ expected, atol=1e-6)
    with pytest.raises(ArgumentError, match="besides the largest have 5001 groups, but at most 5000"):
        matbn.fit(np.zeros(6_000), effects={"a": np.arange(6_000), "b": np.minimum(np.arange(6_000), 5_000)})


def fails(b):
    raise RuntimeError("out of paper")


OWN = [
    ({"value": fails}, ArgumentError, "value of activation 'own' stops with RuntimeError: out of paper"),
    ({"slope": fails}, ArgumentError, "slope of activation 'own' stops with RuntimeError"),
    (
        {"value": lambda b: np.sin(b, out=b)},
        ArgumentError,
        "value of activation 'own' stops with ValueError: .*read-only",
    ),
    ({"value": lambda b: b * np.nan}, NotFiniteError, "finite"),
    ({"slope": lambda b: b * np.nan}, NotFiniteError, "finite"),
    ({"value": lambda b: np.exp(1e4 * b)}, NotFiniteError, "finite"),
    ({"value": np.log}, NotFiniteError, "finite"),
    ({"value": lambda b: np.sqrt(b + 0j)}, ElementTypeError, "returns complex numbers where its argument is real"),
    ({"slope": lambda b: np.cos(b) + 0j}, ElementTypeError, "slope .* returns complex numbers"),
    ({"value": lambda b: b > 0}, ElementTypeError, "value of activation 'own' returns elements of type bool"),
    ({"value": lambda b: np.ma.masked_less(b, 0)}, ElementTypeError, "returns MaskedArray, but must return an array"),
    ({"value": lambda b: b.T[:1]}, ShapeError, "value of activation 'own' returns shape"),
    ({"value": lambda b: 1.0}, ElementTypeError, "value of activation 'own' returns float"),
]


@pytest.mark.parametrize(("parts", "error", "message"), OWN, ids=[f"{next(iter(p))} {m}" for p, _, m in OWN])
@pytest.mark.parametrize("solver", ["profiled", "lm", "joint", "adam", "cv"])
def test_activations_that_misbehave_in_fits(parts, error, message, solver):
    own = matbn.Activation("own", **{"value": np.sin, "slope": np.cos, "curvature": lambda b: -np.sin(b), **parts})
    options = {"penalty": "cv"} if solver == "cv" else {"solver": solver}
    with pytest.raises(error, match=message):
        fitted(nets=matbn.net(Z, 1), activation=own, iterations=5, **options)


@pytest.mark.parametrize(("parts", "error", "message"), OWN, ids=[f"{next(iter(p))} {m}" for p, _, m in OWN])
@pytest.mark.parametrize("route", ["matrix", "stream", "loop", "sums", "prepared"])
def test_activations_that_misbehave_in_gradients(parts, error, message, route):
    own = matbn.Activation("own", **{"value": np.sin, "slope": np.cos, "curvature": lambda b: -np.sin(b), **parts})
    net = (np.ones((2, 2)) + np.eye(2), np.ones(2), np.zeros(2), np.ones(2))
    if route == "prepared":
        found = partial(matbn.prepare(Z, Y, activation=own).gradient, *net)
    else:
        found = partial(matbn.net_gradient, Z, Y, *net, activation=own, route=route)
    with pytest.raises(error, match=message):
        found()


def test_an_activation_that_overflows_in_places_is_fitted_elsewhere():
    steep = matbn.Activation("steep", *[lambda b: np.exp(40 * b)] * 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)
        fit = fitted(nets=matbn.net(Z, 1), activation=steep, starts=3, iterations=50)
    assert np.isfinite(fit.fitted).all()
    assert fit.sum_of_squares < fit.total_sum_of_squares


# Sums of squares of such inputs leave float64's range.
OUT_OF_RANGE = {("Z", scale) for scale in (1e-200, 1e-150, 1e150, 1e200, 1e300)}


@pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e-100, 1e100, 1e150, 1e200, 1e300])
@pytest.mark.parametrize("which", ["Z", "linear", "weights"])
def test_huge_and_tiny_numbers_leave_no_warning_and_nothing_that_is_not_finite(which, scale):
    arrays = {"y": Y, "Z": Z, "linear": Z[:, 0], "weights": 1 + Z[:, 1] ** 2}
    arrays[which] = arrays[which] * scale
    y, nets = arrays.pop("y"), matbn.net(arrays.pop("Z"), 1)
    refused = (which, scale) in OUT_OF_RANGE
    with pytest.raises(MatbnError, match=r"rescale|leaves float64's range") if refused else nullcontext():
        fit = fitted(y, nets=nets, effects=GROUPS, **arrays)
        found = [fit.fitted, fit.residuals, fit.coefficients, *fit.parameters.values()]
        assert all(np.isfinite(array).all() for array in found)
        str(fit)
