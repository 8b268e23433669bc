"""The formula of a model, taken apart: y ~ linear + net(z1, z2, size = 8) | effect + effect.

The net terms and the effects are matbn's; what is left, and each net's inputs, are ordinary formulas for formulaic.
"""

from dataclasses import dataclass
from itertools import pairwise

from matbn.errors import ArgumentError

_OPTIONS = ("size", "basis", "mask", "label")


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


def parsed(text: str) -> Formula:
    """Take a formula apart."""
    sides = _split(text, "~")
    if len(sides) != 2 or not sides[0] or not sides[1]:
        raise ArgumentError(f"formula {text!r} must have the form 'y ~ terms', with one ~")
    parts = _split(sides[1], "|")
    if len(parts) > 2:
        raise ArgumentError(
            f"formula {text!r} has more than one |; after it come the fixed effects, as in '| id + year'"
        )
    effects = tuple(_split(parts[1], "+")) if len(parts) == 2 else ()
    for effect in effects:
        if not effect.isidentifier():
            raise ArgumentError(f"formula {text!r} has the fixed effect {effect!r}, but effects are names of columns")
    linear, nets = [], []
    for sign, term in _terms(parts[0]):
        if term.startswith("net(") and term.endswith(")") and _closes_at_end(term):
            if sign == "-":
                raise ArgumentError(f"formula {text!r} subtracts {term}; a net can only be added")
            nets.append(_net(term))
        else:
            linear.append(f"{sign} {term}")
    return Formula(text, sides[0], " ".join(linear), tuple(nets), effects)


def resized(formula: Formula, size: int) -> Formula:
    """Return a formula whose nets all have another size."""
    text = formula.text
    for call in formula.nets:
        options = ", ".join(f"{name} = {size if name == 'size' else value}" for name, value in call.options)
        inputs = call.text[len("net(") : -1]
        kept = [argument for argument in _split(inputs, ",") if argument.partition("=")[0].strip() not in _OPTIONS]
        text = text.replace(call.text, f"net({', '.join(kept)}, {options})")
    return parsed(text)


def _net(text: str) -> NetCall:
    inputs, options = [], []
    for argument in _split(text[len("net(") : -1], ","):
        name, equals, value = argument.partition("=")
        if equals and not value.startswith("=") and name.strip().isidentifier():
            if name.strip() not in _OPTIONS:
                raise ArgumentError(f"{text}: {name.strip()!r} is no option of a net; there are {', '.join(_OPTIONS)}")
            options.append((name.strip(), value.strip()))
        else:
            inputs.append(argument)
    if not inputs or not all(inputs):
        raise ArgumentError(f"{text} has no inputs; write net(z1, z2, size = 4)")
    if "size" not in dict(options):
        raise ArgumentError(f"{text} has no size; write how many nodes it has, as in net(z1, z2, size = 4)")
    return NetCall(text, " + ".join(inputs), tuple(options))


def _terms(text: str) -> list[tuple[str, str]]:
    """Split a right side at + and - outside of brackets, keeping the signs."""
    found, sign, start = [], "+", 0
    for place in [*_places(text, "+-"), len(text)]:
        term = text[start:place].strip()
        if term:
            found.append((sign, term))
        elif place == len(text) or start:
            raise ArgumentError(f"formula part {text!r} has a + or - with nothing beside it")
        sign, start = text[place : place + 1], place + 1
    return found


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


def _closes_at_end(term: str) -> bool:
    """Whether the bracket of net( is closed by the last character."""
    depth = 0
    for place, character in enumerate(term):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character == ")":
            return place == len(term) - 1
    return False
