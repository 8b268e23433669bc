"""Data that change or break between readings are refused by name; old and new are never mixed, no process ends."""

import os
import subprocess
import sys
import textwrap
import zlib
from itertools import count

import numpy as np
import pytest
from conftest import random_net

import matbn

NET = random_net(1, 40_000, 3, 4)
FEW = random_net(2, 300, 3, 4)
TIMES = count(1)
BOTH = pytest.mark.parametrize("net", [NET, FEW], ids=["in pieces", "kept"])


def saved(tmp_path, net, mode="r"):
    np.save(tmp_path / "X.npy", net.X)
    return np.load(tmp_path / "X.npy", mmap_mode=mode)


def rewritten(path, change):
    """Rewrite a file's bytes, with another time of change even where the clock is coarse."""
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    os.utime(path, ns=(1, next(TIMES)))


def flip(place):
    def change(content):
        content[place] ^= 0x10

    return change


def refused(match, function, *arguments, error=matbn.ArgumentError, **options):
    with pytest.raises(error, match=match):
        function(*arguments, **options)


# Reading a truncated map ends the process by SIGBUS, so these tests run in a process of their own.
TRUNCATED = """
    import os, sys, tempfile, numpy as np, matbn
    N = int(sys.argv[1])
    rng = np.random.default_rng(1)
    net = rng.normal(size=(3, 4)), np.ones(4), np.zeros(4), rng.normal(size=4)
    path = os.path.join(tempfile.mkdtemp(), "X.npy")
    views = {
        "itself": lambda X: X,
        "an array": np.asarray,
        "a slice": lambda X: np.asarray(X)[10:, :][::-1],
        "columns": lambda X: np.asarray(X).T[:3].T,
        "other numbers": lambda X: X.view(np.int64),
        "a buffer": lambda X: np.frombuffer(X.base, offset=128).reshape(-1, 3),
    }
    for name, view in views.items():
        np.save(path, rng.normal(size=(N, 3)))
        X = view(np.load(path, mmap_mode="r"))
        y = np.zeros(len(X))
        prepared = matbn.prepare(X, y)
        blocks = matbn.prepare(lambda: (X[a : a + 5_000] for a in range(0, len(X), 5_000)), y)
        outcomes = matbn.prepare(np.zeros((len(X), 1)) + np.arange(len(X))[:, None], X[:, 0])
        os.truncate(path, 4_096)
        calls = {
            "gradient": lambda: prepared.gradient(*net),
            "blocks": lambda: len(X) < 30_000 or blocks.gradient(*net),
            "outcomes": lambda: outcomes.fitted([[1.0]], [1.0], [0.0], [1.0]),
            "prepare": lambda: matbn.prepare(X, y),
            "net_gradient": lambda: matbn.net_gradient(X, y, *net),
            "outcome": lambda: matbn.net_gradient(np.zeros((len(X), 3)), X[:, 0], *net),
            "fit": lambda: matbn.fit(y, nets=matbn.net(X, 2)),
            "batch norm": lambda: matbn.bn_forward(X, np.ones(3), np.zeros(3)),
        }
        for call, function in calls.items():
            try:
                function()
                print(name, call, "passes")
            except matbn.MatbnError as error:
                needed, file = "4096 bytes, but " in str(error), name == "a buffer" or repr(path) in str(error)
                print(name, call, "refused" if needed and file else error)
"""


@pytest.mark.parametrize("N", [20_000, 60_000])
def test_a_mapped_file_that_was_cut_off_is_refused_everywhere(N):
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(TRUNCATED), str(N)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    told = ended.stdout.splitlines()
    assert len(told) == 6 * 8
    # Converted data, and few rows, which are kept, are in memory.
    in_memory = {"other numbers outcomes passes", *(f"{line.split(' blocks ')[0]} blocks passes" for line in told)}
    passes = {line for line in told if not line.endswith("refused")}
    assert passes <= in_memory if N < 30_000 else passes == {"other numbers outcomes passes"}


