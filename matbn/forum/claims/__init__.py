"""The claims of the question, its answers and related posts, judged by computation: read `case` and `claim` first."""

from matbn.arguments import as_integer
from matbn.forum.claims import (
    backpropagation_post,
    divisor_m_minus_1,
    first_answer,
    outputs_by_examples,
    question,
    second_answer,
    third_answer,
)
from matbn.forum.claims.case import draw_case
from matbn.forum.claims.claim import Judgement, judge

_SOURCES = (
    question,
    first_answer,
    second_answer,
    third_answer,
    outputs_by_examples,
    divisor_m_minus_1,
    backpropagation_post,
)


def claims(seed: int = 1) -> list[Judgement]:
    """Judge every claim on a case drawn with this seed."""
    case_seed = as_integer("seed", seed)
    return [judge(claim, source.SOURCE, draw_case(case_seed)) for source in _SOURCES for claim in source.CLAIMS]
