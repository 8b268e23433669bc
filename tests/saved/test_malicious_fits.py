"""Saved fits written by an adversary: each is refused when it is loaded, and none runs anything.

The canary is a file that every attack tries to make. A test shows that the attacks work where nothing is checked.
"""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
formulaic = pytest.importorskip("formulaic")

# Terms of a formula; OPEN makes the canary, NAME is its path in quotes and CODE a text of code that makes it.
TERMS = [
    "{OPEN}",
    "{__import__('os').system('touch ' + NAME)}",
    "I(OPEN)",
    "I(__import__('pathlib').Path(NAME).touch())",
    "{exec(CODE)}",
    "{eval(CODE)}",
    "{exec(compile(CODE, '', 'exec'))}",
    "{(lambda: OPEN)()}",
    "{[open(name, 'w') for name in [NAME]]}",
    "{set(open(name, 'w') for name in [NAME])}",
    "I({1: open(name, 'w') for name in [NAME]})",
    "I({open(name, 'w') for name in [NAME]})",
    "I((file := OPEN))",
    'I(f"{open(chr(47) + NAME, chr(119))}")',
    "{x if OPEN else x}",
    "{OPEN or x}",
    "{not OPEN}",
    "{x[OPEN]}",
    "I(*[OPEN])",
    "I(**{'data': OPEN})",
    "{x.apply(lambda value: OPEN)}",
    "{x.to_csv(NAME)}",
    "x.to_pickle(NAME)",
    "{`x`.to_csv(NAME)}",
    "{x == OPEN}",
    "{x + OPEN}",
    "{x << OPEN}",
    "{x @ OPEN}",
    "{-OPEN}",
    "{().__class__.__base__.__subclasses__()[0](OPEN)}",
    "{getattr(np, 'save')(OPEN.name, x)}",
    "{__builtins__['open'](NAME, 'w')}",
    "{globals()['__builtins__']['open'](NAME, 'w')}",
    "{type('T', (), {'a': OPEN})}",
    "{print(x, file=OPEN)}",
    "{\uff4f\uff50\uff45\uff4e(NAME, 'w')}",  # full-width letters, which Python reads as open
    "{np.asarray(x).tofile(NAME)}",
    "{np.savetxt(NAME, x)}",
    "np.memmap(NAME, mode='w+', shape=1)",
    "np.log(x, out=np.memmap(NAME, mode='w+', shape=(30,), dtype='f8'))",
    "np.testing.runstring(CODE, {})",
    "np.lib.format.open_memmap(NAME, mode='w+', shape=(30,))",
    "numpy.savetxt(NAME, x)",
    "np.where(OPEN, x, 0)",
    "np.array([OPEN])",
    "abs(OPEN)",
    "log(OPEN)",
    "C(x, OPEN)",
    "C(x, contr.treatment(base=OPEN))",
    "C(x, contr.custom(OPEN))",
    "C(x, {'a': OPEN})",
    "C(x, Treatment(OPEN))",
    "contr.__class__.__call__(contr.sum, OPEN)",
    "poly(x, degree=OPEN)",
    "poly(OPEN, 2)",
    "bs(x, knots=[OPEN])",
    "cs(x, df=4, constraints=OPEN)",
    "scale(center(OPEN))",
    "lag(x, k=OPEN)",
    "hashed(x, levels=3, hash_func=OPEN)",
    "hashed([CODE], levels=3, hash_func=eval)",
    "Q(OPEN.name)",
    "scale(x, '\") or OPEN_WITHOUT_QUOTES #')",  # formulaic writes the call into code of its own
    "poly(x, 2, _state=OPEN)",
    "{OPEN()} + `~`",  # formulaic evaluates what stands before a ~ when it reads the formula
    "x:{OPEN}",
    "x*I(OPEN)",
    "(x + I(OPEN))**2",
    "x %in% I(OPEN)",
    "x + {x} + {\nOPEN}",
    "{`x y`} + {OPEN}",
    "__FORMULAIC_CONTEXT__ + I(OPEN)",
    "{__FORMULAIC_SPEC__.get_model_matrix(OPEN)}",
]
FORMULAS = [
    "{OPEN} ~ x",
    "I(OPEN) ~ x",
    "y ~ x + net({OPEN}, size=1)",
    "y ~ x + net(I(OPEN), size=1)",
    "y ~ x + net(x, size=OPEN)",
    "y ~ x + net(x, size=1, mask=OPEN)",
    "y ~ x + net(x, size=1, basis=(lambda: OPEN)())",
    "y ~ x + net(x, size=1, label=f'{OPEN}')",
    "y ~ x + net(x, size=__import__('os').system('touch ' + NAME))",
    "y ~ x | OPEN",
    "y ~ x ~ {OPEN}",
    "y ~ [x ~ {OPEN}]",
    "y ~ x | id | {OPEN}",
]
COSTLY = [
    "{2**10**10}",
    "{x**10**10}",
    "{(2**62)**(2**62)}",
    "{9**9**9**9}",
    "{(2**62)**1000}",
    "net(x, size=(2**62)**1000)",
    "{abs(2)**10**9}",
    "{I(2)**10**9}",
    "np.power(np.array([2**70]), 10**9)",
    "{'x' * 10**10}",
    "{[0] * 10**10}",
    "I((0,) * 10**10)",
    "{1 << 10**10}",
    "poly(x, 10**9)",
    "poly(x, 1000000)",
    "poly(x, degree=1000000, raw=True)",
    "bs(x, df=100000000)",
    "bs(x, 5, None, 100000000)",
    "cs(x, df=100000000)",
    "hashed(x, levels=1000000000)",
    "bs(x, knots=np.linspace(0, 1, 10**9))",
    "np.ones((100000, 100000))",
    "poly(x, 900):poly(id, 900):poly(y, 900)",
    "x**1000000000",
    "(x + y + id + a + b + c + d + e + f)**9",
    "*".join("abcdefghijklmnopqrstuvw"),
    "(" * 5000 + "x" + ")" * 5000,
    "{" + "-" * 90_000 + "x}",
    "{" + "+".join(["x"] * 20_000) + "}",
    "{" + "f(" * 90 + "x" + ")" * 90 + "}",
    "+".join(["x"] * 40_000),
    "a" * 10**7,
    "x:" + "9" * 5000,
    "{x*" + "9" * 5000 + "}",
]


