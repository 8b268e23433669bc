"""What Ctrl-C leaves of a call, at chosen moments; tests/fuzz/signals.py has random moments."""

import os
import re
import signal
import threading
import time
import warnings

import numpy as np
import pytest
from fuzz import signals
from interactive_r import LIBRARY

import matbn
from matbn import threads
from matbn.fitted import units
from matbn.fitting import estimate as arrays
from matbn.penalties import penalty_by_folds as folds
from matbn.penalties import penalty_by_gcv as gcv
from matbn.resampling import bootstrap, choose, validate
from matbn.search import joint, profiled
from matbn.search import levenberg_marquardt as marquardt
from matbn.search import multistart as search
from matbn.stopping import Stop, listening


def press():
    """Press Ctrl-C: the main thread gets its signal."""
    os.kill(os.getpid(), signal.SIGINT)


def pressing(monkeypatch, module, name, calls=1, after=False, times=1):
    """Make the given call of a module's function press Ctrl-C at its start, or at its end."""
    original, seen = getattr(module, name), []

    def function(*arguments, **named):
        seen.append(name)
        now = len(seen) == calls
        if now and not after:
            for _ in range(times):
                press()
        result = original(*arguments, **named)
        if now and after:
            for _ in range(times):
                press()
        return result

    monkeypatch.setattr(module, name, function)
    return seen


def in_one_thread(monkeypatch):
    """Use one thread, so that Ctrl-C always comes after the same work; the random moments below use several."""
    for module in (search, folds, bootstrap, validate):
        monkeypatch.setattr(module, "default_threads", lambda: 1)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = signals.left_behind()
    yield
    assert signals.left_behind() == before


def fitted(N=200, size=3, **options):
    y, Z = signals.data(N)
    return matbn.fit(y, nets=matbn.net(Z, size), linear=Z, **{"penalty": 1e-3, "starts": 3, **options})


def cut(**options):
    with pytest.warns(matbn.ConvergenceWarning, match="was interrupted") as told:
        fit = fitted(**options)
    assert len(told) == 1
    assert fit.searches[0].status == "interrupted"
    assert not fit.converged
    assert np.isfinite(fit.fitted).all()
    assert fit.messages[0] in str(told[0].message)
    assert matbn.Fit.from_json(fit.to_json()).searches[0].status == "interrupted"
    return fit


MOMENTS = [  # options, where Ctrl-C comes, and what the fit then says
    ({}, (search, "starting_values"), "when [01] of 3 starts had ended"),
    ({}, (units, "messages"), "when 3 of 3 starts had ended"),
    ({}, (arrays, "effective_degrees"), "when 3 of 3 starts had ended"),
    ({"solver": "lm"}, (marquardt, "gauss_newton"), "of 3 starts had ended"),
    ({"solver": "joint"}, (joint, "joint_start"), "of 3 starts had ended"),
    ({"solver": "adam", "iterations": 30}, (search, "starting_values"), "of 3 starts had ended"),
    ({"iterations": 40, "tolerance": 0}, (search, "_polish"), "when 3 of 3 starts had ended"),
    ({"activation": "relu"}, (search, "minimum_at_kinks"), "of 3 starts had ended"),
    ({"penalty": "cv"}, (search, "starting_values"), r"before its penalty was chosen by cross-validation.*\(0.001\)"),
    ({"penalty": "cv"}, (arrays, "choose_by_folds"), "before its penalty was chosen by cross-validation, when 3 of 3"),
    ({"penalty": "cv"}, (folds, "some_rows"), "before its penalty was chosen by cross-validation, when 3 of 3"),
    ({"penalty": "gcv"}, (gcv, "effective_degrees"), "before its penalty was chosen by generalised cross-validation"),
    ({"penalty": "gcv"}, (gcv, "descend"), "before its penalty was chosen by generalised cross-validation"),
    ({"penalty": "gcv"}, (arrays, "in_user_units"), "when 4 of 4 starts had ended.*had been chosen by generalised"),
]


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("options", "where", "said"), MOMENTS)
def test_a_fit_says_when_it_was_interrupted(monkeypatch, options, where, said, times):
    in_one_thread(monkeypatch)
    pressing(monkeypatch, *where, times=times)
    fit = cut(**options)
    assert len(fit.searches) <= 4
    assert re.search(said, "; ".join(fit.messages)), fit.messages
    assert fit.r_squared > 0.3
    assert fit.edf is not None


