"""The one-pass engine against whole matrices: every kind of data, every product, threads and weights."""

import threading
import tracemalloc

import numpy as np
import pytest
from conftest import CONVENTIONS, random_net

import matbn
from matbn import threads
from matbn.gradient import gradient_in_memory
from matbn.parameters import as_net
from matbn.stream.sizes import block_rows

KINDS = ("batch norm", "plain", "plain without bias")
SIZES = ((9, 4, 3), (300, 3, 5), (5, 8, 2), (40_011, 5, 7))  # few, more, fewer rows than inputs, several blocks


def error(found, expected):
    return np.max(np.abs(np.asarray(found) - expected)) / np.max(np.abs(expected))


def first_layer(net):
    return [net.arguments[name] for name in ("Gamma1", "gamma", "beta")]


@pytest.mark.parametrize("activation", matbn.ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("N", "p1", "p2"), SIZES)
def test_gradient_and_products_equal_those_of_whole_matrices(N, p1, p2, kind, activation):
    rng = np.random.default_rng(1)
    for ddof, eps in CONVENTIONS:
        net = random_net(3, N, p1, p2, kind)
        options = {"activation": activation, "ddof": ddof, "eps": eps}
        prepared = matbn.prepare(net.X, net.y, **options)
        expected = gradient_in_memory(as_net(net.X, **net.arguments, **options), net.y)
        found = prepared.gradient(**net.arguments)
        assert found.loss == pytest.approx(expected.loss, rel=1e-13)
        assert error(found.theta, expected.theta) < 1e-12
        layers = matbn.net_forward(net.X, **net.arguments, **options)
        assert error(prepared.fitted(**net.arguments), layers.fitted) < 1e-12
        products = prepared.cross_products(*first_layer(net))
        assert error(products.VtV, layers.V.T @ layers.V) < 1e-12
        assert error(products.Vty, layers.V.T @ net.y) < 1e-10  # terms of both signs
        assert products.yty == pytest.approx(net.y @ net.y, rel=1e-13)
        J = matbn.net_jacobian(net.X, **net.arguments, **options)
        direction, u = rng.normal(size=J.shape[1]), rng.normal(size=N)
        assert error(prepared.jacobian_product(**net.arguments, direction=direction), J @ direction) < 1e-12
        assert error(prepared.adjoint_product(**net.arguments, u=u), J.T @ u) < 1e-11
        assert error(prepared.jacobian_gram(**net.arguments), J.T @ J) < 1e-12


def blocks_of(X, y, size=777):
    for a in range(0, len(X), size):
        yield X[a : a + size], y[a : a + size]


def arrow_table(X, y=None):
    pa = pytest.importorskip("pyarrow")
    columns = {f"x{k}": X[:, k] for k in range(X.shape[1])}
    return pa.table(columns if y is None else {**columns, "y": y})


