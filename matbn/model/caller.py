"""What a formula takes from its caller: functions and constants of their own, which a prediction needs again."""

import ast
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any


def names_in(texts: Sequence[str]) -> set[str]:
    """Return the names that formulas hold: of columns, functions, modules and the like."""
    import formulaic
    from formulaic.utils.code import sanitize_variable_names

    found: set[str] = set()
    for factor in {factor for text in texts for term in formulaic.Formula(text) for factor in term.factors}:
        found.add(factor.expr)
        if factor.eval_method.value == "python":
            originals: dict[str, str] = {}
            code = ast.parse(sanitize_variable_names(factor.expr, {}, originals), mode="eval")
            names = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
            found |= {originals.get(name, name) for name in names}
    return found


def kept_names(names: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """Return those that are neither columns nor formulaic's, without values for the rows of the fit's own data."""
    from formulaic.transforms import TRANSFORMS

    def of_rows(value: Any) -> bool:
        return isinstance(value, Sized) and getattr(value, "ndim", 1) > 0 and len(value) == len(data)

    return {
        name: value
        for name, value in names.items()
        if name not in data.columns and value is not TRANSFORMS.get(name) and not of_rows(value)
    }


def picklable(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what pickle can keep of them: modules by their names, functions if pickle finds them again."""
    return {name: _Module(value.__name__) if isinstance(value, ModuleType) else value for name, value in names.items()}


@dataclass(frozen=True)
class _Module:
    name: str

    def __reduce__(self) -> Any:
        return import_module, (self.name,)
