"""How many rows are in a strip (multiplied at once), a block (stays in cache) and a piece (taken by one thread).

Threads of one Python process wait for each other between NumPy's calls, so blocks are long: they fill a core's share of
the cache that all cores use, and not only the core's own. Inside a block, products go strip by strip: OpenBLAS
multiplies small matrices where they lie, and larger ones only after copying them.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

STRIP = 1_200  # rows
_UNPACKED_PRODUCTS = 1_000_000  # multiplications, up to which OpenBLAS copies nothing
_LONGEST_BLOCK = 20 * STRIP
_PIECES = 64  # of an array, at most: enough for threads to finish together, and few enough to cost little
_KEPT_NUMBERS = 100_000  # entries of X, up to which its centred copy is kept


@lru_cache(256)
def block_rows(p1: int, p2: int, itemsize: int) -> int:
    """Return how many rows make a block."""
    n = min(_LONGEST_BLOCK, max(64, cache_share() // (2 * itemsize * (p1 + 1 + p2))))
    if n > 2 * STRIP:
        return n - n % STRIP
    n -= n % 8  # whole cache lines
    return n - 8 if n % 512 == 0 else n  # rows a power of two apart would compete for a few lines of the cache


def even_blocks(n: int, longest: int) -> Iterator[tuple[int, int]]:
    """Cut n rows into blocks of nearly equal length; long blocks consist of whole strips."""
    if n:
        size = -(-n // -(-n // longest))
        if size > 2 * STRIP:
            size = min(longest, -(-size // STRIP) * STRIP)
        for start in range(0, n, size):
            yield start, min(start + size, n)


def even_pieces(N: int, block: int) -> Iterator[tuple[int, int]]:
    """Cut N rows into pieces of nearly equal length, each about a whole number of blocks."""
    blocks = -(-N // block)
    return even_blocks(N, block * -(-blocks // _PIECES))


def rows_in_strips(n: int, p1: int, p2: int) -> int:
    """Return how many of n rows to multiply in strips: 0 where rows are few, or where a strip's product is large."""
    return 0 if n < 2 * STRIP or STRIP * p1 * p2 > _UNPACKED_PRODUCTS else n - n % STRIP


def is_small(N: int, p1: int) -> bool:
    """Return whether X is small enough for a centred copy to be kept."""
    return N * (p1 + 1) <= _KEPT_NUMBERS


@cache
def cache_share() -> int:
    """Return the bytes of a thread's working memory: half a core's share of the last-level cache that Linux reports."""
    try:
        (level,) = Path("/sys/devices/system/cpu/cpu0/cache").glob("index3")
        size = int((level / "size").read_text().strip().removesuffix("K")) * 1024
        share = size // (2 * _cpu_count((level / "shared_cpu_list").read_text()))
    except (OSError, ValueError):
        share = 4_000_000
    return min(max(share, 1_000_000), 8_000_000)


def _cpu_count(cpus: str) -> int:
    """Return how many CPUs there are in a list such as 0-3,8."""
    ranges = [part.split("-") for part in cpus.strip().split(",")]
    return sum(int(part[-1]) - int(part[0]) + 1 for part in ranges)