def data():
    rng = np.random.default_rng(3)
    frame = pandas.DataFrame({"x": rng.uniform(1, 2, 30), "id": rng.integers(3, size=30)})
    return frame.assign(y=frame.x + rng.normal(size=30))


FRAME = data()
CONTENT = json.loads(matbn.fit("y ~ x", FRAME).to_json())


def filled(text, canary):
    """Return a text with the code that makes the canary in place of OPEN, and so on."""
    name = repr(str(canary))
    code = f"open({name}, 'w')"
    quoteless = f"open(bytes({list(str(canary).encode())}).decode(), chr(119))"
    text = text.replace("OPEN_WITHOUT_QUOTES", quoteless).replace("OPEN", code)
    return text.replace("NAME", name).replace("CODE", repr(code))


def saved(formula, part):
    """Yield texts of a fit in which all places that must agree hold the formula, as an adversary would write it."""
    content = json.loads(json.dumps(CONTENT))
    content["recipe"]["formula"] = formula
    spec = content["recipe"]["specs"][1]
    spec["formula"] = f"1 + {part}"
    for name in (part, part.strip("{}")):
        spec["factors"] = {name: {"kind": "numerical", "levels": []}}
        spec["transforms"] = {"pairs": [[name, {"pairs": []}]]}
        yield json.dumps(content)


def assert_refused(text):
    with pytest.raises(matbn.MatbnError, match=r"text: .*\w"):
        matbn.Fit.from_json(text).predict(FRAME)
    with pytest.raises(matbn.MatbnError):
        matbn.Fit.from_json(text)


@pytest.mark.parametrize("term", TERMS)
def test_terms(term, tmp_path):
    canary = tmp_path / "canary"
    attack = filled(term, canary)
    for text in saved(f"y ~ {attack}", attack):
        assert_refused(text)
    assert not canary.exists()


@pytest.mark.parametrize("formula", FORMULAS)
def test_other_places_of_a_formula(formula, tmp_path):
    canary = tmp_path / "canary"
    for text in saved(filled(formula, canary), "x"):
        assert_refused(text)
    assert not canary.exists()


