"""The penalty by cross-validation, against folds that are fitted one by one."""

import numpy as np
import pytest

import matbn
from matbn.model.design import as_design, net, some_rows
from matbn.problem.data_order import column_order, row_order
from matbn.random_streams import Stream, generator


def data(N=420, noise=0.3, seed=1):
    rng = np.random.default_rng(seed)
    Z, x = rng.normal(size=(N, 2)), rng.normal(size=N)
    groups = rng.integers(6, size=N)
    y = np.tanh(2 * Z[:, 0] - Z[:, 1]) + 0.5 * x + groups / 4 + noise * rng.normal(size=N)
    return y, Z, x, groups, rng.integers(1, 4, N).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("effects", [False, True])
def test_scores_are_errors_on_rows_left_out(effects, weighted):
    y, Z, x, groups, w = data()
    w = w if weighted else None
    options = {"starts": 2, "seed": 5}
    fit = matbn.fit(
        y, nets=net(Z, 1), linear=x, effects=groups if effects else None, weights=w, penalty="cv", **options
    )
    rng = generator(5, Stream.PENALTY_FOLDS)
    model = as_design(y, net(Z, 1), x, groups if effects else None, w)
    rows = row_order(model, [column_order(term, y, w) for term in model.terms])
    cuts = [(rng.permutation(len(y)) % 5)[np.argsort(rows)] for _ in range(2)]
    for scored in fit.path[::4]:
        squares = 0.0
        for out in (cut == number for cut in cuts for number in range(5)):
            kept = ~out
            part = matbn.fit(
                y[kept],
                nets=net(Z[kept], 1),
                linear=x[kept],
                effects=groups[kept] if effects else None,
                weights=None if w is None else w[kept],
                penalty=scored.penalty,
                **options,
            )
            new = part.predict(inputs=[Z[out]], linear=x[out], effects=groups[out] if effects else None)
            squares += (np.ones(out.sum()) if w is None else w[out]) @ (y[out] - new) ** 2
        assert scored.score == pytest.approx(squares / 2 / (len(y) if w is None else w.sum()), rel=2e-3)
    assert fit.penalty == min(fit.path, key=lambda scored: scored.score).penalty
    assert [scored.penalty for scored in fit.path] == sorted(scored.penalty for scored in fit.path)
    assert 2 < fit.edf < 20
    assert "penalty by cross-validation of 12" in str(fit)


def test_more_noise_asks_for_a_larger_penalty():
    penalties = []
    for noise in (0.05, 2.0):
        y, Z, x, groups, _ = data(N=150, noise=noise)
        penalties.append(matbn.fit(y, nets=net(Z, 3), linear=x, effects=groups, starts=2).penalty)
    assert penalties[1] > 10 * penalties[0]


def test_rare_groups_and_rare_levels_do_not_stop_the_folds():
    y, Z, x, groups, _ = data()
    groups[:2] = [98, 99]  # groups of one row, which no training part has when it is left out
    rare = np.zeros(len(y))
    rare[3] = 1  # the input is constant in training parts without row 3
    fit = matbn.fit(y, nets=net(np.column_stack([Z, rare]), 2), linear=x, effects=groups, starts=2)
    assert fit.converged
    assert np.isfinite([scored.score for scored in fit.path]).all()


def test_a_part_of_a_design_is_that_of_the_rows():
    y, Z, x, groups, w = data(N=40)
    rows = groups != 3
    whole = as_design(y, net(Z, 2), x, {"id": groups}, w)
    part, expected = some_rows(whole, rows), as_design(y[rows], net(Z[rows], 2), x[rows], {"id": groups[rows]}, w[rows])
    np.testing.assert_array_equal(part.effects[0].codes, expected.effects[0].codes)
    np.testing.assert_array_equal(part.effects[0].levels, expected.effects[0].levels)
    np.testing.assert_array_equal(part.terms[0].Z, expected.terms[0].Z)
    np.testing.assert_array_equal(part.linear, expected.linear)
    np.testing.assert_array_equal(part.w, expected.w)
