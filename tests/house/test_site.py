"""The documentation site: all pages build, formulas are the browser's own, nothing is fetched from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("material")
pytest.importorskip("latex2mathml")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "-f",
        ROOT / "mkdocs.yml",
        "-d",
        directory,
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return directory


def test_every_page_is_there_with_its_formulas(site):
    for page in [*(ROOT / "docs").glob("*.md"), Path("index.md"), Path("reference-python.md"), Path("reference-r.md")]:
        html = (site / f"{page.stem}.html").read_text()
        source = page.read_text() if page.exists() and page.name != "index.md" else ""
        text = re.sub(r"```.*?```|`[^`\n]*`", "", source, flags=re.S)
        formulas = re.findall(r"\$\$.+?\$\$|\$(?!\s)[^$]+?(?<!\s)\$", text, flags=re.S)
        assert html.count("<math") == len(formulas), page.name
        body = re.sub(r"<(pre|code|script|style)\b.*?</\1>", "", html, flags=re.S)
        assert "$" not in re.sub(r"<[^>]*>", "", body), page.name


def test_nothing_comes_from_elsewhere(site):
    for path in site.rglob("*.html"):
        html = path.read_text()
        loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=\"?([^\"\s>]+)", html)
        loaded += re.findall(r"<link\b[^>]*\bhref=\"?([^\"\s>]+)", html)
        assert not [address for address in loaded if re.match(r"(https?:)?//", address)], path.name
        for address in loaded:
            base = site if address.startswith("/") else path.parent  # the page for what is missing may stand anywhere
            assert (base / address.lstrip("/").split("?")[0]).exists(), (path.name, address)
    for path in site.rglob("*.css"):
        assert not re.findall(r"url\((?:\"|')?https?:", path.read_text()), path.name


def test_the_search_index_knows_both_languages(site):
    index = (site / "search" / "search_index.json").read_text()
    for word in ("net_gradient", "Theorem 3", "marginal_effects", "choose_fit", "identified"):
        assert word in index
