import numpy as np
import pytest

import matbn
from matbn.errors import ArgumentError


def batches(count=4, N=6, p=3):
    rng = np.random.default_rng(0)
    return [rng.normal(1.0, 2.0, (N, p)) for _ in range(count)]


def test_momentum_weighs_the_batch_or_the_running_value():
    (Z,) = batches(1)
    start = matbn.running_start(3)
    by_batch = matbn.running_update(start, Z, 0.1)
    by_running = matbn.running_update(start, Z, 0.9, momentum_of="running")
    np.testing.assert_allclose(by_batch.mean, 0.1 * Z.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(by_batch.variance, 0.9 + 0.1 * Z.var(axis=0, ddof=1), rtol=1e-14)
    np.testing.assert_allclose(by_running.mean, by_batch.mean, rtol=1e-13)
    np.testing.assert_allclose(by_running.variance, by_batch.variance, rtol=1e-13)


def test_cumulative_average_counts_batches_alike():
    running = matbn.running_start(3)
    for Z in batches():
        running = matbn.running_update(running, Z, None, running_ddof=0)
    np.testing.assert_allclose(running.mean, np.mean([Z.mean(axis=0) for Z in batches()], axis=0), rtol=1e-13)
    np.testing.assert_allclose(running.variance, np.mean([Z.var(axis=0) for Z in batches()], axis=0), rtol=1e-13)
    assert running.batches == 4


def test_training_normalises_by_the_batch_and_inference_by_the_running_statistics():
    (Z,) = batches(1)
    gamma, beta = np.array([1.0, 2, 3]), np.array([0.5, 0, -1])
    Y, _, running = matbn.bn_train(Z, gamma, beta, matbn.running_start(3), momentum=1, running_ddof=0)
    np.testing.assert_allclose(Y, matbn.bn_forward(Z, gamma, beta, 0, 1e-5).Y, rtol=1e-14)
    np.testing.assert_allclose(matbn.bn_infer(Z, gamma, beta, running).Y, Y, rtol=1e-12, atol=1e-14)
    one, _ = matbn.bn_infer(Z[:1], gamma, beta, running)
    np.testing.assert_allclose(one, Y[:1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_backward_of_inference_holds_the_statistics(layout):
    (Z,) = batches(1)
    dY = np.random.default_rng(1).normal(size=Z.shape)
    if layout == "columns":
        Z, dY = Z.T, dY.T
    gamma, beta = np.array([1.0, 2, 3]), np.zeros(3)
    running = matbn.RunningStatistics(np.array([1.0, 2, 3]), np.array([1.0, 4, 9]))
    _, cache = matbn.bn_infer(Z, gamma, beta, running, layout=layout)
    gradient = matbn.bn_backward(dY, cache)
    check = matbn.check_gradient(
        lambda Z, gamma, beta: (dY * matbn.bn_infer(Z, gamma, beta, running, layout=layout).Y).sum(),
        gradient._asdict(),
        {"Z": Z, "gamma": gamma, "beta": beta},
    )
    assert max(check.errors.values()) < 1e-14


def test_momentum_outside_0_to_1_is_refused():
    (Z,) = batches(1)
    with pytest.raises(ArgumentError, match="momentum is 2, but must lie between 0 and 1"):
        matbn.running_update(matbn.running_start(3), Z, 2)
    with pytest.raises(ArgumentError, match="momentum_of is 'old'"):
        matbn.running_update(matbn.running_start(3), Z, momentum_of="old")
    with pytest.raises(ArgumentError, match=r"running\.variance has negative entries"):
        matbn.bn_infer(Z, np.ones(3), np.ones(3), matbn.RunningStatistics(np.zeros(3), np.array([1.0, -1, 1])))
