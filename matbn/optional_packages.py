"""Packages that only some functions need: imported where they are used; where one is absent, an error says so."""

import importlib
from typing import Any

from matbn.errors import MatbnError

_EXTRAS = {"pandas": "fit", "formulaic": "fit", "matplotlib": "plot"}


def optional_package(name: str, use: str) -> Any:
    """Import a package, or say how to get it; `use` is what needs it, in the plural."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MatbnError(f"{use} need the package {name}: pip install 'matbn[{_EXTRAS[name]}]'") from None
