"""The rooms: which may import which, that nothing runs in a circle, and what `import matbn` costs."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
ROOT = TREE / "matbn"
FILES = sorted(ROOT.rglob("*.py"))


def module_of(path):
    """Return the module's name below matbn; "" for the package itself."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


MODULES = {module_of(path): path for path in FILES}


def rooms():
    """Return CONTRIBUTING's table: which modules or packages each room has, and which rooms it may import."""
    members, allowed = {}, {}
    table = (TREE / "CONTRIBUTING.md").read_text().partition("| room |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        first, _, others, _ = (cell.strip() for cell in line.strip("|").split("|"))
        name = first.partition(":")[0].strip("`")
        members[name] = re.findall("`([^`]+)`", first)
        earlier = list(members)[:-1]
        allowed[name] = earlier if others == "all" else [room for room in others.split(", ") if room]
    return members, allowed


MEMBERS, ALLOWED = rooms()
ROOM_OF = {member: room for room, members in MEMBERS.items() for member in members}


def imports_of(path):
    """Return the modules of matbn that a file imports, wherever it does: lazily, or for types alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    below = {name.removeprefix("matbn").removeprefix(".") for name in found if name.split(".")[0] == "matbn"}
    known = below & set(MODULES)
    # `from matbn.stream import visits` runs that package's __init__ too, but names the module.
    return known - {name.rpartition(".")[0] for name in known if "." in name} - {module_of(path)}


IMPORTS = {name: imports_of(path) for name, path in MODULES.items()}


def room_of(module):
    return ROOM_OF[module.split(".")[0]]


def test_the_table_has_all_rooms_and_points_down():
    assert set(ROOM_OF) == {name.split(".")[0] for name in MODULES if name}
    order = list(ALLOWED)
    for room, others in ALLOWED.items():
        assert set(others) <= set(order[: order.index(room)]), room


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_import_directions(module):
    room = room_of(module)
    others = {room_of(name) if name else "matbn" for name in IMPORTS[module]}
    assert others - {room} <= {*ALLOWED[room], *(["matbn"] if room == "leaves" else [])}


def test_no_imports_run_in_a_circle():
    order = list(graphlib.TopologicalSorter(IMPORTS).static_order())  # raises CycleError, which names the files
    assert len(order) == len(MODULES)


def test_a_circle_would_be_seen():
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter({**IMPORTS, "errors": {"regression.fit"}}).static_order())


def test_leaves_are_imported_by_nothing():
    for module, imported in IMPORTS.items():
        leaves = {name.split(".")[0] for name in imported if name and room_of(name) == "leaves"}
        assert leaves <= {module.split(".")[0]} or module == "__main__", module


def test_derivations_know_nothing_of_each_other():
    for module, imported in IMPORTS.items():
        if module.startswith("derivations."):
            assert not any(name.startswith("derivations") for name in imported), module


def test_each_room_says_how_it_is_read():
    for module, path in MODULES.items():
        if path.name == "__init__.py" and module and "." not in module:
            lines = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
            files = {other.stem for other in path.parent.glob("*.py")} - {"__init__", "__main__"}
            assert files <= set(re.findall(r"\w+", "\n".join(lines))), f"{module} leaves out some of its files"


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
