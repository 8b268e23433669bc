"""The verdicts as a page of Markdown, docs/claims.md."""

from collections.abc import Iterator
from itertools import groupby

from matbn.forum.claims.claim import Judgement

_ROUNDING = 1e-12  # a difference below this is shown as «rounding», for its digits depend on the machine

_HEAD = """\
# Verdicts

Every formula that the question, its answers and the posts behind them claim, evaluated literally on random data and
held against the exact gradient (a complex step through the definitions, no derived formula) by `matbn claims
--markdown`, which writes this page; `claims()` in R gives the same as a data frame. The difference is the largest one
relative to the largest entry, after a missing factor 1/N is put right. Each correction is evaluated too. The
derivations are in [answer.md](answer.md) and [derivations.md](derivations.md).
"""


def claims_markdown(judgements: list[Judgement]) -> str:
    """Return all claims with their verdicts, a table for each source."""
    return "\n".join(_lines(judgements))


def _lines(judgements: list[Judgement]) -> Iterator[str]:
    yield _HEAD
    verdicts = [judgement.verdict for judgement in judgements]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    yield f"{len(judgements)} claims: {counts}."
    for source, group in groupby(judgements, key=lambda judgement: judgement.source):
        yield f"\n## {source[0].upper()}{source[1:]}\n"
        yield "| | claim | verdict | difference | correction |"
        yield "|---|---|---|---|---|"
        for judgement in group:
            claim = judgement.claim
            cells = (claim.id, claim.statement, judgement.verdict, _difference(judgement), claim.correction or "")
            yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _difference(judgement: Judgement) -> str:
    if judgement.difference is None:
        return "not conformable"
    return "rounding" if judgement.difference < _ROUNDING else f"{judgement.difference:.1e}"