@BOTH
def test_a_mapped_file_that_was_rewritten_is_refused(tmp_path, net):
    X = saved(tmp_path, net)
    prepared = matbn.prepare(X, net.y)
    expected = prepared.gradient(**net.arguments).theta
    assert (prepared.gradient(**net.arguments).theta == expected).all()
    rewritten(tmp_path / "X.npy", flip(1_000))
    sentence = r"^the file '.*X.npy', which X is mapped from, was changed or replaced after X was prepared; .* again$"
    for call in (prepared.gradient, prepared.fitted, prepared.jacobian_gram):
        refused(sentence, call, **net.arguments)
    now = matbn.prepare(X, net.y).gradient(**net.arguments).theta
    assert (now == matbn.prepare(np.array(X), net.y).gradient(**net.arguments).theta).all()


@BOTH
def test_mapped_files_that_grow_are_replaced_or_removed(tmp_path, net):
    X = saved(tmp_path, net)
    prepared = matbn.prepare(X, net.y)
    expected = prepared.gradient(**net.arguments).theta
    os.rename(tmp_path / "X.npy", tmp_path / "old.npy")
    assert (prepared.gradient(**net.arguments).theta == expected).all()  # the mapped file itself is unchanged
    np.save(tmp_path / "X.npy", net.X)
    refused("was changed or replaced", prepared.gradient, **net.arguments)
    prepared = matbn.prepare(saved(tmp_path, net), net.y)
    with open(tmp_path / "X.npy", "ab") as file:
        file.write(b"more")
    refused("was changed or replaced", prepared.gradient, **net.arguments)


def test_writing_through_a_map_changes_the_file(tmp_path):
    X = saved(tmp_path, NET, "r+")
    prepared = matbn.prepare(X, NET.y)
    os.utime(tmp_path / "X.npy", ns=(1, 1))
    prepared = matbn.prepare(X, NET.y)
    X[5, 1] += 1
    X.flush()
    refused("was changed or replaced", prepared.gradient, **NET.arguments)
    X = saved(tmp_path, NET, "c")
    X[5, 1] += 1  # in memory alone
    copied = np.array(X)
    a, b = matbn.prepare(X, NET.y), matbn.prepare(copied, NET.y)
    assert (a.gradient(**NET.arguments).theta == b.gradient(**NET.arguments).theta).all()


def test_outcomes_and_weights_are_watched_too(tmp_path):
    y, w = np.abs(NET.y), np.ones(len(NET.y))
    np.save(tmp_path / "v.npy", y)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    for name, given in {"y": (mapped, w), "weights": (y, mapped)}.items():
        for X in (NET.X, lambda: [NET.X]):
            os.utime(tmp_path / "v.npy", ns=(5, 5))
            prepared = matbn.prepare(X, *given)
            os.utime(tmp_path / "v.npy", ns=(9, 9))
            refused(f"which {name} is mapped from, was changed", prepared.gradient, **NET.arguments)


def test_a_file_that_changes_during_a_reading_gives_no_result(tmp_path):
    X = saved(tmp_path, NET)
    own = matbn.Activation("own", lambda B: B, lambda B: touched(B), np.zeros_like)
    prepared = matbn.prepare(X, NET.y, activation=own)

    def touched(B):
        os.utime(tmp_path / "X.npy", ns=(7, 7))
        return np.ones_like(B)

    refused("was changed or replaced", prepared.gradient, **NET.arguments)


def test_fits_keep_their_own_data():
    Z, y, w = FEW.X.copy(), FEW.y.copy(), np.linspace(1, 2, len(FEW.y))
    states = np.arange(len(y)) % 5
    linear = np.random.default_rng(1).normal(size=(len(y), 1))

    def fitted():
        return matbn.fit(y, nets=matbn.net(Z, 2), linear=linear, effects=states, weights=w, penalty=0.1, starts=1)

    expected = fitted().vcov().matrix
    changed = fitted()
    for array in (Z, y, w, linear):
        array *= -3
        array += 1
    np.testing.assert_array_equal(changed.vcov().matrix, expected)


# Blocks


