"""Random calls of every public function: each ends with finite numbers or with a sentence of ours (see README.md)."""

import inspect
import json
import os
import resource
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import matbn

judge = pytest.importorskip("judge").judge  # which needs pandas, formulaic and scikit-learn
TARGETS = pytest.importorskip("targets").TARGETS
values = pytest.importorskip("values")

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
KNOWN = "FUZZ_EXAMPLES" not in os.environ  # the same calls each time: what is new is looked for by hand
CORPUS = json.loads((Path(__file__).parent / "corpus.json").read_text())
_CLASSES = ("Fit", "Prepared")
# Classes that hold data and check nothing, and `net` and `anova`, which fits and their own tests call.
_NO_TARGET = {"Activation", "net", "anova"}

changes = st.dictionaries(
    st.integers(0, 20).map(str), st.sampled_from([*values.ODD, *values.CHANGES]), min_size=0, max_size=2
)


@pytest.fixture(autouse=True, scope="module")
def _little_memory():
    """Let what asks for too much memory fail here, before the machine runs out of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_every_public_function_is_a_target():
    functions = {name for name in matbn.__all__ if inspect.isfunction(getattr(matbn, name))}
    methods = {
        f"{name}.{method}"
        for name in _CLASSES
        for method, value in inspect.getmembers(getattr(matbn, name), inspect.isfunction)
        if not method.startswith("_")
    }
    of_json = {"Fit.to_json", "Fit.from_json", "Fit.plot"}  # have fuzzers of their own
    assert functions | methods <= set(TARGETS) | _NO_TARGET | of_json


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: f"{entry['target']}-{entry['seed']}")
def test_what_once_was_wrong(entry):
    judge(**entry)


@pytest.mark.parametrize("target", TARGETS)
def test_random_calls(target):
    @settings(
        max_examples=EXAMPLES, derandomize=KNOWN, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(seed=st.integers(0, 10_000), changes=changes)
    def run(seed, changes):
        judge(target, seed, changes)

    run()
