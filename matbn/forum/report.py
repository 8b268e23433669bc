"""The output of `matbn forum` and `matbn claims`: text for people, and data for programs."""

import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.checks import Check, ForumChecks
from matbn.forum.claims.claim import Judgement
from matbn.forum.data import ForumData
from matbn.forum.printed import decimals, shows
from matbn.gradient import net_gradient

_WIDTH = 100
_LONGEST_TABLE = 40  # entries; a longer figure of zeros and ones is described in one line

# For each block: title, figures, the parameter whose gradient it claims, what it proves and what it does not.
_BLOCKS = (
    (
        "∂R/∂β",
        ("beta_matrix", "beta_loop"),
        "beta",
        "It proves that column sums are sums over a column. With the rectifier's real derivative 1ᵀstub is the"
        " gradient but for 1/N.",
        "It does not prove that the loop is the node-wise gradient: the loop feeds node i with column i of X times"
        " Γ₁[i, i], another input, and gets the same figures only because the coded a′ is 1 everywhere.",
    ),
    (
        "∂(β⊗1)/∂β by the Kronecker rule",
        ("kronecker_rule",),
        "",
        "It proves that the rule gives I⊗1, which is right: vec(stub)ᵀ(I⊗1) = 1ᵀstub, so this matrix was the"
        " missing step and not a failure.",
        "It does not conform with the N × p2 stub as it stands; the stub must be vectorised first.",
    ),
    (
        "∂R/∂Γ₁",
        ("Gamma1_matrix", "Gamma1_loop"),
        "Gamma1",
        "It proves that Xᵀ(stub⊙w) has the entries X_iᵀdiag(w_j)stub_j.",
        "It does not prove that this is the gradient, and it is not: both forms hold the mean and the standard"
        " deviation constant, and both multiply by the standard deviation where the text divides.",
    ),
    (
        "∂R/∂γ",
        ("gamma_matrix", "gamma_loop"),
        "gamma",
        "It proves that the loop gives the diagonal of the matrix form.",
        "It does not prove that either is the gradient: the factor γ does not belong there, and the entries off the"
        " diagonal are no derivatives of anything. The gradient is diag(HᵀW).",
    ),
)


def forum_text(result: ForumChecks) -> str:
    """Return the checks block by block, with what each proves."""
    return "\n".join(_forum_lines(result))


def forum_data(result: ForumChecks) -> dict[str, Any]:
    """Return the checks as plain data: name, printed, python, r and agrees of each."""
    return {
        "checks": [
            {
                "name": check.name,
                "printed": None if check.printed is None else check.printed.astype(float).tolist(),
                "python": check.python.tolist(),
                "r": None if check.r is None else check.r.tolist(),
                "agrees": check.agrees,
            }
            for check in result.checks
        ]
    }


def claims_text(judgements: list[Judgement]) -> str:
    """Return every claim with its verdict and correction."""
    return "\n".join(_claims_lines(judgements))


def claims_data(judgements: list[Judgement]) -> dict[str, Any]:
    """Return the claims as plain data."""
    return {
        "claims": [
            {
                "id": judgement.claim.id,
                "source": judgement.source,
                "statement": judgement.claim.statement,
                "difference": judgement.difference,
                "factor": judgement.factor,
                "verdict": judgement.verdict,
                "correction": judgement.claim.correction,
                "correction_difference": judgement.correction_difference,
            }
            for judgement in judgements
        ]
    }


def _forum_lines(result: ForumChecks) -> Iterator[str]:
    data = result.data
    N, (p1, p2) = len(data.X), data.Gamma1.shape
    yield f"The question's checks as posted: N = {N}, p1 = {p1}, p2 = {p2}; standard deviations with N - 1, no 1/N."
    if result.without_r:
        yield from _wrap(f"Python alone: {result.without_r}", "  ")
    by_name = {check.name: check for check in result.checks}
    for number, (title, names, parameter, proves, does_not_prove) in enumerate(_BLOCKS, start=1):
        yield ""
        yield f"{number}. {title}"
        for name in names:
            yield ""
            yield from _check_lines(by_name[name])
        yield ""
        yield from _wrap(proves, "   ")
        yield from _wrap(does_not_prove, "   ")
        if parameter:
            yield from _wrap(_distance_from_gradient(parameter, by_name, data), "   ")
    yield ""
    different = [check.name for check in result.checks if not check.agrees]
    compared = "Every figure agrees, without R." if result.without_r else "Every figure agrees."
    yield f"Figures that differ: {', '.join(different)}" if different else compared


