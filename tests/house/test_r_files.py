"""CONTRIBUTING's table of R files: all are there, and those that it says do not call Python do not."""

import re
from pathlib import Path

TREE = Path(__file__).parents[2]
FILES = {path.stem: path.read_text() for path in (TREE / "R").glob("*.R")}


def rows():
    table = (TREE / "CONTRIBUTING.md").read_text().partition("| files of `R/` |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        first, _, calls = (cell.strip() for cell in line.strip("|").split("|"))
        patterns = [name.replace("*", ".*") for name in re.findall("`([^`]+)`", first)]
        yield {name for name in FILES if any(re.fullmatch(pattern, name) for pattern in patterns)}, patterns, calls


def test_the_table_has_all_files():
    named = set().union(*(names for names, _, _ in rows()))
    assert named == set(FILES) - {"matbn-package"}
    assert all(any(re.fullmatch(pattern, name) for name in FILES) for _, patterns, _ in rows() for pattern in patterns)


def test_what_calls_python_and_what_does_not():
    for names, _, calls in rows():
        calling = {name for name in names if "bridge_call(" in FILES[name]}
        assert not calling if calls == "no" else calling or names & {"plot"}, names
