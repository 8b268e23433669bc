"""Refuse a request that needs more memory than there is, before anything is allocated.

A number that a user gives (a net's size, replicates, the rows of a commutation matrix) may need more memory than any
machine has, and the system would then end the process without a message.
"""

from decimal import Decimal
from pathlib import Path

from matbn.errors import MemoryLimitError

_NUMBER = 8  # bytes of a float64
_NEGLIGIBLE = 50_000_000  # bytes, up to which the system is not asked


def check_memory(what: str, numbers: int, advice: str) -> None:
    """Refuse `what` if there is no memory for the float64 numbers that it holds at once; `advice` ends the error."""
    needed = _NUMBER * numbers
    if needed <= _NEGLIGIBLE:
        return
    left = available()
    if left is not None and needed > left:
        raise MemoryLimitError(
            f"too little memory: {what} would take {_bytes(needed)} of memory or more, and there are {_bytes(left)};"
            f" {advice}"
        )


def available() -> int | None:
    """Return the bytes that this process may still take; None where the system does not tell."""
    limits = [left for left in (_of_machine(), _of_container(), _of_process()) if left is not None]
    return max(0, min(limits)) if limits else None


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return 1024 * (kilobytes["MemAvailable"] + kilobytes["SwapFree"])
    except (OSError, ValueError, KeyError, IndexError):
        return _installed_memory()


def _installed_memory() -> int | None:
    import os

    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _of_container() -> int | None:
    """Return the bytes that are left in the control group, which limits a container's memory."""
    try:
        group = Path("/sys/fs/cgroup")
        return int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return None


def _of_process() -> int | None:
    """Return the bytes that the shell's limit (ulimit -v) leaves."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return None if limit == resource.RLIM_INFINITY else limit - pages * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return None


def _bytes(size: int) -> str:
    """Return a number of bytes as people write it."""
    for unit, bytes_ in (("TB", 10**12), ("GB", 10**9)):
        if size >= bytes_:
            return f"{size / bytes_:,.3g} {unit}" if size < 1000 * bytes_ else f"{Decimal(size) / bytes_:.1e} {unit}"
    return f"{size / 10**6:.3g} MB"
