"""The question's figures as R computes them: R, embedded in this process, runs matbn/forum/forum_checks.R."""

from importlib.resources import as_file, files
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.embedded_r import embedded_r


def r_figures(seed: int, N: int, p1: int, p2: int) -> dict[str, Array]:
    """Return every figure by name, from an embedded R."""
    interface = embedded_r()
    functions = interface.baseenv["new.env"]()
    with as_file(files("matbn.forum") / "forum_checks.R") as script:
        interface.baseenv["source"](interface.StrSexpVector([str(script)]), local=functions, encoding="UTF-8")
    sizes = {"seed": seed, "N": N, "p1": p1, "p2": p2}
    figures = functions["forum_checks"](**{name: interface.IntSexpVector([size]) for name, size in sizes.items()})
    return {name: _as_array(figure) for name, figure in zip(figures.names, figures, strict=True)}


def _as_array(figure: Any) -> Array:
    values = np.array(figure, dtype=float)
    shape = figure.do_slot("dim") if "dim" in figure.list_attrs() else (len(values),)
    return values.reshape(tuple(shape), order="F")
