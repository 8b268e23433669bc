"""What mkdocs does besides: formulas as MathML, README as the first page, both packages' help as reference pages."""

import inspect
import re
import subprocess
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import latex2mathml.converter
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from mkdocs.structure.files import File

import matbn

ROOT = Path(__file__).parent.parent


class Formula(InlineProcessor):
    """Replace $...$ and $$...$$ by MathML, which browsers draw without a script."""

    def handleMatch(self, match, data):  # noqa: D102 - the name is Markdown's
        display = match[1] is not None
        tex = (match[1] or match[2]).replace("\n", " ").strip()
        mathml = latex2mathml.converter.convert(tex, display="block" if display else "inline")
        ElementTree.fromstring(mathml)  # an error here, rather than a page that is broken
        return self.md.htmlStash.store(mathml), match.start(0), match.end(0)


class Formulas(Extension):
    """Formulas for Python-Markdown, before escapes and emphasis, after code."""

    def extendMarkdown(self, md):  # noqa: D102
        md.inlinePatterns.register(Formula(r"\$\$(.+?)\$\$|\$(?!\s)([^$]+?)(?<!\s)\$", md), "formulas", 185)


def on_config(config):
    """Add the formulas."""
    config.markdown_extensions.append(Formulas())
    return config


def on_files(files, config):
    """Add the pages that are made here."""
    readme = (ROOT / "README.md").read_text()
    pages = {
        "index.md": re.sub(r"\]\(docs/", "](", readme).replace("](examples/", "](https://localhost/examples/"),
        "reference-python.md": python_reference(),
        "reference-r.md": r_reference(),
    }
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def python_reference():
    """Return all public names of Python with their signatures and docstrings."""
    parts = ["# Python\n"]
    for name in sorted(matbn.__all__, key=str.lower):
        found = getattr(matbn, name)
        parts.append(f"## {name}\n\n{_described(found, name)}")
        if inspect.isclass(found) and not issubclass(found, Exception):
            for method, value in inspect.getmembers(found):
                documented = inspect.isfunction(value) and value.__doc__ and value.__module__.startswith("matbn")
                if documented and not method.startswith("_"):
                    parts.append(f"### {name}.{method}\n\n{_described(value, method)}")
    return "\n\n".join(parts)


def _described(found, name):
    try:
        signature = f"{name}{inspect.signature(found)}" if callable(found) else name
    except ValueError:
        signature = name
    text = inspect.getdoc(found) if callable(found) else repr(found)
    return f"<pre><code>{escape(signature)}</code></pre>\n\n<pre>{escape(text or '')}</pre>"


def r_reference():
    """Return R's help pages, as R itself makes HTML of them."""
    try:
        script = [str(ROOT / "r_scripts" / "help_html.R"), str(ROOT / "man")]
        html = subprocess.check_output(["Rscript", *script], text=True, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return "# R\n\nR is not installed where this page was made."
    parts = ["# R\n"]
    for title, body in re.findall(r"<h2>(.*?)</h2>(.*?)(?:<hr|</div>\s*</body>)", html, flags=re.S):
        body = re.sub(r"<(/?)h3>", r"<\1h4>", re.sub(r"</?a\b[^>]*>", "", body))
        lines = "\n".join(line for line in body.splitlines() if line.strip())
        parts.append(f"## {re.sub('<[^>]*>', '', title)}\n\n<div>\n{lines}\n</div>")
    return "\n\n".join(parts)
