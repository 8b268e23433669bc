"""The formula of a model, taken apart: y ~ linear + net(z1, z2, size = 8) | effect + effect.

The net terms and the effects are matbn's; what is left, and each net's inputs, are ordinary formulas for formulaic.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

from matbn.errors import ArgumentError

_OPTIONS = ("size", "basis", "mask", "label")
_NET = re.compile(r"net\s*\(")
_OFFSET = re.compile(r"offset\s*\(")
_POWERS = tuple("123456789")  # of terms; formulaic writes all products out before it drops equal ones
_QUOTED = re.compile("`[^`]*`|'[^']*'|\"[^\"]*\"")

# R's words for what Python writes otherwise: a formula may hold either, and means the same in both languages.
_OF_R = {"^": "**", "%in%": ":", "%%": "%", "%/%": "//", "TRUE": "True", "FALSE": "False", "NULL": "None"}
_OF_R |= dict.fromkeys(("factor", "as.factor"), "C")
_WORD = re.compile(_QUOTED.pattern + r"|\^|%in%|%%|%/%|\b(?:TRUE|FALSE|NULL)\b|(?<![\w.])(?:as\.)?factor(?=\s*\()")


@dataclass(frozen=True)
class NetCall:
    """One net(...) in a formula."""

    text: str
    inputs: str  # a formula's right side
    options: tuple[tuple[str, str], ...]  # name and expression


@dataclass(frozen=True)
class Formula:
    """A model's formula in its parts, each still text."""

    text: str
    outcome: str
    linear: str
    nets: tuple[NetCall, ...]
    effects: tuple[str, ...]
    offset: str = ""  # an expression, the sum of all offset() terms


def parse(text: str) -> Formula:
    """Take a formula apart."""
    sides = _split(text, "~")
    if len(sides) != 2 or not sides[0] or not sides[1]:
        raise ArgumentError(f"formula {text!r} must have the form 'y ~ terms', with one ~")
    parts = _split(sides[1], "|")
    if not parts[0]:
        raise ArgumentError(f"formula {text!r} has nothing before the |; write 1 for no terms, as in 'y ~ 1 | id'")
    if "" in parts[1:-1]:
        raise ArgumentError(f"formula {text!r} has ||; fixed effects stand after one |, as in y ~ x | id")
    if len(parts) > 2:
        raise ArgumentError(
            f"formula {text!r} has more than one |; after it come the fixed effects, as in '| id + year'"
        )
    effects = (_effect(text, name) for name in _split(parts[1], "+")) if len(parts) == 2 else ()
    linear, nets, offsets = [], [], []
    for sign, term in _terms(parts[0]):
        opening = _NET.match(term)
        if opening and _closes_at_end(term):
            if sign == "-":
                raise ArgumentError(f"formula {text!r} subtracts {term}; a net can only be added")
            nets.append(_net(term, opening.end()))
        elif (opening := _OFFSET.match(term)) and _closes_at_end(term):
            if sign == "-":
                raise ArgumentError(f"formula {text!r} subtracts {term}; write offset(-v)")
            offsets.append(_checked(text, term[opening.end() : -1], is_value=True))
        else:
            linear.append(f"{sign} {_checked(text, term)}")
    outcome = _checked(text, sides[0], is_value=True)
    offset = " + ".join(f"({value})" for value in offsets)
    return Formula(text, outcome, " ".join(linear), tuple(nets), tuple(dict.fromkeys(effects)), offset)


def _effect(text: str, name: str) -> str:
    """Return an effect's name, which may stand in backquotes."""
    if re.fullmatch("`[^`]+`", name):
        return name[1:-1]
    if not re.fullmatch(r"[^\W\d][\w.]*", name):
        raise ArgumentError(
            f"formula {text!r} has the fixed effect {name!r}, but effects are names of columns, with a + between them,"
            " in `backquotes` where they are no single word"
        )
    return name


def _checked(text: str, term: str, is_value: bool = False) -> str:
    """Return a term for formulaic, unless it has a form that means nothing, or not the same in R and in Python.

    An outcome is a value: what computes there is arithmetic.
    """
    outside = _QUOTED.sub("_", term)

    def refuse(what: str) -> NoReturn:
        raise ArgumentError(f"formula {text!r} has {what}")

    if _is_bracketed(outside) and _places(outside[1:-1], "|"):
        refuse(
            f"{term}, which is how random effects are written, and matbn has none; fixed effects stand once, at the"
            " end: y ~ x + net(z, size = 4) | group"
        )
    if re.search(r"\bnet\s*\(", outside):
        refuse(f"a net inside of {term}; nets are terms of their own: y ~ x + net(z, size = 4)")
    if re.search(r"\boffset\s*\(", outside):
        refuse(f"an offset inside of {term}; offsets are terms of their own: y ~ x + offset(v)")
    if re.search(r"(?<![\w.])\.(?![\w.])", outside):
        refuse("a dot, which matbn does not expand; name the columns")
    if re.search(r"(?<![\w.])log\s*\([^()]*,", outside):
        refuse(f"{term}, but log takes no base; write log2(x), log10(x) or log(x)/log(b)")
    if is_value:
        return term
    written = _as_python(term)
    bare = _without_calls(_QUOTED.sub("_", written))
    if re.search(r"\w\s*\*\*", bare):
        refuse(f"{term}, where a power multiplies a term by itself and changes nothing; write I(x^2) for a square")
    if re.search(r"[<>=!&|%@$\[]|//", bare):
        refuse(f"{term}, which computes; write it in I(), as in I(x > 0)")
    if not all(power in _POWERS for power in re.findall(r"\*\*\s*([^\s+*/:)]*)", bare)):
        refuse(f"{term}, but a power of terms is a whole number from 1 to 9")
    if set(re.findall(r"(?<![\w.])[\d.]+", re.sub(r"\*\*\s*\d+", "", bare))) - {"0", "1"}:
        refuse(f"a number in {term}, but terms are columns and functions of them; write I(2 * x)")
    return written


