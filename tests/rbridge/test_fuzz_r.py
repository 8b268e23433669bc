"""A short run of the fuzzer over the R package; tests/fuzz/README.md says how to run it for longer."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))
import fuzz_r

pytestmark = pytest.mark.r


def test_the_fuzzer_finds_nothing_in_r():
    if not (fuzz_r.LIBRARY / "matbn").exists() and not os.environ.get("CI"):
        pytest.skip("needs the R package in .r-library: run bin/setup")
    assert fuzz_r.findings(seed=1, rounds=200) == []


def test_the_fuzzer_sees_what_is_wrong(tmp_path, monkeypatch):
    if not (fuzz_r.LIBRARY / "matbn").exists() and not os.environ.get("CI"):
        pytest.skip("needs the R package in .r-library: run bin/setup")
    for name in ("fuzz.R", "calls.R", "pool.R"):
        (tmp_path / name).write_text((fuzz_r.HERE / name).read_text())
    (tmp_path / "corpus.R").write_text(
        "stop('no')\nwarning('no')\nlist(1, list(NaN))\nlog(-1)\nlist(NA)\nquit(status = 3)\n"
    )
    monkeypatch.setattr(fuzz_r, "HERE", tmp_path)
    found = [(kind, call) for kind, call, _ in fuzz_r.findings(seed=1, rounds=0)]
    assert found == [
        ("simpleError error", 'stop("no")'),
        ("warning", 'warning("no")'),
        ("not finite", "list(1, list(NaN))"),
        ("warning", "log(-1)"),
        ("not finite", "log(-1)"),
        ("the process ended with 3", "quit(status = 3)"),
    ]
