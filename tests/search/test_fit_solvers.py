"""All solvers, numbers of threads and ways to store nodes reach the same optimum; the linear part's penalty."""

import re
import threading
import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
from random_problems import random_problem

import matbn
from matbn.problem import jacobian, sweeps
from matbn.problem.jacobian import gauss_newton, jacobian_rows
from matbn.problem.least_squares import ridge
from matbn.problem.profile import objective, solve
from matbn.problem.sweeps import workspace
from matbn.search import profiled
from matbn.search.bfgs import minimise
from matbn.search.joint import joint_objective, joint_start
from matbn.search.lbfgs import minimise_limited
from matbn.search.levenberg_marquardt import minimise_damped
from matbn.search.minimum import SearchOptions
from matbn.search.multistart import _polish
from matbn.search.progress import SharedProgress
from matbn.search.starts import starting_values


def easy_fit(**options):
    """Fit a net to data for which it has one minimum, which all starts reach."""
    rng = np.random.default_rng(11)
    Z, x = rng.normal(size=(200, 2)), rng.normal(size=200)
    groups = rng.integers(8, size=200)
    y = np.tanh(2 * Z[:, 0] - Z[:, 1]) + 0.5 * x + groups / 4 + rng.normal(size=200) / 10
    return matbn.fit(y, nets=matbn.net(Z, 1), linear=x, effects=groups, penalty=1e-5, starts=1, seed=3, **options)


def test_solvers_end_at_the_same_optimum_from_the_same_start():
    profiled = easy_fit(tolerance=1e-9)
    assert profiled.converged
    for solver in ("joint", "lm"):
        other = easy_fit(solver=solver, tolerance=1e-9)
        assert other.converged
        assert other.searches[0].gradient <= 1e-9
        np.testing.assert_allclose(other.fitted, profiled.fitted, atol=1e-7)
        assert other.coef["x1"] == pytest.approx(profiled.coef["x1"], rel=1e-7)
        assert other.loss == pytest.approx(profiled.loss, rel=1e-10)


