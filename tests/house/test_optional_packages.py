"""Packages that may be absent: what needs them says how to get them."""

import subprocess
import sys

import pytest

USES = {
    "pandas": "matbn.fit([1.0, 2, 4], linear=[1.0, 2, 3]).glance()",
    "formulaic": "matbn.fit('y ~ x', __import__('pandas').DataFrame({'y': [1.0, 2, 4], 'x': [1.0, 2, 3]}))",
    "matplotlib": "matbn.fit([1.0, 2, 4], linear=[1.0, 2, 3]).plot('fitted')",
}


@pytest.mark.parametrize("package", USES)
def test_an_absent_package_is_named_with_the_way_to_get_it(package):
    if package == "formulaic":
        pytest.importorskip("pandas")
    code = (
        f"import sys, matbn\nsys.modules[{package!r}] = None\n"
        f"try: {USES[package]}\nexcept matbn.MatbnError as error: print(error)"
    )
    said = subprocess.check_output([sys.executable, "-W", "error", "-c", code], text=True)
    assert f" need the package {package}: pip install 'matbn[" in said
