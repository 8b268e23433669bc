"""formulaic, which reads formulas and makes matrices of them; and what it refuses, in our own words."""

import re
from typing import Any

from matbn.errors import ArgumentError
from matbn.optional_packages import optional_package


def formulaic_package() -> Any:
    """Import formulaic, or say how to get it."""
    return optional_package("formulaic", "formulas")


def read_formula(text: str, what: str) -> Any:
    """Return a right side as formulaic reads it; `what` is what an error calls it."""
    formulaic = formulaic_package()
    try:
        return formulaic.Formula(text)
    except Exception:
        raise ArgumentError(
            f"{what} cannot be read: terms are columns and functions of them, joined by + - * : / and powers such as"
            " (a + b)^2; in a function, names that are no single word stand in `backquotes`"
        ) from None


def reason(error: Exception) -> str:
    """Return in plain words what formulaic has found, without the colours, marks and names of its own."""
    text = re.sub(r"\x1b\[[0-9;]*m|[⧛⧚]", "", str(error)).strip()
    inner = re.match(r"Unable to evaluate factor `(.*)`\. \[\w+: (.*)\]$", text, re.DOTALL)
    if inner is None:
        return "a term makes something else than columns of numbers: " + text.partition("\n")[0]
    unknown = re.search("(?:^name|has no attribute) '(.*?)'(?: is not defined)?", inner[2])
    why = f"{unknown[1]!r} is neither a column of data nor a function or value known here" if unknown else inner[2]
    brackets = "; each comparison stands in brackets: (x > 0) & (z > 0)" if re.search("[&|]", inner[1]) else ""
    return f"{inner[1]} cannot be evaluated: {why}{brackets}"
