"""Fuzzes the R package: runs fuzz.R, again after each case that took too long or ended the process.

    python tests/fuzz/fuzz_r.py [--rounds 1000] [--seed 1] [--minutes M] [--seconds 30]

It lists what it finds, a line each with kind, call and message, and then ends with status 1. `--minutes` goes on with
further rounds until so much time is over. The calls of corpus.R, which have found something once, come first.
"""

import argparse
import os
import resource
import select
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
LIBRARY = HERE.parent.parent / ".r-library"
MEMORY = 8 * 2**30


def findings(seed: int, rounds: int, seconds: float = 30, corpus: bool = True) -> list[tuple[str, str, str]]:
    """Run cases 1 to `rounds` of a seed, and return (kind, call, message) of each finding."""
    found: list[tuple[str, str, str]] = []
    start = 1
    while start <= rounds or corpus:
        ended, case = _run(seed, start, rounds, seconds, corpus, found)
        if ended == "done":
            break
        number, call = case
        if number == 0:
            raise RuntimeError(f"fuzz.R did not begin: {ended}")
        found.append((ended, call, ""))
        if number < 0:
            corpus, number = False, 0
        start = number + 1
        corpus = False
    return found


def _run(seed, start, rounds, seconds, corpus, found):
    """Run one R process until it is done or must be given up; return how it ended, and its last case."""
    environment = {
        **os.environ,
        "RETICULATE_PYTHON": sys.executable,
        "R_LIBS": str(LIBRARY),
        "R_DEFAULT_INTERNET_TIMEOUT": "1",
    }
    environment.pop("PYTHONPATH", None)
    arguments = ["Rscript", "--vanilla", str(HERE / "fuzz.R"), str(seed), str(start), str(rounds)]
    process = subprocess.Popen(
        [*arguments, str(HERE / "corpus.R")] if corpus else arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert process.stdout is not None
    case, rest = (0, "start"), b""
    try:
        while True:
            if not select.select([process.stdout], [], [], seconds + (60 if case[0] == 0 else 0))[0]:
                return f"over {seconds:g} seconds", case
            read = os.read(process.stdout.fileno(), 65536)
            if not read:
                return f"the process ended with {process.wait()}", case
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                what, *fields = line.decode(errors="replace").split("\t")
                if what == "CASE":
                    case = int(fields[0]), fields[1]
                elif what == "FOUND":
                    found.append((fields[0], fields[1], fields[2]))
                elif what == "DONE":
                    return "done", case
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=30.0, help="for one call")
    given = parser.parse_args()
    begun, seed, several = time.monotonic(), given.seed, set()
    while True:
        for kind, call, message in findings(seed, given.rounds, given.seconds, corpus=seed == given.seed):
            same = kind, call.partition("(")[0], message
            if same not in several:
                print(kind, call, message, sep="\t", flush=True)
                several.add(same)
        seed += 1
        if time.monotonic() - begun >= 60 * given.minutes:
            break
    print(f"{seed - given.seed} times {given.rounds} rounds, {len(several)} findings", file=sys.stderr)
    return 1 if several else 0


if __name__ == "__main__":
    sys.exit(main())
