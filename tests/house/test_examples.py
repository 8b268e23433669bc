"""The examples run, and give the same numbers in both languages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.r
def test_real_panels_give_the_same_numbers_in_both_languages():
    pytest.importorskip("statsmodels")
    pytest.importorskip("formulaic")
    library = ROOT / ".r-library"
    if not (library / "matbn").exists():
        pytest.skip("the R package is not installed by bin/setup")
    python = subprocess.check_output([sys.executable, ROOT / "examples" / "panels.py"], text=True)
    environment = {**os.environ, "R_LIBS": str(library), "RETICULATE_PYTHON": sys.executable}
    r = subprocess.check_output(["Rscript", ROOT / "examples" / "panels.R"], text=True, env=environment)
    from_r = [line.rstrip() for line in r.splitlines()]
    from_python = [line.rstrip() for line in python.splitlines()]
    assert len(from_r) == 17
    assert from_python[: len(from_r)] == from_r
    assert "invest ~ value + net(log(capital), size = 2) | firm + year" in python
    assert python.count("converged") == 4