def _check_lines(check: Check) -> Iterator[str]:
    form = {"matrix": "matrix form", "loop": "loop", "rule": "matrix"}[check.name.split("_")[1]]
    yield f"   {form} ({check.name}): {'agrees' if check.agrees else 'DIFFERS'}"
    if check.python.size > _LONGEST_TABLE and np.isin(check.python, (0, 1)).all():
        yield from _pattern_lines(check)
        return
    yield f"   {'':8}{'printed':>14}  {'Python':>22}  {'R':>22}  {'printed digits':>14}  {'Python = R':>10}"
    indices = list(np.ndindex(check.python.shape))
    for index in indices[:_LONGEST_TABLE]:
        yield "   " + _entry_line(check, index)
    if len(indices) > _LONGEST_TABLE:
        yield f"   … and {len(indices) - _LONGEST_TABLE} entries more, compared alike"


def _entry_line(check: Check, index: tuple[int, ...]) -> str:
    label = "[" + ",".join(str(i + 1) for i in index) + "]"
    python, r = float(check.python[index]), None if check.r is None else float(check.r[index])
    text = "" if check.printed is None else str(check.printed[index])
    shown = ""
    if text:
        values = [python] if r is None else [python, r]
        digits = len(text.lstrip("-0.").replace(".", ""))
        shown = f"{digits if all(shows(v, text) for v in values) else _printed_agreement(values, text)} of {digits}"
    r_text, same = ("", "") if r is None else (f"{r:.15g}", str(agreeing_digits(python, r)))
    return f"{label:8}{text:>14}  {python:>22.15g}  {r_text:>22}  {shown:>14}  {same:>10}".rstrip()


def _pattern_lines(check: Check) -> Iterator[str]:
    rows, columns = check.python.shape
    ones = [np.flatnonzero(check.python[:, j]) + 1 for j in range(columns)]
    spans = ", ".join(f"{j + 1} in rows {span[0]}-{span[-1]}" for j, span in enumerate(ones) if len(span))
    yield from _wrap(f"{rows} × {columns}, zeros but for ones in column {spans}", "   ")
    others = [("printed", check.printed), ("R", check.r)]
    for name, other in others:
        if other is not None:
            equal = int((check.python == other.astype(float)).sum())
            yield f"   Python equals {name} in {equal} of {check.python.size} entries"


def agreeing_digits(a: float, b: float) -> int:
    """Return how many significant digits two numbers share, at most 16."""
    if a == b:
        return 16
    return int(np.clip(np.floor(-np.log10(abs(a - b) / max(abs(a), abs(b)))), 0, 16))


def _printed_agreement(values: list[float], text: str) -> int:
    """Return how many of the printed digits the value with the largest error still has."""
    digits = len(text.lstrip("-0.").replace(".", ""))
    worst = max(abs(value - float(text)) for value in values)
    lost = int(np.ceil(np.log10(max(worst, 1e-300) / (0.5 * 10.0 ** -decimals(text)))))
    return max(digits - max(lost, 1), 0)


def _distance_from_gradient(parameter: str, checks: dict[str, Check], data: ForumData) -> str:
    """Return a sentence on how far the posted figure, divided by N, is from the exact gradient at the same data."""
    exact: Array = getattr(
        net_gradient(data.X, data.outcome(), data.Gamma1, data.gamma, data.beta, data.Gamma2), parameter
    )
    posted = checks[f"{parameter}_matrix"].python / len(data.X)
    if parameter == "gamma":
        posted = np.diag(posted)
    if np.max(np.abs(exact)) <= 1e-12 * np.max(np.abs(posted)):
        return "The exact gradient of the same net is 0 here."
    difference = np.max(np.abs(posted - exact)) / np.max(np.abs(exact))
    return (
        "Divided by N and held against the exact gradient of the same net (a real rectifier, through mean and"
        f" deviation), it is off by {difference:.2g} times the gradient's largest entry."
    )


def _claims_lines(judgements: list[Judgement]) -> Iterator[str]:
    source = ""
    for judgement in judgements:
        if judgement.source != source:
            source = judgement.source
            yield from ("", f"{source[0].upper()}{source[1:]}")
        yield from ("", f"  {judgement.claim.id}  {judgement.verdict.upper()}  ({_measurement(judgement)})")
        yield from _wrap(judgement.claim.statement, "      ")
        if judgement.claim.correction:
            assert judgement.correction_difference is not None
            checked = f"[checked: off by {judgement.correction_difference:.0e}]"
            yield from _wrap(f"-> {judgement.claim.correction} {checked}", "      ")
    counts = {
        verdict: sum(j.verdict == verdict for j in judgements) for verdict in ("right", "right up to 1/N", "wrong")
    }
    yield from (
        "",
        f"{len(judgements)} claims: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()),
    )


def _measurement(judgement: Judgement) -> str:
    if judgement.difference is None:
        return "not conformable"
    removed = f" after removing the factor N = {judgement.factor}" if judgement.factor != 1 else ""
    return f"largest relative difference {judgement.difference:.1e}{removed}"


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