def as_value(text: str) -> str:
    """Return an outcome for formulaic, in which arithmetic stands in I()."""
    text = _as_python(text)
    return text if re.fullmatch(r"[\w.]+", _without_calls(_QUOTED.sub("_", text))) else f"I({text})"


def _as_python(text: str) -> str:
    """Return text in which R's words are Python's."""
    return _WORD.sub(lambda found: _OF_R.get(found[0], found[0]), text)


def _without_calls(text: str) -> str:
    """Return a term with an underscore in place of each call's arguments, whose operators are not the formula's."""
    kept, calls, before = "", 0, ""
    for character in text:
        named = before == "_" or before.isalnum()
        calls += character in "([{" and (calls > 0 or character == "{" or (character == "(" and named))
        kept += "_" if calls else character
        calls -= character in ")]}" and calls > 0
        before = before if character.isspace() else character
    return kept


def with_size(formula: Formula, size: int) -> Formula:
    """Return a formula whose nets all have another size."""
    text = formula.text
    for call in formula.nets:
        options = ", ".join(f"{name} = {size if name == 'size' else value}" for name, value in call.options)
        inputs = call.text[call.text.index("(") + 1 : -1]
        kept = [argument for argument in _split(inputs, ",") if argument.partition("=")[0].strip() not in _OPTIONS]
        text = text.replace(call.text, f"net({', '.join(kept)}, {options})")
    return parse(text)


def _net(text: str, opening: int) -> NetCall:
    inputs: list[str] = []
    options: list[tuple[str, str]] = []
    for argument in _split(text[opening:-1], ","):
        name, equals, value = argument.partition("=")
        if not argument:
            raise ArgumentError(f"{text} has no inputs, or a comma with nothing beside it; write net(z1, z2, size = 4)")
        if equals and not value.startswith("=") and name.strip().isidentifier():
            if name.strip() not in _OPTIONS:
                raise ArgumentError(f"{text}: {name.strip()!r} is no option of a net; there are {', '.join(_OPTIONS)}")
            if not value.strip():
                raise ArgumentError(f"{text} has {name.strip()} = with nothing beside it")
            if name.strip() in dict(options):
                raise ArgumentError(f"{text} has {name.strip()} twice; give it once")
            options.append((name.strip(), _as_python(value.strip())))
        else:
            inputs.append(_checked(text, argument))
    if not set(inputs) - {"0", "1"}:
        raise ArgumentError(f"{text} has no inputs; write net(z1, z2, size = 4)")
    if "size" not in dict(options):
        raise ArgumentError(f"{text} has no size; write how many nodes it has, as in net(z1, z2, size = 4)")
    return NetCall(text, " + ".join(inputs), tuple(options))


def _terms(text: str) -> list[tuple[str, str]]:
    """Split a right side at + and - outside of brackets, keeping the signs."""
    terms, sign, start = [], "+", 0
    for place in [*_places(text, "+-"), len(text)]:
        term = text[start:place].strip()
        if _is_bracketed(term) and re.search(r"\bnet\s*\(", _QUOTED.sub("''", term)):
            inner = _terms(term[1:-1])  # nets in a bracketed sum are terms of it
            terms += inner if sign != "-" else [("-" if own == "+" else "+", part) for own, part in inner]
        elif term:
            terms.append((sign, term))
        elif place == len(text) or start:
            raise ArgumentError(f"formula part {text!r} has a + or - with nothing beside it")
        sign, start = text[place : place + 1], place + 1
    return terms


def _split(text: str, at: str) -> list[str]:
    places = [-1, *_places(text, at), len(text)]
    return [text[a + 1 : b].strip() for a, b in pairwise(places)]


def _places(text: str, characters: str) -> list[int]:
    """Return where one of the characters stands outside of brackets and quotes."""
    places, depth, quote = [], 0, ""
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                raise ArgumentError(f"{text!r} closes a bracket that it has not opened")
        elif depth == 0 and character in characters:
            places.append(place)
    if depth or quote:
        raise ArgumentError(f"{text!r} leaves a bracket or a quote open")
    return places


def _is_bracketed(term: str) -> bool:
    return term.startswith("(") and _closes_at_end(term)


def _closes_at_end(term: str) -> bool:
    """Return whether a term's first bracket is closed by its last character."""
    depth = 0
    term = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), term)
    for place, character in enumerate(term):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character == ")":
            return place == len(term) - 1
    return False
