"""R at a terminal, driven through a pseudo-terminal."""

import os
import pty
import re
import select
import sys
import time
from pathlib import Path

LIBRARY = Path(__file__).parent.parent / ".r-library"
ENVIRONMENT = {**os.environ, "R_LIBS": str(LIBRARY), "RETICULATE_PYTHON": sys.executable}
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # by which a progress bar hides and shows the cursor


class InteractiveR:
    """R at a terminal."""

    def __init__(self):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe("R", ["R", "--vanilla", "--quiet", "--no-readline"], ENVIRONMENT)
        self.seen = ""

    def wait_for(self, pattern, seconds=60):
        """Read until the pattern comes; return what was read up to its end."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.seen[-2000:]!r}"
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.seen += os.read(self.terminal, 65536).decode(errors="replace")
                self.seen = ESCAPES.sub("", self.seen)
        before, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return before

    def send(self, text):
        os.write(self.terminal, text.encode())

    def close(self):
        self.send("q('no')\n")
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