def test_the_last_searches_tell_of_the_penalty_and_of_starts_that_were_left_out(monkeypatch):
    in_one_thread(monkeypatch)
    whole = fitted(penalty="gcv")
    pressing(monkeypatch, search, "starting_values", calls=3 + 2)  # the first three choose the penalty
    fit = cut(penalty="gcv")
    assert fit.penalty == whole.penalty
    assert [scored.score for scored in fit.path] == [scored.score for scored in whole.path]
    assert "when 2 of 4 starts had ended" in fit.messages[0]
    assert "had been chosen by generalised cross-validation before that" in fit.messages[1]
    assert any(fit.searches[0].loss == pytest.approx(search.loss) for search in whole.searches)


def test_degrees_that_take_long_are_left_out(monkeypatch):
    monkeypatch.setattr(arrays, "_QUICK", 0)
    pressing(monkeypatch, arrays, "effective_degrees")
    fit = cut()
    assert fit.edf is None
    assert "effective degrees of freedom were not computed" in fit.messages[1]


def test_before_the_search_the_interrupt_goes_on(monkeypatch):
    pressing(monkeypatch, arrays, "pose")
    with pytest.raises(KeyboardInterrupt):
        fitted()


def test_iterations_bound_the_path_of_penalties_too(monkeypatch):
    given = []
    original = profiled.minimise

    def minimise(evaluate, theta, tolerance, iterations, *more):
        given.append(iterations)
        return original(evaluate, theta, tolerance, iterations, *more)

    monkeypatch.setattr(profiled, "minimise", minimise)
    for penalty in ("cv", "gcv"):
        with pytest.warns(matbn.ConvergenceWarning, match="stopped after 7 iterations"):
            fitted(penalty=penalty, iterations=7)
        assert max(given) == 7
    with pytest.warns(matbn.ConvergenceWarning, match="stopped after 7 iterations"):
        fitted(N=20_000, iterations=7, starts=1)  # begins on samples of the rows
    assert max(given) == 7


@pytest.mark.parametrize("times", [1, 3])
def test_replicates_that_had_ended_are_returned(monkeypatch, times):
    in_one_thread(monkeypatch)
    fit = fitted()
    whole = fit.bootstrap(replicates=12, seed=4)
    pressing(monkeypatch, bootstrap, "fit_again", calls=6, times=times)
    with pytest.warns(matbn.ConvergenceWarning, match=r"interrupted when (\d+) of 12 replicates") as told:
        result = fit.bootstrap(replicates=12, seed=4)
    assert f"when {len(result.draws)} of 12" in str(told[0].message)
    assert told[0].filename == __file__
    assert len(result.draws) == 5
    assert {row.tobytes() for row in result.draws} <= {row.tobytes() for row in whole.draws}
    assert np.isfinite(result.error).all()


def test_too_few_replicates_are_no_result(monkeypatch):
    in_one_thread(monkeypatch)
    fit = fitted()
    pressing(monkeypatch, bootstrap, "fit_again")
    with pytest.raises(KeyboardInterrupt):
        fit.bootstrap(replicates=12)


