"""The R blocks of README and docs print what is written below them, and what the docs say of the code is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from matbn.forum.claims import claims
from matbn.forum.markdown import claims_markdown
from matbn.gradient import ROUTES

ROOT = Path(__file__).parents[2]
FILES = [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if "```r\n" in path.read_text()]


@pytest.mark.r
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_blocks_in_r_print_what_is_shown(path):
    library = ROOT / ".r-library"
    if not (library / "matbn").exists():
        pytest.skip("the R package is not installed by bin/setup")
    environment = {**os.environ, "R_LIBS": str(library), "RETICULATE_PYTHON": sys.executable}
    script = ROOT / "r_scripts" / "run_blocks.R"
    run = subprocess.run(["Rscript", script, path], text=True, capture_output=True, env=environment, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_route_from_the_question_leads_to_code_that_is_there():
    page = (ROOT / "docs" / "derivations.md").read_text()
    steps = re.findall(r"`(\w+)` in `([\w/]+\.py)`", page)
    assert {"by_parameters", "gradient_in_memory", "one_off_gradient"} <= {name for name, _ in steps}
    for name, path in steps:
        assert f"\ndef {name}(" in (ROOT / "matbn" / path).read_text(), (name, path)
    assert all(f"| `{route}` |" in page for route in ROUTES)
    for path in re.findall(r"`([\w/]+\.py)`", page):
        assert (ROOT / "matbn" / path).exists(), path


def test_the_page_of_verdicts_is_what_is_computed():
    assert (ROOT / "docs" / "claims.md").read_text() == claims_markdown(claims(1)) + "\n"


@pytest.mark.r
def test_a_wrong_output_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```r\n1 + 1\n#> [1] 3\nx <- 2\nx\n#> ...\n```\n")
    script = ROOT / "r_scripts" / "run_blocks.R"
    wrong = subprocess.run(["Rscript", script, page], text=True, capture_output=True, check=False)
    assert wrong.returncode == 1
    assert "page.md:2: expected\n  [1] 3\n but found\n  [1] 2\n" in wrong.stdout
    subprocess.run(["Rscript", script, "--write", page], check=True)
    assert page.read_text() == "```r\n1 + 1\n#> [1] 2\nx <- 2\nx\n#> ...\n```\n"
    subprocess.run(["Rscript", script, page], check=True)


@pytest.mark.r
def test_the_vignette_is_the_guide():
    script = ROOT / "r_scripts" / "make_vignette.R"
    made = subprocess.check_output(["Rscript", script, "--print"], text=True)
    assert made == (ROOT / "vignettes" / "from-r.Rmd").read_text()


@pytest.mark.r
def test_the_pictures_are_drawn_by_their_scripts(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("statsmodels")
    library = ROOT / ".r-library"
    if not (library / "matbn").exists():
        pytest.skip("the R package is not installed by bin/setup")
    environment = {**os.environ, "R_LIBS": str(library), "RETICULATE_PYTHON": sys.executable}
    for command in ([sys.executable, ROOT / "docs" / "figures.py"], ["Rscript", ROOT / "docs" / "figures.R"]):
        subprocess.run([*command, tmp_path], check=True, capture_output=True, env=environment)
    drawn = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(drawn) == {path.name for path in (ROOT / "docs" / "plots").iterdir()}
    assert all(content.startswith(b"\x89PNG") and len(content) > 5_000 for content in drawn.values())
