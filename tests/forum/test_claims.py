import numpy as np
import pytest

from matbn.forum.claims import claims
from matbn.forum.claims.case import derivative, draw_case, jacobian
from matbn.forum.claims.claim import RIGHT, RIGHT_UP_TO_N, WRONG, Claim, Evidence, judge
from matbn.forum.report import claims_text
from matbn.gradient import net_gradient

EXPECTED = {
    RIGHT: "Q1 Q10 Q13 A3 A6 F1 F2 F3 F4 F5 G1 D1 D2 D3 D4 E1 E6 P1 P5",
    RIGHT_UP_TO_N: "A1 A2",
    WRONG: "Q2 Q3 Q4 Q5 Q6 Q7 Q8 Q9 Q11 Q12 A4 A5 G2 E2 E3 E4 E5 P2 P3 P4",
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_verdicts(seed):
    judged = claims(seed)
    found = {verdict: " ".join(j.claim.id for j in judged if j.verdict == verdict) for verdict in EXPECTED}
    assert found == EXPECTED
    for judgement in judged:
        assert (judgement.claim.correction == "") == (judgement.verdict == RIGHT)
        assert (judgement.correction_difference is None) == (judgement.verdict == RIGHT)
        assert judgement.correction_holds
        assert judgement.factor == 1 or judgement.verdict == RIGHT_UP_TO_N


def test_what_does_not_conform_has_no_difference():
    difference = {j.claim.id: j.difference for j in claims()}
    assert {name for name, value in difference.items() if value is None} == {"Q2", "Q6", "Q7", "Q11", "A4", "A5", "P4"}


def test_claims_are_compared_with_the_exact_gradient():
    case = draw_case(4)
    gradient = net_gradient(case.X, case.y, case.Gamma1, case.gamma, case.beta, case.Gamma2, "tanh")
    exact = derivative(lambda Gamma1: case.loss(Gamma1=Gamma1), case.Gamma1)
    np.testing.assert_allclose(gradient.Gamma1, exact, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(gradient.gamma, derivative(lambda g: case.loss(gamma=g), case.gamma), rtol=1e-11)
    np.testing.assert_allclose(gradient.beta, derivative(lambda b: case.loss(beta=b), case.beta), rtol=1e-11)


def test_jacobian_stacks_columns():
    A = np.arange(6.0).reshape(2, 3)
    K = jacobian(np.transpose, A)
    assert (K @ A.ravel(order="F") == A.T.ravel(order="F")).all()


def test_right_and_wrong_formulas_get_their_verdicts():
    case = draw_case(0)
    exact = np.array([1.0, -2.0])

    def verdict(claimed):
        return judge(Claim("X", "a claim", lambda _: Evidence(claimed, exact)), "a source", case)

    assert verdict(lambda: exact).verdict == RIGHT
    assert verdict(lambda: exact * (1 + 1e-6)).verdict == WRONG
    up_to_N = verdict(lambda: exact * case.N)
    assert (up_to_N.verdict, up_to_N.factor) == (RIGHT_UP_TO_N, case.N)
    not_conformable = verdict(lambda: np.ones(3) @ np.ones(2))
    assert (not_conformable.verdict, not_conformable.difference) == (WRONG, None)
    assert verdict(lambda: np.ones(3)).difference is None


def test_each_wrong_claim_is_told_with_its_correction():
    text = " ".join(claims_text(claims()).split())
    assert "Q8 WRONG" in text
    assert "41 claims: 19 right, 2 right up to 1/N, 20 wrong" in text
    assert text.count("[checked: off by") == 22