def test_a_statistic_with_fits_of_its_own_gives_no_cut_off_values():
    fit = fitted()
    calls = []

    def statistic(one):
        calls.append(one)
        if len(calls) == 5:
            press()
        y, Z = signals.data(200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return matbn.fit(y, nets=matbn.net(Z, 1), penalty=1e-3, starts=1).loss

    with pytest.warns(matbn.ConvergenceWarning, match="interrupted when 2 of 9"):
        result = fit.bootstrap(statistic, 9)
    assert len(set(result.draws[:, 0])) == 1

    def slow(one):
        calls.append(one)
        if len(calls) > 4:
            threading.Timer(0.05, press).start()
            time.sleep(20)
        return one.loss

    calls.clear()
    started = time.perf_counter()
    with pytest.warns(matbn.ConvergenceWarning, match="interrupted when 2 of 9"):
        fit.bootstrap(slow, 9)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("times", [1, 3])
def test_folds_that_had_ended_are_returned(monkeypatch, times):
    in_one_thread(monkeypatch)
    fit = fitted()
    whole = fit.cross_validate(folds=6)
    pressing(monkeypatch, validate, "fit_again", calls=4, times=times)
    with pytest.warns(matbn.ConvergenceWarning, match="interrupted when 3 of 6 folds") as told:
        validation = fit.cross_validate(folds=6)
    assert told[0].filename == __file__
    known = whole.fold < 3
    np.testing.assert_array_equal(np.isfinite(validation.predictions), known)
    np.testing.assert_array_equal(validation.predictions[known], whole.predictions[known])
    np.testing.assert_allclose(validation.by_fold, whole.by_fold[:3])
    assert validation.mse == pytest.approx(np.square(fit.design.y - validation.predictions)[known].mean())
    monkeypatch.undo()
    in_one_thread(monkeypatch)
    pressing(monkeypatch, validate, "fit_again")
    with pytest.raises(KeyboardInterrupt):
        fit.cross_validate()


@pytest.mark.parametrize(("criterion", "name"), [("cv", "predictions_of_folds"), ("bic", "fit_design")])
@pytest.mark.parametrize(("calls", "ended"), [(3, 2), (5, 4)])
def test_combinations_that_were_scored_are_returned(monkeypatch, criterion, name, calls, ended):
    fit = fitted()
    options = {"sizes": [1, 2], "penalties": [1e-4, 1e-2], "criterion": criterion, "starts": 1, "folds": 3}
    whole = fit.choose(**options)
    pressing(monkeypatch, choose, name if calls < 5 else "fit_design", calls if criterion == "bic" or calls < 5 else 1)
    with pytest.warns(matbn.ConvergenceWarning, match=f"interrupted when {ended} of 4 combinations") as told:
        choice = fit.choose(**options)
    assert told[-1].filename == __file__
    np.testing.assert_array_equal(choice.scores, whole.scores[:ended])
    assert len(choice.sizes) == len(choice.penalties) == len(choice.errors) == ended
    assert choice.fit is None
    assert "<-" in str(choice)
    monkeypatch.undo()
    pressing(monkeypatch, choose, name)
    with pytest.raises(KeyboardInterrupt):
        fit.choose(**options)


def test_scikit_learn_gets_the_interrupt_and_no_score(monkeypatch):
    pytest.importorskip("sklearn", minversion="1.6")
    from sklearn.exceptions import NotFittedError
    from sklearn.model_selection import cross_val_score

    from matbn.sklearn import NetRegressor

    y, Z = signals.data(150)
    regressor = NetRegressor(size=2, starts=2, penalty=1e-3)
    pressing(monkeypatch, search, "starting_values", calls=3)
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(regressor, Z, y, cv=3)
    monkeypatch.undo()
    pressing(monkeypatch, search, "starting_values")
    with pytest.raises(KeyboardInterrupt):
        regressor.fit(Z, y)
    assert not hasattr(regressor, "fit_")
    with pytest.raises(NotFittedError):
        regressor.predict(Z)


def test_the_engine_stops_between_blocks_and_puts_all_back():
    done = []

    def process(piece):
        done.append(piece)
        if piece == 2:
            press()
            press()
        time.sleep(0.01)
        return piece

    with pytest.raises(KeyboardInterrupt):
        threads.combine_in_order(range(100), process, int.__add__, 2)
    assert len(done) < 10


def test_who_handles_the_signal_decides_what_is_an_interrupt():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with listening() as stop:
            press()
        assert heard == [1]
        assert not stop.asked
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with listening() as stop:
            press()
        assert not stop.asked
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(KeyboardInterrupt), listening():
        press()
    with listening() as stop:
        press()
        stop.heeded = True
    with listening() as stop:
        press()
        stop.heeded, stop._since = True, stop._since - 11  # as if without effect for 11 seconds
        with pytest.raises(KeyboardInterrupt):
            press()
    seen = []

    def elsewhere():
        with listening() as stop, stop.interruptible():
            seen.append(stop)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert isinstance(seen[0], Stop)


@pytest.mark.parametrize("name", signals.CALLS)
def test_signals_at_random_moments(name):
    tally = signals.python_trials(name, 1, seed=5)
    assert sum(tally.ends.values()) == 1
    assert max(tally.seconds) < 5  # leaves room for a busy machine; the script prints the times


@pytest.mark.r
def test_signals_at_random_moments_in_r():
    if not (LIBRARY / "matbn").exists() and not os.environ.get("CI"):
        pytest.skip("needs the R package in .r-library: run bin/setup")
    tallies = signals.r_trials(signals.CALLS, 1)
    assert set(tallies) == set(signals.CALLS)
    assert all(max(tally.seconds) < 20 for tally in tallies.values())