# The same rows in all the ways that `prepare` takes.
SOURCES = {
    "C order": lambda X, y: (X, y),
    "Fortran order": lambda X, y: (np.asfortranarray(X), y),
    "strided": lambda X, y: (np.repeat(X, 2, axis=0)[::2], y),
    "reversed": lambda X, y: (X[::-1].copy()[::-1], y),
    "big-endian": lambda X, y: (X.astype(">f8"), y),
    "blocks with outcomes": lambda X, y: (lambda: blocks_of(X, y), None),
    "blocks of inputs": lambda X, y: (lambda: (block[0] for block in blocks_of(X, y)), y),
    "blocks, some empty": lambda X, y: (lambda: iter([X[:0], X[:15_000], X[:0], X[15_000:], X[:0]]), y),
    "table": lambda X, y: (arrow_table(X, y), "y"),
    "table and a vector": lambda X, y: (arrow_table(X), y),
    "record batch": lambda X, y: (arrow_table(X, y).combine_chunks().to_batches()[0], "y"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_kind_of_data(name):
    net = random_net(4, 40_011, 3, 4)
    X, y = SOURCES[name](net.X, net.y)
    prepared = matbn.prepare(X, y, activation="tanh")
    expected = matbn.prepare(net.X, net.y, activation="tanh")
    assert prepared.N == 40_011
    np.testing.assert_allclose(prepared.mean, net.X.mean(axis=0), rtol=1e-14)
    centred = net.X - net.X.mean(axis=0)
    assert error(prepared.T.T @ prepared.T, centred.T @ centred) < 1e-13
    assert error(prepared.gradient(**net.arguments).theta, expected.gradient(**net.arguments).theta) < 1e-13
    assert error(prepared.fitted(**net.arguments), expected.fitted(**net.arguments)) < 1e-12


def test_files(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet, feather = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow.feather")
    net = random_net(4, 40_011, 3, 4)
    expected = matbn.prepare(net.X, net.y, activation="tanh").gradient(**net.arguments)
    table = pa.table({"y": net.y, **{f"x{k}": net.X[:, k] for k in range(3)}, "unused": ["a"] * len(net.y)})
    names = ["x0", "x1", "x2"]
    np.save(tmp_path / "X.npy", net.X)
    parquet.write_table(table, tmp_path / "one.parquet", row_group_size=3000)
    feather.write_feather(table, tmp_path / "one.feather")
    (tmp_path / "many").mkdir()
    for number, start in enumerate(range(0, 40_011, 4000)):
        parquet.write_table(table.slice(start, 4000), tmp_path / "many" / f"{number:02}.parquet", row_group_size=1500)
    mapped = matbn.prepare(np.load(tmp_path / "X.npy", mmap_mode="r"), net.y, activation="tanh")
    assert (mapped.gradient(**net.arguments).theta == expected.theta).all()
    for path in ("one.parquet", "one.feather", "many"):
        prepared = matbn.prepare(tmp_path / path, "y", activation="tanh", columns=names)
        assert error(prepared.gradient(**net.arguments).theta, expected.theta) < 1e-13, path
        by_vector = matbn.prepare(str(tmp_path / path), net.y, activation="tanh", columns=names)
        assert (by_vector.gradient(**net.arguments).theta == prepared.gradient(**net.arguments).theta).all(), path


def test_integer_weights_equal_copies_of_rows():
    net = random_net(5, 20_000, 3, 4)
    w = np.random.default_rng(5).integers(0, 4, 20_000)
    copies = np.repeat(np.arange(20_000), w)
    for activation in ("relu", "gelu"):
        a = matbn.prepare(net.X, net.y, w, activation=activation)
        b = matbn.prepare(net.X[copies], net.y[copies], activation=activation)
        assert a.gradient(**net.arguments).loss == pytest.approx(b.gradient(**net.arguments).loss, rel=1e-13)
        assert error(a.gradient(**net.arguments).theta, b.gradient(**net.arguments).theta) < 1e-13
        assert error(a.jacobian_gram(**net.arguments), b.jacobian_gram(**net.arguments)) < 1e-13
        assert error(a.cross_products(*first_layer(net)).VtV, b.cross_products(*first_layer(net)).VtV) < 1e-13
        assert error(a.fitted(**net.arguments)[copies], b.fitted(**net.arguments)) < 1e-12


def test_weights_in_blocks_and_columns():
    pa = pytest.importorskip("pyarrow")
    net = random_net(5, 3_000, 2, 3)
    w = np.random.default_rng(5).uniform(0, 2, 3_000)
    expected = matbn.prepare(net.X, net.y, w).gradient(**net.arguments).theta
    table = pa.table({"a": net.X[:, 0], "b": net.X[:, 1], "y": net.y, "w": w})
    parts = [slice(a, a + 700) for a in range(0, 3_000, 700)]
    for given in (
        (table, "y", "w"),
        (table.select(["a", "b"]), net.y, w),
        (lambda: ((net.X[part], net.y[part], w[part]) for part in parts), None, None),
        (lambda: (net.X[part] for part in parts), net.y, w),
    ):
        assert error(matbn.prepare(*given).gradient(**net.arguments).theta, expected) < 1e-13


def test_single_precision():
    net = random_net(6, 20_000, 4, 3)
    X = net.X.astype(np.float32)
    expected = matbn.prepare(X, net.y, dtype=np.float64, activation="tanh")
    found = matbn.prepare(X, net.y, activation="tanh")
    assert found.data.source.dtype == np.float32
    assert (
        error(
            expected.gradient(**net.arguments).theta,
            matbn.net_gradient(X, net.y, **net.arguments, activation="tanh").theta,
        )
        < 1e-13
    )
    for name in ("theta", "loss"):
        a, b = getattr(found.gradient(**net.arguments), name), getattr(expected.gradient(**net.arguments), name)
        assert error(a, b) < 1e-6
    assert error(found.fitted(**net.arguments), expected.fitted(**net.arguments)) < 1e-5
    assert error(found.jacobian_gram(**net.arguments), expected.jacobian_gram(**net.arguments)) < 1e-6
    assert found.fitted(**net.arguments).dtype == np.float64
    for few in (20_000, 50):  # in blocks, and kept as one
        gradient = matbn.prepare(X[:few], net.y[:few], activation="tanh").gradient(**net.arguments)
        for name in ("Gamma1", "gamma", "beta", "Gamma2"):
            assert getattr(gradient, name).dtype == np.float64


def test_results_do_not_depend_on_the_number_of_threads():
    net = random_net(7, 60_000, 9, 12)
    for activation in ("relu", "tanh", "softplus"):
        thetas = [
            matbn.prepare(net.X, net.y, activation=activation, threads=count).gradient(**net.arguments).theta
            for count in (1, 2, 3, 2, 5)
        ]
        assert all((theta == thetas[0]).all() for theta in thetas), activation


def test_small_work_starts_no_threads_and_leaves_blas_alone(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("small work")

    monkeypatch.setattr(threads.threading, "Thread", refuse)
    monkeypatch.setattr(threads, "one_blas_thread", refuse)
    net = random_net(8, 10_000, 10, 8)
    matbn.prepare(net.X, net.y, threads=4).gradient(**net.arguments)
    matbn.net_gradient(net.X, net.y, **net.arguments)


def test_blas_is_held_to_one_thread_only_while_at_work():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    blas = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    before = [library.num_threads for library in blas]
    inside = []

    def process(piece):
        inside.extend(library.num_threads for library in blas)
        with threads.one_blas_thread():
            return piece

    assert threads.combine_in_order(range(100), process, int.__add__, 3) == sum(range(100))
    assert set(inside) == {1}
    assert [library.num_threads for library in blas] == before


def test_the_first_error_stops_all_threads():
    seen = []

    def process(piece):
        seen.append(piece)
        if piece == 5:
            raise KeyError("five")
        return piece

    before = threading.active_count()
    with pytest.raises(KeyError, match="five"):
        threads.combine_in_order(iter(range(10**9)), process, int.__add__, 3)
    assert threading.active_count() == before
    assert len(seen) < 10_000


def test_an_error_while_blocks_are_made_is_the_users_own():
    net = random_net(8, 40_000, 2, 2)
    broken = False

    def blocks():
        yield net.X[:5_000]
        if broken:
            raise RuntimeError("the disk is gone")
        yield net.X[5_000:]

    prepared = matbn.prepare(blocks, net.y, threads=2)
    broken = True
    with pytest.raises(RuntimeError, match="the disk is gone"):
        prepared.gradient(**net.arguments)


def test_many_threads_may_use_one_prepared_object():
    net = random_net(9, 40_000, 9, 12)
    prepared = matbn.prepare(net.X, net.y, activation="tanh")
    expected = prepared.gradient(**net.arguments).theta
    found = []
    users = [
        threading.Thread(target=lambda: found.extend(prepared.gradient(**net.arguments).theta for _ in range(5)))
        for _ in range(4)
    ]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(found) == 20
    assert all((theta == expected).all() for theta in found)


def test_working_memory_is_that_of_a_few_blocks():
    net = random_net(10, 300_000, 20, 32)
    prepared = matbn.prepare(net.X, net.y, threads=2)
    tracemalloc.start()
    try:
        prepared.gradient(**net.arguments)
        matbn.net_gradient(net.X, net.y, **net.arguments)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20  # X has 48 MB, B and V would have 77 each
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("sizes", [(1, 1), (10, 8), (20, 32), (100, 64), (3000, 5)])
@pytest.mark.parametrize("itemsize", [4, 8])
def test_blocks_have_lengths_that_spread_over_the_cache(sizes, itemsize):
    rows = block_rows(*sizes, itemsize)
    assert rows >= 56
    assert rows % 8 == 0
    assert rows % 512


def test_own_activations_run_in_the_calling_thread_on_nodes_in_columns():
    names = set()

    def value(B):
        names.add(threading.current_thread().name)
        assert B.shape[1] == 12
        return B**2 / 2

    net = random_net(11, 60_000, 9, 12)
    square = matbn.Activation("square", value, lambda B: B, np.ones_like)
    prepared = matbn.prepare(net.X, net.y, activation=square, threads=3)
    expected = gradient_in_memory(as_net(net.X, **net.arguments, activation=square, ddof=1, eps=0), net.y)
    assert error(prepared.gradient(**net.arguments).theta, expected.theta) < 1e-12
    assert names == {threading.current_thread().name}


def test_parquet_is_read_in_little_memory(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    net = random_net(12, 1_000_000, 4, 3)
    table = pa.table({"y": net.y, **{f"x{k}": net.X[:, k] for k in range(4)}})
    parquet.write_table(table, tmp_path / "X.parquet", row_group_size=100_000, use_dictionary=False)
    size = (tmp_path / "X.parquet").stat().st_size
    del table
    before = pa.total_allocated_bytes()
    prepared = matbn.prepare(tmp_path / "X.parquet", "y")
    seen = []
    counted = prepared.data.source.pieces

    def watched(block):
        for piece in counted(block):
            seen.append(pa.total_allocated_bytes() - before)
            yield piece

    object.__setattr__(prepared.data.source, "pieces", watched)
    prepared.gradient(**net.arguments)
    assert len(seen) == 10
    assert max(seen) < size / 3
