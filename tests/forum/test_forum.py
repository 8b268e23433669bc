import subprocess

import numpy as np
import pytest

import matbn
from matbn.errors import ArgumentError
from matbn.forum import checks as checks_module
from matbn.forum.checks import Check, forum_checks
from matbn.forum.data import draw
from matbn.forum.printed import decimals, shows
from matbn.forum.report import agreeing_digits, forum_text


@pytest.fixture(scope="module")
def published():
    return forum_checks()


def test_every_printed_digit_in_python(published):
    assert [check.name for check in published.checks] == [
        "beta_matrix",
        "beta_loop",
        "kronecker_rule",
        "Gamma1_matrix",
        "Gamma1_loop",
        "gamma_matrix",
        "gamma_loop",
    ]
    for check in published.checks:
        assert check.printed.shape == check.python.shape
        for value, text in zip(check.python.flat, check.printed.flat, strict=True):
            assert shows(value, text)
        assert check.agrees


@pytest.mark.r
def test_every_printed_digit_in_r(published):
    assert not published.without_r
    for check in published.checks:
        for value, text in zip(check.r.flat, check.printed.flat, strict=True):
            assert shows(value, text)


@pytest.mark.r
@pytest.mark.parametrize("sizes", [(2, 10, 7, 4), (3, 25, 5, 5), (-9, 6, 1, 1), (4, 300, 12, 3)])
def test_other_draws_and_sizes(sizes):
    result = forum_checks(*sizes)
    assert result.agree
    for check in result.checks:
        assert check.printed is None
        np.testing.assert_allclose(check.python, check.r, rtol=1e-9, atol=1e-12)


@pytest.mark.r
def test_the_r_script_runs_alone_and_prints_the_figures():
    printed = subprocess.run(
        ["Rscript", "--vanilla", "r_scripts/forum_checks.R"], capture_output=True, text=True, check=True
    )
    for figure in ("-61.531877  122.66157  360.08132 -51.666215", "-0.44609015  0.38991862  1.26758024 -0.09589582"):
        assert figure in printed.stdout
    wrong = subprocess.run(["Rscript", "r_scripts/forum_checks.R", "--N"], capture_output=True, text=True, check=False)
    assert wrong.returncode != 0
    assert "usage" in wrong.stderr


def test_the_residuals_of_the_data_are_u():
    data = draw(seed=5)
    gradient = matbn.net_gradient(data.X, data.outcome(), data.Gamma1, data.gamma, data.beta, data.Gamma2)
    assert gradient.loss == pytest.approx(np.mean(data.u**2), rel=1e-12)
    assert (np.round(data.X) == data.X).all()


def test_sizes_that_cannot_be_drawn_are_refused():
    with pytest.raises(ArgumentError, match="takes 8,589,934,592 random numbers, but at most 10,000,000"):
        forum_checks(p1=2**31, p2=1, N=3)
    with pytest.raises(ArgumentError, match="needs p1 >= p2"):
        forum_checks(p1=3)


def test_a_figure_that_differs_is_told():
    value = np.array([1.26758024])
    assert Check("beta_loop", value, None, np.array(["1.26758024"]), value).agrees
    assert not Check("beta_loop", value, None, np.array(["1.26758025"]), value).agrees
    assert not Check("beta_loop", value, value * (1 + 1e-9), None, value).agrees
    assert not Check("beta_loop", value, None, None, value + 1e-9).agrees


def test_without_r_the_checks_show_python_alone(monkeypatch):
    def no_r(*_):
        raise checks_module.RUnavailableError("R is not on the PATH")

    monkeypatch.setattr(checks_module, "r_figures", no_r)
    result = forum_checks()
    assert result.agree
    assert all(check.r is None for check in result.checks)
    assert "Python alone: R is not on the PATH" in forum_text(result)
    assert "without R" in forum_text(result)


def test_agreeing_digits_are_counted():
    assert agreeing_digits(1.0, 1.0) == 16
    assert agreeing_digits(1.0, 1.001) == 3
    assert agreeing_digits(1.0, -1.0) == 0
    assert decimals("-158.71430") == 5
    assert shows(-158.714299629181, "-158.71430")
    assert not shows(-158.7142, "-158.71430")
