"""The R package as Python can drive it: in an interactive session, and inside a Python process."""

import os
import re
import subprocess
import sys
import time

import pytest
from interactive_r import ENVIRONMENT, LIBRARY, InteractiveR

pytestmark = pytest.mark.r


@pytest.fixture(autouse=True)
def _installed():
    if not (LIBRARY / "matbn").exists() and not os.environ.get("CI"):
        pytest.skip("needs the R package in .r-library: run bin/setup")


def test_ctrl_c_in_a_long_call_returns_to_the_prompt():
    r = InteractiveR()
    r.wait_for("> ")
    r.send("library(matbn); set.seed(1); N <- 1e5; X <- matrix(rnorm(N * 20), N); kept <- vec(matrix(42)); 'ready'\n")
    r.wait_for(r'\[1\] "ready"')
    for busy in (
        "net_gradient(X, X[, 1], X[1:20, 1:10], rep(1, 10), rep(0, 10), rep(1, 10), route = 'loop')",
        "check_gradient(function(x) { for (i in 1:2e4) x <- x + 0; sum(x) }, function(x) x, 1:50, directions = 1e5)",
        "repeat {}",
    ):
        r.send(busy + "\n")
        r.wait_for(re.escape(busy[-15:]))
        time.sleep(1.5)
        started = time.monotonic()
        r.send("\x03")
        r.wait_for(r"\^C\s*> $")
        assert time.monotonic() - started < 20
        r.send("kept + vec(matrix(1))\n")
        r.wait_for(r"\[1\] 43")
    r.close()


def test_a_python_session_with_r_inside():
    code = """
from matbn.rbridge.session import embed
r = embed()
r.evalr("library(matbn)")
print(list(r.evalr("vec(matrix(1:6, 2))")))
print(list(r.evalr("class(tryCatch(vec(1:3), matbn_error = identity))"))[0])
print(list(r.evalr("check_gradient(function(x) sum(x^2), function(x) 2 * x, 1:3)$ok")))
print(list(r.evalr("reticulate::py_available()")))
"""
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    expected = ["[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]", "matbn_ShapeError", "[True]", "[False]"]
    assert done.stdout.splitlines() == expected, done.stderr
    assert done.returncode == 0


def test_from_a_plain_rscript():
    code = (
        "library(matbn); cat(net_gradient(diag(3), 1:3, diag(3), 1:3, 1:3, 1:3)$loss > 0, '');"
        " tryCatch(net_loss(diag(3), 1:2, diag(3), 1:3, 1:3, 1:3), matbn_error = function(e) cat(conditionMessage(e)))"
    )
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "TRUE y has 2 entries, but 3 are needed: one for each row of X"


def test_each_function_agrees_with_plain_r_code():
    script = ["Rscript", "--vanilla", "r_scripts/compare.R", "7"]
    done = subprocess.run(script, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every printed digit, in Python and in R" in done.stdout


def test_arrays_that_another_thread_drops():
    code = """
import gc, threading
from matbn.rbridge.session import embed
r = embed()
from matbn.rbridge import closures, convert
held = []
r.globalenv["hold"] = closures.closure(lambda X: held.append(X))
r.evalr("hold(matrix(runif(1e5), 1e3)); gc()")
total = held[0].sum()
dropper = threading.Thread(target=held.clear)
dropper.start(); dropper.join()
assert len(convert._dropped) == 1
r.evalr("hold(1)")
assert len(convert._dropped) == 0
print(total > 0)
"""
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("True", 0), done.stderr
