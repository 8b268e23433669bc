import json
import os
import subprocess
import sys

import pytest

import matbn
from matbn.cli import main


def run(capsys, *arguments):
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_forum_on_the_screen(capsys):
    status, out, _ = run(capsys, "forum")
    assert status == 0
    assert "-61.531877" in out
    assert "-0.09589582" in out
    assert "Every figure agrees" in out
    assert "It does not prove" in out


@pytest.mark.r
def test_forum_as_data(capsys):
    status, out, _ = run(capsys, "forum", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert status == 0
    assert len(checks) == 7
    loop = checks["gamma_loop"]
    assert set(loop) == {"name", "printed", "python", "r", "agrees"}
    assert loop["printed"] == [0.8580574, 5.9607870, -11.7678486, -4.6025996]
    assert loop["python"] == pytest.approx(loop["r"], rel=1e-12)
    assert loop["agrees"] is True


def test_forum_elsewhere_keeps_its_form(capsys):
    status, out, _ = run(capsys, "forum", "--json", "--seed", "3", "--N", "12", "--p1", "3", "--p2", "2")
    checks = json.loads(out)["checks"]
    assert status == 0
    assert all(set(check) == {"name", "printed", "python", "r", "agrees"} for check in checks)
    assert all(check["printed"] is None for check in checks)


def test_forum_status_1_where_a_figure_differs(capsys, monkeypatch):
    from matbn.forum import posted

    monkeypatch.setitem(posted.FIGURES, "beta_loop", lambda data: posted.beta_loop(data) * (1 + 1e-6))
    status, out, _ = run(capsys, "forum")
    assert status == 1
    assert "Figures that differ: beta_matrix, beta_loop" in out


def test_claims_as_data(capsys):
    status, out, _ = run(capsys, "claims", "--json", "--seed", "2")
    claims = json.loads(out)["claims"]
    assert status == 0
    assert len(claims) == 41
    assert {"id", "source", "statement", "difference", "verdict", "correction", "factor"} <= set(claims[0])


def test_wrong_calls(capsys):
    assert run(capsys, "forum", "--p1", "2")[0] == 2
    assert "is constant for seed 3" in run(capsys, "forum", "--N", "3", "--p1", "1", "--p2", "1", "--seed", "3")[2]
    status, _, error = run(capsys, "claims", "--seed", "-1")
    assert status == 2
    assert error == "matbn: seed is -1, but must be a whole number, 0 or larger\n"
    with pytest.raises(SystemExit) as stopped:
        main(["forum", "--N", "ten"])
    assert stopped.value.code == 2


def test_a_reader_that_stops_early_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "matbn", "claims"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == f"matbn {matbn.__version__}"