def test_blocks_that_change_are_refused():
    rng = np.random.default_rng(3)
    X, y = NET.X.copy(), NET.y.copy()

    def cut(size):
        return ((X[a : a + size], y[a : a + size]) for a in range(0, len(X), size))

    size = 1_000
    prepared = matbn.prepare(lambda: cut(size), threads=2)
    expected = prepared.gradient(**NET.arguments).theta
    assert (prepared.gradient(**NET.arguments).theta == expected).all()
    sentence = "^X returns other blocks than it did when it was first called"
    size = 4_000  # blocks of other lengths
    refused(sentence, prepared.gradient, **NET.arguments)
    size = 1_000
    order = rng.permutation(len(X))
    X, y = X[order], y[order]
    refused(sentence, prepared.gradient, **NET.arguments)
    back = np.argsort(order)
    X, y = X[back], y[back]
    assert (prepared.gradient(**NET.arguments).theta == expected).all()
    y[7_000] += 1e-9
    refused(sentence, prepared.fitted, **NET.arguments)
    y[7_000] = NET.y[7_000]
    X[:, 2] = rng.normal(size=len(X))
    refused(sentence, prepared.jacobian_gram, **NET.arguments)
    refused(sentence, matbn.prepare(lambda: iter([rng.normal(size=(40_000, 3))]), NET.y).gradient, **NET.arguments)


def test_one_array_for_all_blocks_gives_no_wrong_result():
    buffer = np.empty((500, 3))

    def reused(net):
        for a in range(0, len(net.X), 500):
            buffer[: len(net.X) - a] = net.X[a : a + 500]
            yield buffer[: len(net.X) - a]

    wide = random_net(4, 40_000, 3, 300)
    for net in (FEW, NET, wide):
        size = {} if net is FEW else {"threads": 1}
        one = matbn.prepare(lambda net=net: reused(net), net.y, **size)
        expected = matbn.prepare(lambda net=net: (net.X[a : a + 500] for a in range(0, len(net.X), 500)), net.y)
        assert (one.gradient(**net.arguments).theta == expected.gradient(**net.arguments).theta).all()
    racing = matbn.prepare(lambda: reused(wide), wide.y, threads=2)
    refused("was overwritten while it was in use", racing.gradient, **wide.arguments)


# Arrow


