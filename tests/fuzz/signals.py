"""Ctrl-C at random moments of fits, bootstraps, cross-validations and choices, in Python and at R's prompt.

    python tests/fuzz/signals.py [signals] [python | r]

Each call is first made to its end; then `signals` times (50 by default) with an interrupt after a random share of that
time, every other time with a second one right after it. What comes back must be what is promised: the replicates,
folds and combinations that had ended, each to the last digit that of the whole call, the fit that says that it was
interrupted, or the interrupt itself; with no thread, lock, limit of BLAS or handler of SIGINT left behind. It prints
how the calls ended and the longest time from the first signal to the end. R needs the package in .r-library.
"""

import os
import re
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from interactive_r import InteractiveR

import matbn
from matbn import blas

CALLS = ("fit", "bootstrap", "cross_validate", "choose")
RESULT, INTERRUPT, TOO_LATE = "a result that says so", "the interrupt itself", "a whole result before the signal"


@dataclass
class Tally:
    """How the interrupted calls ended."""

    ends: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, end: str, seconds: float) -> None:
        self.ends[end] += 1
        self.seconds.append(seconds)


def data(N: int = 400, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Draw outcomes and inputs."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(N, 4))
    return np.sin(2 * Z[:, 0]) * Z[:, 1] + Z[:, 2] + rng.normal(size=N) / 3, Z


def python_calls() -> dict[str, Callable[[int], Any]]:
    """Return each call as a function of the trial's number, which chooses among its variants."""
    y, Z = data()
    groups = np.arange(len(y)) % 20
    base = matbn.fit(y, nets=matbn.net(Z, 4), linear=Z, penalty=1e-3, starts=2)
    kinds: list[dict[str, Any]] = [
        {"penalty": "cv", "starts": 6},
        {"penalty": "gcv"},
        {"penalty": 1e-4, "starts": 40},
        {"penalty": 1e-4, "starts": 20, "effects": groups},
        {"penalty": 1e-4, "solver": "lm", "starts": 20},
        {"penalty": 1e-4, "solver": "joint"},
        {"penalty": 1e-4, "solver": "adam", "starts": 4},
        {"penalty": 1e-4, "activation": "relu", "starts": 10},
    ]
    own: list[Any] = [None, lambda fit: [fit.r_squared, fit.coef["x1"]]]
    return {
        "fit": lambda k: matbn.fit(y, nets=matbn.net(Z, 6), seed=k, **kinds[k % len(kinds)]),
        "bootstrap": lambda k: base.bootstrap(own[k % 2], 200),
        "cross_validate": lambda k: base.cross_validate(folds=20, starts=3, by=groups if k % 2 else None),
        "choose": lambda k: base.choose([1, 2, 3], [1e-4, 1e-2], criterion=("bic", "cv")[k % 2], starts=2),
    }


def same_or_less(name: str, result: Any, whole: Any) -> bool:
    """Check what an interrupted call returned against the whole; return whether it is less."""
    if name == "fit":
        assert np.isfinite(result.fitted).all()
        assert result.r_squared > 0
        if result.searches[0].status != "interrupted":
            assert "interrupted" not in str(result)
            return False
        assert not result.converged
        assert re.search("interrupted (when|before)", result.messages[0])
        return True
    if name == "bootstrap":
        rows = {row.tobytes() for row in whole.draws}
        assert len(result.draws) >= 2
        assert all(row.tobytes() in rows for row in result.draws), "a replicate that is not the whole call's"
        return len(result.draws) < len(whole.draws)
    if name == "cross_validate":
        known = np.isfinite(result.predictions)
        np.testing.assert_array_equal(result.predictions[known], whole.predictions[known])
        np.testing.assert_array_equal(known, np.isin(whole.fold, np.unique(result.fold[known])))
        assert np.isfinite(result.mse)
        return not known.all()
    np.testing.assert_array_equal(result.scores, whole.scores[: len(result.scores)])
    return result.fit is None


def interrupted(call: Callable[[], Any], delay: float, second: float | None) -> tuple[Any, list[str], float]:
    """Return a call's result (None if the interrupt went on), its warnings, and the time from signal to end."""
    sent: list[float] = []
    over = threading.Event()

    def send() -> None:
        for wait in (delay, second):
            if wait is None or over.wait(wait):
                return
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

    result, said, sender = None, [], threading.Thread(target=send)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sender.start()
            result = call()
            over.set()
        said = [str(warning.message) for warning in caught if warning.category is matbn.ConvergenceWarning]
    except KeyboardInterrupt:
        pass
    ended = time.perf_counter()
    while True:  # a second signal may be on its way
        try:
            over.set()
            sender.join()
            return result, said, ended - sent[0] if sent else np.nan
        except KeyboardInterrupt:
            continue


def left_behind() -> tuple[Any, ...]:
    """Return what a call must leave as it was: threads, BLAS's threads and who limits them, the handler of SIGINT."""
    free = []

    def take() -> None:
        if blas._limit.lock.acquire(timeout=5):
            blas._limit.lock.release()
            free.append(True)

    other = threading.Thread(target=take)
    other.start()
    other.join()
    counts = blas.thread_counts()
    return threading.active_count(), counts, blas._limit.holders, free, signal.getsignal(signal.SIGINT)


def python_trials(name: str, signals: int, seed: int = 1) -> Tally:
    """Interrupt a call in this process at random moments."""
    rng, tally, wholes, lengths = np.random.default_rng(seed), Tally(), {}, {}
    call = python_calls()[name]
    variants = 8 if name == "fit" else 2
    before = left_behind()
    for trial in range(signals):
        kind = trial % variants
        if kind not in wholes:
            started = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wholes[kind] = call(kind)
            lengths[kind] = time.perf_counter() - started
        second = rng.uniform(0, 0.02) if (trial // variants) % 2 else None
        result, said, seconds = interrupted(lambda kind=kind: call(kind), rng.uniform(0, lengths[kind]), second)
        assert left_behind() == before
        if result is None:
            tally.add(INTERRUPT, seconds)
        elif same_or_less(name, result, wholes[kind]):
            assert len(said) == 1, said
            assert "interrupted" in said[0]
            tally.add(RESULT, seconds)
        else:
            tally.add(TOO_LATE, 0.0)
    return tally


def r_trials(names: tuple[str, ...], signals: int, seed: int = 1) -> dict[str, Tally]:
    """Interrupt calls at the prompt of an R session by typing Ctrl-C."""
    rng, r = np.random.default_rng(seed), InteractiveR()
    prompt = r"(?:^|\n|\r)> $"

    def typed(line: str, seconds: float = 90) -> str:
        r.send(f"{line}; cat('do', 'ne\\n')\n")
        answer = r.wait_for(r"do ne\s+> ", seconds)
        assert "Error" not in answer, answer
        return answer

    r.wait_for(prompt)
    typed(f"source('{Path(__file__).with_suffix('.R')}')")
    tallies = {}
    for name in names:
        tally, lengths, variants = Tally(), {}, 4 if name == "fit" else 2
        for trial in range(signals):
            k = trial % variants
            if k not in lengths:
                started = time.perf_counter()
                typed(f"wholes[['{name} {k}']] <- noting(calls[['{name}']]({k}))")
                lengths[k] = time.perf_counter() - started
            typed("said <- character(); result <- NULL")
            r.send(f"result <- noting(calls[['{name}']]({k}))\n")
            r.wait_for(r"\)\)\)?\s*\n")
            time.sleep(rng.uniform(0, lengths[k]))
            started = time.perf_counter()
            r.send("\x03")
            r.wait_for(r"\^C[^>]*> $")
            seconds = time.perf_counter() - started
            if (trial // variants) % 2:
                r.send("\x03")
                r.wait_for(r"\^C[^>]*> $")
            end = re.search(r"<(\w+)>", typed(f"cat('<', judge('{name}', {k}), '>', sep = '')"))
            assert end is not None
            assert "42" in typed("print(vec(matrix(42)))")
            kind = {"result": RESULT, "interrupt": INTERRUPT, "late": TOO_LATE}[end.group(1)]
            tally.add(kind, 0.0 if kind == TOO_LATE else seconds)
        tallies[name] = tally
    r.close()
    return tallies


def table(tallies: dict[str, Tally]) -> str:
    """Return how the calls ended, a line each."""
    lines = [f"{'':24}{'result':>8}{'interrupt':>11}{'too late':>10}{'longest':>10}{'median':>9}"]
    for name, tally in tallies.items():
        counts = [tally.ends[end] for end in (RESULT, INTERRUPT, TOO_LATE)]
        longest, median = np.nanmax(tally.seconds), np.nanmedian(tally.seconds)
        lines.append(f"{name:24}{counts[0]:8}{counts[1]:11}{counts[2]:10}{longest:8.2f} s{median:7.2f} s")
    return "\n".join(lines)


if __name__ == "__main__":
    signals = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    where = sys.argv[2:] or ["python", "r"]
    found: dict[str, Tally] = {}
    if "python" in where:
        found |= {f"Python {name}": python_trials(name, signals) for name in CALLS}
    if "r" in where:
        found |= {f"R {name}": tally for name, tally in r_trials(CALLS, signals).items()}
    print(table(found))
