"""Start R inside this Python process, by rpy2."""

import os
import shutil
from typing import Any

from matbn.errors import MatbnError


class RUnavailableError(MatbnError):
    """R or rpy2 is missing or does not start; the message says what to install."""


def embedded_r() -> Any:
    """Start R in this process, once, and return rpy2's low-level interface to it."""
    if "R_HOME" not in os.environ and shutil.which("R") is None:
        raise RUnavailableError("R is not on the PATH; on Debian and Ubuntu: sudo apt-get install r-base-dev")
    try:
        import rpy2.rinterface

        interface: Any = rpy2.rinterface
        interface.initr()
    except ImportError as error:
        raise RUnavailableError(
            f"rpy2 does not load ({error}); install 'rpy2-rinterface>=3.6.4,<3.6.6' for R below 4.5,"
            " 'rpy2-rinterface>=3.6.7' from R 4.5 on"
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise RUnavailableError(f"R does not start inside Python: {error}") from None
    # In embedded R, runaway recursion would end the process before R's own limit of 5000 stops it.
    interface.baseenv["options"](expressions=interface.IntSexpVector([500]))
    return interface