def written(tmp_path, net, **options):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"y": net.y, **{f"x{k}": net.X[:, k] for k in range(3)}})
    parquet.write_table(table, tmp_path / "X.parquet", row_group_size=5_000, **options)
    (tmp_path / "many").mkdir(exist_ok=True)
    for part in range(3):
        parquet.write_table(table.slice(part * len(net.y) // 3, 100), tmp_path / "many" / f"{part}.parquet")
    pa.feather.write_feather(table, tmp_path / "X.feather")
    return table


@BOTH
def test_arrow_files_that_change_are_refused(tmp_path, net):
    pytest.importorskip("pyarrow.feather")
    written(tmp_path, net)
    for name in ("X.parquet", "X.feather"):
        prepared = matbn.prepare(tmp_path / name, "y")
        expected = prepared.gradient(**net.arguments).theta
        assert (prepared.gradient(**net.arguments).theta == expected).all()
        os.utime(tmp_path / name, ns=(3, 3))
        refused(f"{name}' was changed after the data were prepared; prepare", prepared.gradient, **net.arguments)
        prepared = matbn.prepare(tmp_path / name, "y")
        os.remove(tmp_path / name)
        refused(f"{name}' has vanished after", prepared.gradient, **net.arguments)
    many = tmp_path / "many"
    dataset = pytest.importorskip("pyarrow.dataset")
    for given in (many, f"{many}/", dataset.dataset(many), dataset.dataset([dataset.dataset(many)])):
        prepared = matbn.prepare(given, "y")
        (many / "_SUCCESS").touch()
        (many / ".part").touch()
        prepared.gradient(**net.arguments)
        (many / "9.parquet").write_bytes((many / "0.parquet").read_bytes())
        if isinstance(given, dataset.Dataset):  # its files were listed when it was made
            prepared.gradient(**net.arguments)
        else:
            refused(r"9\.parquet' was added after", prepared.gradient, **net.arguments)
        os.remove(many / "9.parquet")
        prepared.gradient(**net.arguments)
        os.rename(many / "1.parquet", tmp_path / "away")
        refused(r"1\.parquet' has vanished after", prepared.gradient, **net.arguments)
        os.rename(tmp_path / "away", many / "1.parquet")
        rewritten(many / "2.parquet", lambda content: None)
        refused(r"2\.parquet' was changed after", prepared.gradient, **net.arguments)


def test_damaged_arrow_files_are_refused_by_name(tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    dataset = pytest.importorskip("pyarrow.dataset")
    table = written(tmp_path, NET, use_dictionary=False, write_page_checksum=True)
    many = tmp_path / "many"
    content = (many / "1.parquet").read_bytes()
    for part in (b"", b"PAR1", content[:500], content[:-1], content[4:], b"a,y\n1,2\n" * 50):
        (many / "1.parquet").write_bytes(part)
        refused(r"1\.parquet' cannot be read .* write it again", matbn.prepare, many, "y")
    for name in ("X.parquet", "X.feather"):
        content = (tmp_path / name).read_bytes()
        for length in (0, 3, 100, len(content) // 2, len(content) - 3):
            (tmp_path / name).write_bytes(content[:length])
            refused(f"{name}' cannot be read", matbn.prepare, tmp_path / name, "y")
    (tmp_path / "text.parquet").write_text("a,y\n1,2\n")
    refused(r"text\.parquet' cannot be read", matbn.prepare, tmp_path / "text.parquet", "y")
    for name, column, kind in (
        ("nested", pa.array([[1.0], [2.0]] * 5), "list"),
        ("named", pa.array(["a", "b"] * 5).dictionary_encode(), "dictionary"),
        ("day", pa.array([1, 2] * 5, pa.date32()), "date32"),
    ):
        other = pa.table({"y": np.arange(10.0), name: column})
        parquet.write_table(other, tmp_path / "other.parquet")
        refused(
            f"column '{name}' of X holds {kind}", matbn.prepare, tmp_path / "other.parquet", "y",
            error=matbn.ElementTypeError,
        )  # fmt: skip
    twice = pa.table([table["y"], table["x0"], table["x0"]], ["y", "x0", "x0"])
    refused("X has several columns 'x0'", matbn.prepare, twice, "y")
    parquet.write_table(pa.table({"y": np.arange(10.0), "x0": ["a"] * 10}), tmp_path / "other.parquet")
    whole = dataset.dataset([tmp_path / "other.parquet", many / "0.parquet"], schema=table.schema)
    refused(
        r"column 'x0' of X in the file '.*other\.parquet' holds string", matbn.prepare, whole, "y", columns=["x0"],
        error=matbn.ElementTypeError,
    )  # fmt: skip
    kept = dataset.dataset(many / "0.parquet").filter(dataset.field("x0") > 0)
    refused("X is a dataset whose files cannot be read one by one .*filter", matbn.prepare, kept, "y")
    late = pa.table({"x0": NET.X[:, 0], "y": np.where(np.arange(40_000) == 30_001, np.nan, NET.y)})
    refused("column 'y' of X has an entry .* in row 30001 ", matbn.prepare, late, "y", error=matbn.NotFiniteError)


FLIPPED = """
    import sys, warnings, numpy as np, matbn
    path, seed = sys.argv[1], int(sys.argv[2])
    content = open(path, "rb").read()
    net = np.ones((3, 2)) + np.arange(6).reshape(3, 2), np.ones(2), np.zeros(2), np.ones(2)
    expected = matbn.prepare(path, "y").gradient(*net).theta
    rng = np.random.default_rng(seed)
    told = dict(refused=0, same=0, other=0)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            damaged[place] ^= 1 << rng.integers(8)
        open(path, "wb").write(damaged)
        try:
            same = (matbn.prepare(path, "y").gradient(*net).theta == expected).all()
            told["same" if same else "other"] += 1
        except matbn.MatbnError:
            told["refused"] += 1
    print(told["refused"], told["same"], told["other"])
"""


@pytest.mark.parametrize("name", ["X.parquet", "X.feather"])
def test_flipped_bits_never_end_in_another_librarys_error(tmp_path, name):
    written(tmp_path, FEW, use_dictionary=False, write_page_checksum=True, compression="zstd")
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FLIPPED), str(tmp_path / name), str(zlib.crc32(name.encode()))],
        capture_output=True,
        text=True,
        check=False,
        # Where R runs in this process, it has named its own libraries' folder, which may hold another libpython.
        env={name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"},
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    caught, same, other = map(int, ended.stdout.split())
    assert caught + same + other == 60
    if name == "X.parquet":
        assert caught >= 20
        assert other == 0  # pages of this file have checksums
