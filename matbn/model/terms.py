"""The terms of a formula in a saved fit: all of its parts are checked before formulaic reads them, and their number."""

from math import prod
from typing import Any

from matbn.errors import ArgumentError
from matbn.model.syntax import Found, expression, short, shortened

_TERMS = 3_000
_POWER = 20  # of sums of terms
_DIGITS = 20  # of a number before a term


def part_of_formula(text: str) -> tuple[Any, dict[str, Found]]:
    """Return a right side as formulaic reads it, with what each of its factors refers to, by the factor's text.

    Its tokens are checked before formulaic reads them, and so is how many terms there will be.
    """
    from formulaic import Formula
    from formulaic.errors import FormulaicError
    from formulaic.parser import DefaultFormulaParser
    from formulaic.parser.algos.tokenize import tokenize

    try:
        for token in tokenize(short(text)):
            _check_token(token)
        tree = DefaultFormulaParser().get_ast(text, context={})
        if _terms(tree) > _TERMS:
            raise ArgumentError(f"{shortened(text)} has more than {_TERMS:,} terms")
        formula = Formula(text)
        factors = {factor for term in formula for factor in term.factors if factor.eval_method.value != "literal"}
    except (FormulaicError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(f"{shortened(text)} is no formula that can be read") from None
    return formula, {
        factor.expr: expression(factor.expr) if factor.eval_method.value == "python" else Found({factor.expr})
        for factor in factors
    }


def _check_token(token: Any) -> None:
    """Refuse what formulaic would evaluate while it reads, and numbers and operators that no formula of ours has."""
    kind = token.kind.value
    if kind == "python":
        expression(token.token)
    elif kind == "name" and token.token in ("~", "|", "."):
        raise ArgumentError(f"{token.token!a} is no name of a column in a saved formula")
    elif kind == "operator" and token.token != "in" and set(token.token) - set("+-*/:^"):
        raise ArgumentError(f"{shortened(token.token)} is no operator of a saved formula")
    elif kind == "value" and (len(token.token) > _DIGITS or not token.token.replace(".", "", 1).isdecimal()):
        raise ArgumentError(f"{shortened(token.token)} is no number in a saved formula")


def _terms(tree: Any) -> int:
    """Return how many terms a formula will have at most, from its tree of operators, or one more than allowed."""
    found: dict[int, int] = {}
    waiting = [tree]
    while waiting:
        node = waiting[-1]
        sides = [side for side in getattr(node, "args", ()) if id(side) not in found]
        if sides:
            waiting += sides
            continue
        waiting.pop()
        counts = [found[id(side)] for side in getattr(node, "args", ())]
        found[id(node)] = min(_count(node, counts), _TERMS + 1)
    return found[id(tree)]


def _count(node: Any, counts: list[int]) -> int:
    symbol = node.operator.symbol if counts else ""
    if symbol in ("**", "^"):
        power = str(node.args[1])
        if not power.isdecimal() or int(power) > _POWER:
            raise ArgumentError(f"the power {shortened(power)} of terms is no whole number up to {_POWER}")
        return int(counts[0] ** int(power))
    if symbol == ":":
        return prod(counts)
    return sum(counts) + (prod(counts) if symbol == "*" and len(counts) == 2 else 0) if counts else 1


def columns_read(formula: Any) -> set[str]:
    """Return the data's columns that a checked formula of formulaic's reads."""
    found: set[str] = set()
    for factor in {factor for term in formula for factor in term.factors}:
        if factor.eval_method.value == "python":
            found |= expression(factor.expr).columns
        elif factor.eval_method.value == "lookup":
            found.add(factor.expr)
    return found
