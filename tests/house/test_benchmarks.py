"""The benchmarks run, and write their tables and files; no test depends on their timings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def gradient_benchmark(*arguments):
    command = [sys.executable, ROOT / "benchmarks" / "gradient.py", "--threads", "1", "--rounds", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_gradient_benchmark(tmp_path):
    pytest.importorskip("threadpoolctl")
    without = [f"--without={name}" for name in ("PyTorch", "torch.compile", "JAX jit")]
    cases = ("--case", "300,3,2,tanh", "--case", "20,3,2,relu,float32")
    plot = ("--plot", tmp_path / "time.png") if matplotlib_is_here() else ()
    run = gradient_benchmark(*cases, *without, "--json", tmp_path / "figures.json", *plot)
    assert run.returncode == 0, run.stderr
    assert "300 × 3 × 2, tanh, float64: matbn" in run.stdout
    figures = json.loads((tmp_path / "figures.json").read_text())
    double, single = figures["cases"]
    assert (double["N"], double["p1"], double["p2"], double["activation"], double["dtype"]) == (
        300,
        3,
        2,
        "tanh",
        "float64",
    )
    assert single["dtype"] == "float32"
    for case in (double, single):
        assert set(case["seconds"]) == {"matbn", "NumPy"}
        assert all(0 < seconds < 1 for seconds in case["seconds"].values())
        assert 0 < case["limit_seconds"] < case["seconds"]["matbn"]
    assert 0 < double["difference"]["NumPy"] < 1e-12
    if plot:
        assert (tmp_path / "time.png").stat().st_size > 5_000


def matplotlib_is_here():
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def test_gradient_benchmark_refuses_what_is_no_case():
    pytest.importorskip("threadpoolctl")
    for case in ("10,3", "10,3,2,step", "10,3,2,relu,int8", "a,b,c,relu"):
        run = gradient_benchmark("--case", case)
        assert run.returncode == 1
        assert f"--case {case!r}" in run.stderr


def test_memory_benchmark():
    command = [sys.executable, ROOT / "benchmarks" / "memory.py", "--calls", "20", "--rows", "50"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) == 12
