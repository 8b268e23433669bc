"""The rooms: which module may import which, and what `import matbn` costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "matbn"

# What each module may import of matbn; a package's name stands for all that it holds.
MAY_IMPORT = {
    "errors": set(),
    "files": {"errors"},
    "arguments": {"errors", "files"},
    "memory": {"errors"},
    "stopping": set(),
    "calculus": {"arguments", "errors", "memory"},
    "activation": {"arguments", "errors"},
    "parameters": {"activation", "arguments", "errors"},
    "batchnorm": {"arguments", "errors", "memory"},
    "running": {"arguments", "batchnorm", "errors", "memory"},
    "derivations": {"arguments", "calculus", "parameters"},
    "network": {"activation", "arguments", "batchnorm", "conditioning", "errors", "parameters"},
    "conditioning": {"arguments", "batchnorm", "errors"},
    "stream": {
        "activation",
        "arguments",
        "batchnorm",
        "conditioning",
        "errors",
        "files",
        "memory",
        "parameters",
        "stopping",
        "stream",
    },
    # Fit's methods reach for inference, resampling and plotting when they are called.
    "fitting": {
        "activation",
        "arguments",
        "batchnorm",
        "errors",
        "fitting",
        "inference",
        "memory",
        "plotting",
        "resampling",
        "running",
        "stopping",
        "stream",
    },
    "inference": {"activation", "arguments", "errors", "fitting", "inference", "stream"},
    "resampling": {"arguments", "errors", "fitting", "inference", "memory", "resampling", "stopping", "stream"},
    "plotting": {"activation", "arguments", "derivative_check", "errors", "fitting", "inference", "plotting"},
    "gradient": {
        "activation",
        "arguments",
        "batchnorm",
        "conditioning",
        "derivations",
        "errors",
        "memory",
        "network",
        "parameters",
        "stream",
        "",
    },
    "jacobian": {"activation", "arguments", "memory", "network", "parameters", "stream"},
    "derivative_check": {"arguments", "errors", "memory"},
    "forum": {"activation", "arguments", "errors", "forum", "gradient", "network"},
    "sklearn": {"arguments", "errors", "fitting"},
    "cli": {"errors", "forum", ""},
    "rbridge": {
        "activation",
        "arguments",
        "batchnorm",
        "errors",
        "fitting",
        "forum",
        "inference",
        "memory",
        "rbridge",
        "resampling",
        "stopping",
        "stream",
        "",
    },
    "__main__": {"cli"},
}
LEAVES = {"cli", "__main__", "rbridge", "sklearn"}


def imports_of(path):
    """Names below matbn that a file imports; "" for the package itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = {path.stem for path in ROOT.iterdir()}
            own = [a.name if a.name in modules else "" for a in node.names]
            names = [node.module] if node.module.count(".") else [f"{node.module}.{name}".strip(".") for name in own]
        for name in names:
            parts = name.split(".")
            if parts[0] == "matbn":
                yield parts[1] if len(parts) > 1 else ""


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_import_directions(path):
    assert set(imports_of(path)) <= MAY_IMPORT[room_of(path)]


def test_leaves_are_imported_by_nothing():
    for path in [*FILES, ROOT / "__init__.py"]:
        assert not (LEAVES - {room_of(path)}) & set(imports_of(path)) or room_of(path) == "__main__", path


def test_derivations_know_nothing_of_each_other():
    for path in (ROOT / "derivations").glob("*.py"):
        assert "derivations" not in set(imports_of(path)), path


def test_import_brings_no_optional_package():
    optional = ("rpy2", "pandas", "matplotlib", "torch", "sklearn", "sympy", "pyarrow", "threadpoolctl")
    code = f"import sys, matbn; print([name for name in {optional} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_import_brings_little_besides_numpy_and_scipy():
    """What takes time at import is modules: counted, they are the same on a busy machine."""
    code = (
        "import sys, numpy, scipy.linalg, scipy.sparse, scipy.special; before = set(sys.modules); import matbn;"
        " print(sum(not name.startswith('matbn') for name in set(sys.modules) - before))"
    )
    assert int(subprocess.check_output([sys.executable, "-c", code], text=True)) < 100


def test_files_stay_small():
    for path in FILES:
        assert len(path.read_text().splitlines()) <= 300, path
