"""A request for more memory than there is gets refused before anything is allocated, with the amount it would take."""

import subprocess
import sys

import numpy as np
import pytest

import matbn
from matbn import memory

HUGE = [
    (lambda: matbn.commutation(10**5, 10**5), "a commutation matrix of 10,000,000,000 rows would take 400 GB"),
    (lambda: matbn.commutation_order(10**6, 10**6), "a permutation of 1000000 × 1000000 entries would take 16 TB"),
    (lambda: matbn.diagonal_selection(10**7), "a matrix of 100,000,000,000,000 rows would take 800 TB"),
    (lambda: matbn.kronecker_differential_A((10**5, 10**5), np.eye(3)), "the differential of A⊗B, .* would take"),
    (lambda: matbn.kronecker_differential_B(np.eye(3), (10**5, 10**5)), "the differential of A⊗B, .* would take"),
    (lambda: matbn.running_start(10**13), "the statistics of 10,000,000,000,000 nodes would take 160 TB"),
    (lambda: matbn.bn_jacobian(np.arange(10.0**6)), "the Jacobian, 1,000,000 × 1,000,000, would take 24 TB"),
    (lambda: matbn.check_gradient(np.sum, np.ones(1), np.ones(1), directions=10**12), "directions .* would take"),
    (
        lambda: matbn.fit(np.arange(9.0), linear=np.arange(9.0) ** 2).bootstrap(replicates=10**12),
        "replicates would take",
    ),
]


@pytest.mark.parametrize(("call", "message"), HUGE, ids=[message for _, message in HUGE])
def test_sizes_beyond_any_machines_memory_are_refused(call, message):
    with pytest.raises(matbn.MemoryLimitError, match=f"{message}.* of memory or more, and there are .*; take"):
        call()


def test_sizes_that_come_from_arrays_are_judged_by_what_is_left(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 100_000_000)
    X, y, wide = np.ones((20_000, 3)), np.ones(20_000), np.ones((3, 100))
    net = (wide, np.ones(100), np.ones(100), np.ones(100))
    with pytest.raises(
        matbn.MemoryLimitError, match=r"the Jacobian, 20,000 × 600, would take 192 MB of memory or more"
    ):
        matbn.net_jacobian(X, *net)
    with pytest.raises(
        matbn.MemoryLimitError, match=r"route 'kronecker' with Jacobians of 100 × 20,000 × 20,000 entries"
    ):
        matbn.net_gradient(X, y, *net, route="kronecker")
    with pytest.raises(matbn.MemoryLimitError, match=r"JᵀJ, 4,000 × 4,000, would take 384 MB"):
        matbn.prepare(X, y, activation="tanh").jacobian_gram(np.ones((3, 800)), None, np.ones(800), np.ones(800))
    with pytest.raises(
        matbn.MemoryLimitError, match=r"a fit with 5,000 nodes and 15,000 parameters would take 5\.4 GB"
    ):
        matbn.fit(y, nets=matbn.net(X[:, :1], 5_000))
    memory.check_memory("this", 12_000_000, "")
    with pytest.raises(
        matbn.MemoryLimitError,
        match="too little memory: this would take 104 MB of memory or more, and there are 100 MB; rest",
    ):
        memory.check_memory("this", 13_000_000, "rest")


def test_the_memory_that_is_left_is_known():
    left = memory.available()
    assert left is None or 10**6 < left < 10**15


@pytest.mark.skipif(sys.platform != "linux", reason="the shell's limit counts address space on Linux only")
def test_the_shells_limit_counts():
    code = (
        "import resource, matbn; resource.setrlimit(resource.RLIMIT_AS, (8 * 10**9, 8 * 10**9))\n"
        "try: matbn.commutation_order(30_000, 30_000)\n"
        "except matbn.MemoryLimitError as error: print(error)"
    )
    told = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert told.startswith(
        "too little memory: a permutation of 30000 × 30000 entries would take 14.4 GB of memory or more, and there are "
    )
