"""Threads, forks and memory: the engine in forked processes, and where threads or memory are scarce."""

import multiprocessing
import os
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc

import numpy as np
import pytest
from conftest import random_net

import matbn
from matbn import threads
from matbn.blas import one_blas_thread, thread_counts

NET = random_net(1, 60_000, 9, 12)
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*multi-threaded:DeprecationWarning"
)  # these tests fork while threads run on purpose
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
needs_limits = pytest.mark.skipif(sys.platform != "linux", reason="limits on memory and processes are Linux's")


# Forks


def in_child(work, seconds=20):
    """Return the result of work() in a forked child, as text; None where the child does not end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, repr(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], seconds)
        return os.read(reading, 100).decode() if ready else None
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@needs_fork
@pytest.mark.parametrize("others", ["take the limit in turns", "hold the limit", "compute"])
def test_a_child_computes_whatever_other_threads_were_doing(others):
    prepared = matbn.prepare(NET.X, NET.y, threads=2)
    expected, counts = prepared.gradient(**NET.arguments).theta, thread_counts()
    ended = threading.Event()

    def busy():
        while not ended.is_set():
            if others == "compute":
                prepared.gradient(**NET.arguments)
            else:
                with one_blas_thread():
                    ended.wait(0.05 if others == "hold the limit" else 0)

    def work():
        before = thread_counts()
        same = (prepared.gradient(**NET.arguments).theta == expected).all()
        return bool(same and before == thread_counts() == counts)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        found = []
        for _ in range(15):
            time.sleep(0.002)
            found.append(in_child(work))
    finally:
        ended.set()
        thread.join()
    assert found == ["True"] * 15
    assert thread_counts() == counts


@needs_fork
def test_a_child_that_is_forked_inside_the_limit_may_leave_it():
    counts = thread_counts()

    def leave():
        with one_blas_thread():
            inside = thread_counts()
        return inside, thread_counts()

    with one_blas_thread():
        assert in_child(leave) == repr(((1,) * len(counts), counts))
        child = in_child(lambda: (thread_counts(), fork_and_leave()))
    assert child == repr((counts, counts))
    assert thread_counts() == counts


def fork_and_leave():
    with one_blas_thread():
        reading, writing = os.pipe()
        child = os.fork()
    if child == 0:  # the limit of the parent no longer holds here
        os.write(writing, repr(thread_counts()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return eval(os.read(reading, 100).decode(), {})


def gradient_of(seed):
    return matbn.prepare(NET.X, NET.y, threads=2).gradient(**NET.arguments).theta


@needs_fork
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes(method):
    expected = gradient_of(0)
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map_async(gradient_of, range(4)).get(timeout=100)
    assert all((theta == expected).all() for theta in found)


def test_joblib():
    joblib = pytest.importorskip("joblib")
    expected = gradient_of(0)
    for backend in ("loky", "threading"):
        found = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(gradient_of)(k) for k in range(4))
        assert all((theta == expected).all() for theta in found), backend
    assert threading.active_count() < 20


# Threads


def test_any_thread_may_hold_blas_and_lift_the_limit():
    counts = thread_counts()
    if not counts:
        pytest.skip("no BLAS library is known")
    with one_blas_thread():
        pass
    seen = []

    def hold(first, then):
        with one_blas_thread():
            seen.append(thread_counts())
            first.set()
            then.wait(10)

    begun, second, leave_first, leave_second = (threading.Event() for _ in range(4))
    holders = [
        threading.Thread(target=hold, args=(begun, leave_first)),
        threading.Thread(target=hold, args=(second, leave_second)),
    ]
    for holder, there in zip(holders, (begun, second), strict=True):
        holder.start()
        assert there.wait(10)
    leave_first.set()
    holders[0].join()
    seen.append(thread_counts())
    leave_second.set()
    holders[1].join()
    assert seen == [(1,) * len(counts)] * 3
    assert thread_counts() == counts


METHODS = {
    "gradient": {},
    "fitted": {},
    "jacobian_gram": {},
    "jacobian_product": {"direction": np.linspace(-1, 1, 9 * 12 + 36)},
    "adjoint_product": {"u": np.cos(np.arange(60_000))},
}


def numbers(found):
    if isinstance(found, np.ndarray):
        return found
    if isinstance(found, matbn.CrossProducts):
        return np.concatenate([found.VtV.ravel(), found.Vty, [found.yty]])
    return np.append(found.theta, found.loss)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_result_depends_on_the_number_of_threads(activation, weighted, monkeypatch):
    w = np.linspace(0, 2, 60_000) if weighted else None
    first_layer = {name: NET.arguments[name] for name in ("Gamma1", "gamma", "beta")}
    sources = {
        "array": (NET.X, NET.y, w),
        "single precision": (NET.X.astype(np.float32), NET.y, w),
        "blocks": (lambda: (NET.X[a : a + 7_777] for a in range(0, 60_000, 7_777)), NET.y, w),
    }
    for source, given in sources.items():
        results = {}
        for count in (1, 2, 3):
            prepared = matbn.prepare(*given, activation=activation, threads=count)
            found = {name: getattr(prepared, name)(**NET.arguments, **more) for name, more in METHODS.items()}
            found["cross_products"] = prepared.cross_products(**first_layer)
            found["T"] = prepared.T
            if source == "array" and not weighted:
                monkeypatch.setattr("matbn.stream.one_off.default_threads", lambda count=count: count)
                found["net_gradient"] = matbn.net_gradient(NET.X, NET.y, **NET.arguments, activation=activation)
            for name, value in found.items():
                assert (numbers(value) == results.setdefault(name, numbers(value))).all(), (source, name, count)


def test_where_no_threads_can_start_the_calling_one_does_the_work(monkeypatch):
    expected = matbn.prepare(NET.X, NET.y, threads=1).gradient(**NET.arguments).theta
    counts, before = thread_counts(), threading.active_count()
    start = threading.Thread.start
    for allowed in (0, 1, 2):
        started = []

        def limited(thread, allowed=allowed, started=started):
            if len(started) == allowed:
                raise RuntimeError("can't start new thread")
            started.append(thread)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", limited)
        prepared = matbn.prepare(NET.X, NET.y, threads=1)
        object.__setattr__(prepared.data, "threads", 4)
        assert (prepared.gradient(**NET.arguments).theta == expected).all()
        monkeypatch.undo()
        assert len(started) == allowed
    assert threading.active_count() == before
    assert thread_counts() == counts


LIMITED = """
    import resource, threading, numpy as np, matbn
    from matbn.blas import thread_counts
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60_000, 9)), rng.normal(size=60_000)
    net = rng.normal(size=(9, 12)), np.ones(12), np.zeros(12), rng.normal(size=12)
    expected = matbn.prepare(X, y, threads=1).gradient(*net).theta
    counts, before = thread_counts(), threading.active_count()
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    threading.stack_size(2**27)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, resource.RLIM_INFINITY))  # no room for a second thread
    found = matbn.prepare(X, y, threads=8).gradient(*net).theta
    print((found == expected).all(), thread_counts() == counts, threading.active_count() == before)
    try:
        matbn.prepare(X, y, threads=2).jacobian_gram(rng.normal(size=(9, 400)), *np.ones((3, 400)))
    except matbn.MatbnError as error:
        print(type(error).__name__, "too little memory" in str(error))
    print(thread_counts() == counts, threading.active_count() == before)
