"""Fair timing of several systems in one process: they take turns, each once the others' threads are idle."""

import statistics
import time
from collections.abc import Callable

_TURN_SECONDS = 0.05  # a turn repeats its call for so long, so that short calls can be timed


def wait_until_idle(limit: float = 3.0) -> None:
    """Wait until no thread of this process spins any more (pools keep theirs busy for a while after work)."""
    end = time.perf_counter() + limit
    quiet = 0
    while quiet < 2 and time.perf_counter() < end:
        cpu, wall = time.process_time(), time.perf_counter()
        time.sleep(0.01)
        used = (time.process_time() - cpu) / (time.perf_counter() - wall)
        quiet = quiet + 1 if used < 0.05 else 0


def take_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return each call's seconds: the median over the rounds of the medians of its turns."""
    turns: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            wait_until_idle()
            turns[name].append(_turn(call))
    return {name: statistics.median(seconds) for name, seconds in turns.items()}


def _turn(call: Callable[[], object]) -> float:
    _timed(call)  # wakes threads and fills caches, as in a loop of evaluations
    seconds = [_timed(call)]
    while sum(seconds) < _TURN_SECONDS and len(seconds) < 1000:
        seconds.append(_timed(call))
    return statistics.median(seconds)


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