@pytest.mark.parametrize("term", ["{OPEN}", "I(OPEN)", "(OPEN)() + `~`", "{(lambda: OPEN)()}"])
@pytest.mark.parametrize("place", ["formula", "factors", "transforms", "levels", "names", "activation", "dtype"])
def test_other_places_of_the_text(term, place, tmp_path):
    canary = tmp_path / "canary"
    attack = filled(term, canary)
    content = json.loads(json.dumps(CONTENT))
    spec = content["recipe"]["specs"][1]
    changed = {
        "formula": lambda: spec.update(formula=f"1 + {attack}"),
        "factors": lambda: spec.update(factors={attack: spec["factors"]["x"]}),
        "transforms": lambda: spec.update(transforms={"pairs": [[attack, {"pairs": []}]]}),
        "levels": lambda: spec["factors"]["x"].update(levels=[attack]),
        "names": lambda: content.update(coefficient_names=["(Intercept)", attack]),
        "activation": lambda: content.update(activation=attack),
        "dtype": lambda: content["fitted"].update(dtype=attack),
    }
    changed[place]()
    with pytest.raises(matbn.MatbnError):
        matbn.Fit.from_json(json.dumps(content)).predict(FRAME)
    assert not canary.exists()


def test_the_attacks_work_where_nothing_is_checked(tmp_path):
    """formulaic alone makes the canary with nearly all terms, so that the tests above could fail."""
    attacks = [filled(term, tmp_path / f"canary{k}") for k, term in enumerate(TERMS)]
    on_reading = filled("{OPEN()} + `~`", tmp_path / "canary on reading")
    code = """
import contextlib, json, sys, formulaic, numpy, pandas
attacks, on_reading = json.load(sys.stdin)
data = pandas.DataFrame({"x": [1.0, 1.5, 2.0] * 10, "x y": 1.0})
formulaic.Formula(on_reading)
for attack in attacks:
    with contextlib.suppress(Exception):
        formulaic.model_matrix(attack, data, context={"numpy": numpy})
"""
    given = json.dumps([attacks, on_reading])
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], input=given, text=True, check=True)
    assert (tmp_path / "canary on reading").exists()
    idle = [term for k, term in enumerate(TERMS) if not (tmp_path / f"canary{k}").exists()]
    assert set(idle) <= {
        "hashed([CODE], levels=3, hash_func=eval)",  # formulaic of today ignores hash_func
        "scale(x, '\") or OPEN_WITHOUT_QUOTES #')",  # breaks the code that formulaic writes
        "__FORMULAIC_CONTEXT__ + I(OPEN)",  # by chance: which factor comes first depends on hashes
    }


@pytest.mark.parametrize("term", COSTLY, ids=lambda term: term[:40])
def test_nothing_takes_long_or_much_memory(term):
    for text in saved(f"y ~ {term}", term):
        start = time.perf_counter()
        with pytest.raises(matbn.MatbnError):
            matbn.Fit.from_json(text)
        assert time.perf_counter() - start < 10


@pytest.mark.parametrize("dtype", ["(99999,99999)f8", "f8,f8", "V999999999", "O", "<U999999999", "|S9", "<M8", "<c16"])
def test_strange_types_of_arrays(dtype):
    content = json.loads(json.dumps(CONTENT))
    content["fitted"]["dtype"] = dtype
    with pytest.raises(matbn.ArgumentError, match=r"text: fitted\.dtype is"):
        matbn.Fit.from_json(json.dumps(content))


def test_a_product_of_many_levels_is_refused():
    frame = FRAME.assign(g=[f"g{k % 3}" for k in range(30)], h=[f"h{k // 3 % 3}" for k in range(30)])
    content = json.loads(matbn.fit("y ~ g:h", frame).to_json())
    factors = content["recipe"]["specs"][1]["factors"]
    for name in "gh":
        factors[name]["levels"] = [f"{name}{k}" for k in range(20_000)]
    with pytest.raises(matbn.ArgumentError, match=r"recipe\.specs\[1\] makes 399,960,001 columns or more"):
        matbn.Fit.from_json(json.dumps(content))


def test_evaluation_sees_columns_and_known_functions_alone():
    """A name that is no column is not looked up elsewhere, not even among Python's built-in functions."""
    text = next(saved("y ~ {x + id}", "x + id"))
    with pytest.raises(matbn.MatbnError):
        matbn.Fit.from_json(text)  # the parts disagree: they were made for {x + id} here, x there
    content = json.loads(matbn.fit("y ~ {x + id}", FRAME).to_json())
    assert "x + id" in content["recipe"]["specs"][1]["formula"]
    fit = matbn.Fit.from_json(json.dumps(content))
    with pytest.raises(matbn.ArgumentError, match="data has no column 'id'"):  # although Python has a function id
        fit.predict(FRAME[["x"]])