"""


@needs_limits
def test_with_little_memory_fewer_threads_work_or_the_error_says_so():
    command = [sys.executable, "-c", textwrap.dedent(LIMITED)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["True True True", "MemoryLimitError True", "True True"]


def test_an_error_in_a_helper_thread_is_raised_once_and_ends_the_others():
    caller, raised, begun = threading.get_ident(), [], threading.Event()

    def process(piece):
        if threading.get_ident() == caller:
            begun.wait(10)  # so that a helper is the one to fail
            return piece
        begun.set()
        raised.append(piece)
        raise KeyError("in a helper")

    before = threading.active_count()
    with pytest.raises(KeyError, match="in a helper") as told:
        threads.combine_in_order(iter(range(10**9)), process, int.__add__, 2)
    assert told.value.__context__ is None
    assert len(raised) == 1
    assert threading.active_count() == before


# Memory


def test_working_memory_is_kept_for_the_last_shapes_only():
    prepared = matbn.prepare(NET.X, NET.y, threads=2)
    nets = {p2: random_net(p2, 10, 9, p2).arguments for p2 in range(1, 121)}
    prepared.gradient(**nets[120])
    tracemalloc.start()
    try:
        for p2, net in nets.items():
            prepared.gradient(**net)
            if p2 == 20:
                minimum_at_kinks = tracemalloc.get_traced_memory()[0]
        grown = tracemalloc.get_traced_memory()[0] - minimum_at_kinks
    finally:
        tracemalloc.stop()
    assert len(prepared.data.spare) <= 2
    assert all(len(kept) <= 2 for kept in prepared.data.spare.values())
    assert grown < 2**25  # 900 MB where every shape was kept


def test_two_shapes_in_turns_and_one_again_and_again_allocate_nothing(monkeypatch):
    prepared = matbn.prepare(NET.X, NET.y, threads=1)
    nets = [random_net(p2, 10, 9, p2).arguments for p2 in (4, 7)]
    for net in nets:
        prepared.gradient(**net)
    monkeypatch.setattr("matbn.stream.run.make_buffers", lambda *given: pytest.fail("allocated anew"))
    for net in [*nets, *nets, nets[1], nets[1]]:
        prepared.gradient(**net)


def test_calls_leave_nothing_behind():
    few = random_net(3, 300, 3, 4)
    prepared = matbn.prepare(few.X, few.y)
    first_layer = {name: few.arguments[name] for name in ("Gamma1", "gamma", "beta")}
    calls = [
        lambda: prepared.gradient(**few.arguments),
        lambda: prepared.fitted(**few.arguments),
        lambda: prepared.cross_products(**first_layer),
        lambda: prepared.jacobian_gram(**few.arguments),
        lambda: prepared.adjoint_product(**few.arguments, u=few.y),
        lambda: prepared.jacobian_product(**few.arguments, direction=np.ones(3 * 4 + 12)),
        lambda: matbn.prepare(few.X, few.y),
        lambda: matbn.net_gradient(few.X, few.y, **few.arguments),
        lambda: matbn.net_gradient(few.X[:50], few.y[:50], **few.arguments),
    ]
    for number, call in enumerate(calls):
        call()
        tracemalloc.start()
        try:
            for _ in range(50):
                call()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(200):
                call()
            assert tracemalloc.get_traced_memory()[0] - before < 20_000, number
        finally:
            tracemalloc.stop()