@pytest.mark.parametrize("linear_penalty", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("effects", [False, True])
def test_joint_loss_has_the_right_gradient_and_touches_the_profiled_one(effects, weighted, linear_penalty):
    problem, *_ = random_problem(12, weighted=weighted, effects=effects, linear_penalty=linear_penalty)
    work = workspace(problem)
    theta = starting_values(problem, np.random.default_rng(1))
    evaluate, start = joint_objective(problem, work), joint_start(problem, theta, work)
    at = solve(problem, theta, work)
    loss, gradient = evaluate(start)
    assert loss == pytest.approx(at.loss, rel=1e-12)
    np.testing.assert_allclose(gradient[: len(theta)], at.gradient, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(gradient[len(theta) :], 0, atol=1e-12)  # Γ₂ and c are at their minimum
    rng = np.random.default_rng(2)
    point = start + 0.1 * rng.normal(size=len(start))
    _, gradient = evaluate(point)
    for _ in range(3):
        direction = rng.normal(size=len(start))
        h = 1e-6
        numeric = (evaluate(point + h * direction)[0] - evaluate(point - h * direction)[0]) / (2 * h)
        assert gradient @ direction == pytest.approx(numeric, rel=1e-6)


def test_damped_steps_and_limited_memory_find_the_minimum_that_scipy_finds():
    problem, *_ = random_problem(13, penalty=3e-2)
    work = workspace(problem)
    start = starting_values(problem, np.random.default_rng(4))
    expected = scipy.optimize.minimize(objective(problem, work), start, jac=True, method="BFGS", options={"gtol": 1e-8})
    start = expected.x + 0.05 * np.random.default_rng(5).normal(size=len(start))  # near one minimum of several
    for end in (
        minimise_damped(problem, work, start, SearchOptions(1, 1, 1e-7, 500)),
        minimise_limited(objective(problem, work), start, 1e-7, 3000),
    ):
        assert end.status == "converged"
        assert end.loss == pytest.approx(expected.fun, rel=1e-9)
        assert np.abs(solve(problem, end.theta, work).gradient).max() <= 1e-7
    assert minimise_damped(problem, work, start, SearchOptions(1, 1, 1e-7, 3)).status == "iterations"
    assert minimise_limited(objective(problem, work), start, 1e-7, 3).status == "iterations"
    stopped = minimise_limited(objective(problem, work), start, 1e-7, 300, lambda iteration, *_: iteration == 5)
    assert (stopped.status, stopped.iterations) == ("interrupted", 5)


def test_jacobian_rows_are_in_the_order_of_the_parameters():
    problem, *_ = random_problem(14, weighted=True, effects=True)
    theta = starting_values(problem, np.random.default_rng(5))
    work = workspace(problem)
    at = solve(problem, theta, work)
    J = jacobian_rows(problem, theta, at.Gamma2)
    e = problem.y - at.Gamma2 @ J[len(theta) :] - at.on_Q @ problem.linear.Q
    by_theta = -2 / problem.weight * J[: len(theta)] @ e + 2 * problem.penalty * ridge(problem, theta)
    np.testing.assert_allclose(by_theta, at.gradient, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(J[len(theta) :] @ e / problem.weight, problem.penalty * at.Gamma2, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("effects", [False, True])
def test_threads_blocks_and_forgotten_nodes_change_nothing(monkeypatch, weighted, effects):
    problem, *_ = random_problem(15, weighted=weighted, effects=effects, N=1000)
    theta = starting_values(problem, np.random.default_rng(6))
    expected = solve(problem, theta, workspace(problem))
    monkeypatch.setattr(sweeps, "block_rows", lambda *_: 128)
    variants = [workspace(problem), workspace(problem, threads=2)]
    if not effects:
        monkeypatch.setattr(sweeps, "_KEPT_BYTES", 0)
        variants.append(workspace(problem, threads=2))
        assert variants[-1].V is None
    for work in variants:
        at = solve(problem, theta, work)
        assert at.loss == pytest.approx(expected.loss, rel=1e-13)
        np.testing.assert_allclose(at.gradient, expected.gradient, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("effects", [False, True])
def test_gauss_newton_in_blocks_is_that_of_all_rows(monkeypatch, weighted, effects):
    problem, *_ = random_problem(26, weighted=weighted, effects=effects, N=300)
    theta = starting_values(problem, np.random.default_rng(6))
    Gamma2 = np.arange(1.0, problem.nodes + 1)
    J = jacobian_rows(problem, theta, Gamma2)
    J = J - (J @ problem.linear.Q.T) @ problem.linear.Q
    monkeypatch.setattr(jacobian, "_BLOCK_NUMBERS", 1000)
    np.testing.assert_allclose(
        gauss_newton(problem, theta, Gamma2, workspace(problem)), J @ J.T / problem.weight, rtol=1e-9, atol=1e-12
    )


def test_a_ridge_on_the_linear_part_is_that_of_augmented_rows():
    rng = np.random.default_rng(16)
    N = 150
    X = rng.normal(size=(N, 3)) * [1, 10, 0.1] + [0, 5, 0]
    w = rng.uniform(0.5, 2, N)
    y = X @ [1, 0.1, 5] + 3 + rng.normal(size=N)
    fit = matbn.fit(y, linear=X, weights=w, linear_penalty=0.2)
    mean = np.average(X, axis=0, weights=w)
    spread = np.average((X - mean) ** 2, axis=0, weights=w)
    rows = np.vstack([np.column_stack([np.ones(N), X]) * np.sqrt(w)[:, None], np.zeros((3, 4))])
    rows[N:, 1:] = np.diag(np.sqrt(0.2 * w.sum() * spread))
    expected = np.linalg.lstsq(rows, np.append(y * np.sqrt(w), np.zeros(3)), rcond=None)[0]
    np.testing.assert_allclose(fit.coefficients, expected, rtol=1e-10)
    np.testing.assert_allclose(fit.fitted, np.column_stack([np.ones(N), X]) @ expected, rtol=1e-10)
    assert matbn.fit(y, linear=X, weights=w, linear_penalty=1e9).fitted == pytest.approx(np.average(y, weights=w))


def test_the_linear_penalty_shrinks_beside_a_net_and_the_gradient_knows_it():
    problem, *_ = random_problem(17, effects=False, linear_penalty=0.5)
    work = workspace(problem)
    theta = starting_values(problem, np.random.default_rng(7))
    at = solve(problem, theta, work)
    rng = np.random.default_rng(8)
    for _ in range(3):
        direction, h = rng.normal(size=len(theta)), 1e-6
        ends = [solve(problem, theta + side * h * direction, work).loss for side in (1, -1)]
        assert at.gradient @ direction == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6)
    rng = np.random.default_rng(9)
    Z, x = rng.normal(size=(100, 2)), rng.normal(size=100)
    y = np.sin(Z[:, 0]) + 2 * x + rng.normal(size=100) / 5
    slopes = [matbn.fit(y, nets=matbn.net(Z, 2), linear=x, linear_penalty=p, starts=2).coef["x1"] for p in (0, 1, 100)]
    assert slopes[0] > slopes[1] > slopes[2] > 0
    with pytest.raises(matbn.ArgumentError, match="linear_penalty is -1"):
        matbn.fit(y, linear=x, linear_penalty=-1)


def test_mini_batches_come_near_the_optimum():
    rng = np.random.default_rng(18)
    Z, x = rng.normal(size=(600, 2)), rng.normal(size=600)
    w = rng.integers(1, 4, 600).astype(float)
    y = np.tanh(2 * Z[:, 0]) + x + rng.normal(size=600) / 5
    best = matbn.fit(y, nets=matbn.net(Z, 2), linear=x, weights=w, penalty=1e-5)
    trained = matbn.fit(y, nets=matbn.net(Z, 2), linear=x, weights=w, penalty=1e-5, solver="adam", starts=1)
    assert trained.searches[0].status == "passes"
    assert "trained for 200 passes" in trained.messages[0]
    assert best.loss <= trained.loss * (1 + 1e-3)
    assert trained.loss < 1.15 * best.loss
    assert len(trained.searches[0].trace) == 200
    with pytest.raises(matbn.ArgumentError, match="'adam', which takes no fixed effects"):
        matbn.fit(y, nets=matbn.net(Z, 2), effects=np.arange(600) % 5, solver="adam")
    with pytest.raises(
        matbn.ArgumentError, match="solver is 'sgd', but must be one of 'profiled', 'joint', 'lm', 'adam'"
    ):
        matbn.fit(y, nets=matbn.net(Z, 2), solver="sgd")


def test_a_search_that_stops_early_is_polished():
    problem, *_ = random_problem(8, penalty=1e-4)
    work = workspace(problem)
    start = starting_values(problem, np.random.default_rng(3))
    end = minimise(objective(problem, work), start, 1e-7, 80)
    assert end.status == "iterations"
    options = SearchOptions(1, 1, 1e-7, 8_000)
    polished = _polish(problem, end, options, SharedProgress(1, 1.0, None))
    assert polished.status == "converged"
    assert polished.loss < end.loss
    assert len(polished.trace) == polished.iterations - end.iterations


def interrupting(after):
    """Return a report that raises KeyboardInterrupt at some iteration, as Ctrl-C does."""

    def report(progress):
        if progress.iterations >= after:
            raise KeyboardInterrupt

    return report


@pytest.mark.parametrize("starts", [1, 4])
@pytest.mark.parametrize("penalty", [1e-6, "gcv", "cv"])
def test_an_interrupt_returns_the_best_fit_so_far(starts, penalty):
    rng = np.random.default_rng(19)
    Z = rng.normal(size=(300, 4))
    y = np.sin(3 * Z[:, 0]) * Z[:, 1] + rng.normal(size=300) / 3
    before = threading.active_count()
    with pytest.warns(matbn.ConvergenceWarning, match="was interrupted .* fit again"):
        fit = matbn.fit(y, nets=matbn.net(Z, 6), penalty=penalty, starts=starts, progress=interrupting(30))
    assert not fit.converged
    assert "interrupted" in {search.status for search in fit.searches}
    assert fit.r_squared > 0.1
    assert threading.active_count() == before
    if penalty == "gcv":  # interrupted while on the path
        with pytest.warns(matbn.ConvergenceWarning, match="was interrupted"):
            late = matbn.fit(y, nets=matbn.net(Z, 3), penalty=penalty, starts=1, progress=_on_the_path())
        assert late.penalty == 1e-3


def _on_the_path():
    seen = []

    def report(progress):
        seen.append(progress)
        if progress.finished == 1 and len(seen) > 1 and seen[-2].finished == 1:
            raise KeyboardInterrupt

    return report


def test_progress_is_told_and_a_trace_kept():
    rng = np.random.default_rng(20)
    Z = rng.normal(size=(100, 2))
    y = np.tanh(Z[:, 0]) + rng.normal(size=100) / 5
    seen = []
    fit = matbn.fit(y, nets=matbn.net(Z, 2), penalty=1e-4, starts=2, progress=seen.append)
    assert seen
    assert seen[-1].starts == seen[-1].finished == 2
    assert all(later.iterations >= earlier.iterations for earlier, later in pairwise(seen))
    for search in fit.searches:
        assert len(search.trace) == search.iterations
        assert search.trace[-1] == pytest.approx(search.loss)
        assert (np.diff(search.trace) <= 1e-12).all()
    with pytest.raises(matbn.ElementTypeError, match="progress is 3, but must be True, False, None or a function"):
        matbn.fit(y, progress=3)


def test_searches_that_only_other_threads_made_are_told_too():
    seen = []
    progress = SharedProgress(2, 1.0, seen.append)
    other = threading.Thread(target=progress.count_end)
    other.start()
    other.join()
    assert not seen
    progress.report_end()
    progress.report_end()
    assert [progress.finished for progress in seen] == [1]


def test_a_bar_is_drawn_when_asked_for(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    from matbn.search import progress

    monkeypatch.setattr(progress, "_FIRST", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    rng = np.random.default_rng(21)
    Z = rng.normal(size=(100, 2))
    matbn.fit(np.tanh(Z[:, 0]), nets=matbn.net(Z, 2), starts=2, progress=True)
    assert "loss" in capsys.readouterr().err
    matbn.fit(np.tanh(Z[:, 0]), nets=matbn.net(Z, 2), starts=2)
    assert capsys.readouterr().err == ""


def test_nodes_without_work_are_told():
    rng = np.random.default_rng(22)
    Z = rng.normal(size=(200, 2))
    y = np.tanh(Z[:, 0]) + rng.normal(size=200) / 10
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)
        fit = matbn.fit(y, nets=matbn.net(Z, 4), penalty=0.01, starts=3)
    said = " ".join(fit.messages)
    assert re.search(r"2 nodes \(\d, \d\) add nothing to the fit", said)
    assert re.search(r"node \d is a copy of others; a smaller size fits as well", said)
    identity = matbn.fit(y, nets=matbn.net(Z, 4), activation="identity", penalty=0.0, starts=1)
    assert "the 4 nodes span 2 directions only" in " ".join(identity.messages)
    fine = matbn.fit(y, nets=matbn.net(Z, 1), starts=1)
    assert fine.messages == ()


def test_activations_of_ones_own_predict_and_fits_go_to_json_and_pickle(tmp_path):
    import json
    import pickle

    own = matbn.Activation("tanh", np.sin, np.cos, lambda b: -np.sin(b))  # a misleading name
    rng = np.random.default_rng(23)
    Z = rng.normal(size=(100, 2))
    y = np.sin(Z[:, 0]) + rng.normal(size=100) / 5
    fit = matbn.fit(y, nets=matbn.net(Z, 2), activation=own, starts=2)
    np.testing.assert_allclose(fit.predict(inputs=[Z]), fit.fitted, atol=1e-10)
    with pytest.raises(matbn.ArgumentError, match="'tanh' is your own"):
        fit.to_json()
    labels = np.array(["2020-01-01", "2021-01-01"], "datetime64[D]")[rng.integers(2, size=100)]
    fit = matbn.fit(y, nets=matbn.net(Z, 2), effects=labels, linear=np.column_stack([Z[:, 0], 2 * Z[:, 0]]), starts=2)
    text = fit.to_json()
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    for again in (matbn.Fit.from_json(text), pickle.loads(pickle.dumps(fit))):
        new = {"inputs": [Z[:5]], "linear": np.column_stack([Z[:5, 0], 2 * Z[:5, 0]]), "effects": labels[:5]}
        assert (again.predict(**new) == fit.predict(**new)).all()
        assert str(again) == str(fit)
        assert again.summary().splitlines()[:9] == fit.summary().splitlines()[:9]
        assert again.parameters.keys() == fit.parameters.keys()
    for bad in ("{}", "[1]", json.dumps({"matbn_fit": 99})):
        with pytest.raises(matbn.ArgumentError, match=r"must come from Fit\.to_json"):
            matbn.Fit.from_json(bad)


def test_a_fit_of_a_formula_goes_to_json_with_what_it_has_learnt():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("formulaic")
    rng = np.random.default_rng(24)
    data = pandas.DataFrame(
        {"z": rng.normal(size=80), "g": rng.choice(list("abc"), 80), "id": rng.integers(5, size=80)}
    )
    data["y"] = np.sin(data.z) + (data.g == "b") + rng.normal(size=80) / 5
    fit = matbn.fit("y ~ C(g, contr.sum) + poly(z, 2) + net(scale(z), g, size = 2) | id", data, starts=2, penalty="gcv")
    again = matbn.Fit.from_json(fit.to_json())
    np.testing.assert_array_equal(again.predict(data.iloc[3:9]), fit.predict(data.iloc[3:9]))
    assert str(again) == str(fit)


def test_options_reach_the_problem():
    problem, *_ = random_problem(25, linear_penalty=0.1)
    assert problem.linear.T is not None
    assert problem.linear.degrees < len(problem.linear.kept)
    assert replace(problem, linear=replace(problem.linear, T=None)).linear.degrees == len(problem.linear.kept)


@pytest.mark.parametrize("weighted", [False, True])
def test_many_rows_begin_with_a_part_and_end_at_a_minimum_of_all(monkeypatch, weighted):
    rng = np.random.default_rng(27)
    N = 12_000
    Z, x = rng.uniform(size=(N, 3)), rng.normal(size=N)
    w = rng.integers(1, 4, N).astype(float) if weighted else None
    y = np.sin(5 * Z[:, 0] * Z[:, 1]) + Z[:, 2] ** 2 + 0.5 * x + rng.normal(size=N) / 10
    options = {"nets": matbn.net(Z, 4), "linear": x, "weights": w, "penalty": 1e-5, "starts": 1, "tolerance": 1e-7}
    quick = matbn.fit(y, **options)
    assert quick.converged
    assert quick.searches[0].gradient <= 1e-7
    monkeypatch.setattr(profiled, "growing_samples", lambda *_: iter(()))
    plain = matbn.fit(y, **options)
    assert quick.loss < plain.loss * 1.02
    assert len(quick.searches[0].trace) < len(plain.searches[0].trace)


def test_gauss_newtons_inverse_is_that_of_the_hessian_where_residuals_vanish():
    problem, *_ = random_problem(28, penalty=1e-6, effects=False, weighted=False)
    theta = starting_values(problem, np.random.default_rng(8)) * 3
    work = workspace(problem)
    fitted = solve(problem, theta, work).Gamma2 @ jacobian_rows(problem, theta, np.ones(problem.nodes))[len(theta) :]
    Q = problem.linear.Q
    problem = replace(problem, y=fitted - (Q @ fitted) @ Q, penalty=1e-12)
    inverse = jacobian.inverse_curvature(problem, theta, work)
    h = 1e-5
    steps = h * np.eye(len(theta))
    hessian = np.array(
        [solve(problem, theta + s, work).gradient - solve(problem, theta - s, work).gradient for s in steps]
    )
    values = np.linalg.eigvals(inverse @ hessian / (2 * h)).real
    stiff = np.sort(values)[len(values) // 2 :]  # flat directions are cut off
    np.testing.assert_allclose(stiff, 1, atol=1e-3)
