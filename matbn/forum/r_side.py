"""The question's figures as R computes them: R runs r_scripts/forum_checks.R inside this process."""

import os
import shutil
from importlib.resources import as_file, files
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.errors import MatbnError


class RUnavailableError(MatbnError):
    """R, or rpy2, is not there or does not start; the message says what to install."""


def r_figures(seed: int, N: int, p1: int, p2: int) -> dict[str, Array]:
    """Return every figure by name, from an embedded R."""
    interface = embedded_r()
    functions = interface.baseenv["new.env"]()
    with as_file(files("matbn.forum") / "forum_checks.R") as script:
        interface.baseenv["source"](interface.StrSexpVector([str(script)]), local=functions, encoding="UTF-8")
    sizes = {"seed": seed, "N": N, "p1": p1, "p2": p2}
    figures = functions["forum_checks"](**{name: interface.IntSexpVector([size]) for name, size in sizes.items()})
    return {name: _as_array(figure) for name, figure in zip(figures.names, figures, strict=True)}


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


def _as_array(figure: Any) -> Array:
    values = np.array(figure, dtype=float)
    shape = figure.do_slot("dim") if "dim" in figure.list_attrs() else (len(values),)
    return values.reshape(tuple(shape), order="F")
