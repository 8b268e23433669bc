"""What a formula in a saved fit may hold, by its syntax tree: names, numbers, operators and calls of known functions.

formulaic evaluates the Python in a formula with `eval`, and some of it already when it reads one, so that a text from
elsewhere must be checked before formulaic sees it (`terms.py` does). What formulaic compiles is the text with each
`quoted name` replaced by an identifier, and that is what is checked here. In calls that learn from the data texts hold
no quotes or backslashes, for formulaic writes such a call into source code of its own. Numbers that say how much is
computed are bounded, and so is whatever Python computes before it sees any data.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, NoReturn

from matbn.errors import ArgumentError
from matbn.model.vocabulary import CONTRASTS, IN_OPTIONS, IN_TERMS, NUMBERS, Signature

_SIZE = 1_000  # columns of one transformation, and the largest power
_DEPTH = 200  # of a syntax tree
_LENGTH = 100_000  # characters
_LARGEST = 2**63  # whole numbers below it are NumPy's, which never grow

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_NESTING = (ast.expr, ast.keyword, ast.comprehension)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_KINDS: Mapping[type[ast.AST], str] = {
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: "an assignment",
    ast.Subscript: "square brackets after a value",
    ast.Starred: "a starred argument",
    ast.IfExp: "an if",
    ast.BoolOp: "and or or",
    ast.Await: "an await",
    ast.Yield: "a yield",
    ast.YieldFrom: "a yield",
}


@dataclass
class Found:
    """What a checked expression refers to."""

    columns: set[str] = field(default_factory=set)  # of the data
    learning: set[str] = field(default_factory=set)  # calls that learn from the data, as formulaic writes them
    sizes: list[int] = field(default_factory=list)  # how many columns calls are told to make
    own_contrasts: bool = False  # whether there may be contrasts of one's own, of which the number is open


def expression(text: str) -> Found:
    """Check the Python in a term of a formula; an ArgumentError names what it holds but may not."""
    from formulaic.utils.code import sanitize_variable_names

    originals: dict[str, str] = {}
    found = Found()
    tree = _tree(sanitize_variable_names(short(text), {}, originals))
    _check(tree, _Rules(text, IN_TERMS, found, originals))
    return found


def option(text: str) -> int | None:
    """Check the value of a net's option, which is never evaluated; return it if it is a whole number."""
    tree = _tree(short(text))
    _check(tree, _Rules(text, IN_OPTIONS, Found(), {}), argument=True)
    return tree.value if isinstance(tree, ast.Constant) and isinstance(tree.value, int) else None


def short(text: str) -> str:
    """Return a formula's text if it is not too long to be read."""
    if len(text) > _LENGTH:
        raise ArgumentError(f"{shortened(text)} has {len(text):,} characters, but a saved formula at most {_LENGTH:,}")
    return text


def shortened(text: str) -> str:
    """Return a text, or its beginning, in quotes."""
    return ascii(text) if len(text) <= 80 else f"{ascii(text)[:80]}…"


@dataclass(frozen=True)
class _Rules:
    """What a text is checked against, and what is found in it."""

    text: str
    functions: Mapping[str, Signature]
    found: Found
    originals: Mapping[str, str]  # names in backticks by the identifiers that stand for them

    def refuse(self, what: str) -> NoReturn:
        raise ArgumentError(f"{shortened(self.text)} holds {what}, which a saved formula may not")


def _tree(code: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of strange escapes and the like, which are refused anyway
            tree = ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ArgumentError(f"{shortened(code)} is no expression: {str(error) or 'it nests too deeply'}") from None
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > _DEPTH:
            raise ArgumentError(f"{shortened(code)} holds more than {_DEPTH} expressions within each other")
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, _NESTING)]
    return tree


def _check(node: ast.expr, rules: _Rules, argument: bool = False, plain: bool = False) -> None:
    """Check an expression; texts, lists and the like may be arguments only, and texts must be plain in keys."""
    match node:
        case ast.Constant():
            _check_constant(node.value, rules, argument, plain)
        case ast.Name():
            if node.id.startswith("__"):
                rules.refuse(f"the name {node.id}")
            if node.id not in CONTRASTS or not argument:
                rules.found.columns.add(rules.originals.get(node.id, node.id))
        case ast.Attribute():
            name = _dotted(node)
            if name not in NUMBERS and not (argument and name.startswith("contr.") and name in rules.functions):
                rules.refuse(f"the attribute {shortened(ast.unparse(node))}")
        case ast.UnaryOp() if type(node.op) in _SIGNS:
            _check(node.operand, rules, plain=plain)
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            _check(node.left, rules, plain=plain)
            _check(node.right, rules, plain=plain)
            if isinstance(node.op, ast.Pow) and abs(_folded(node.right, rules) or 0) > _SIZE:
                rules.refuse(f"the power {shortened(ast.unparse(node.right))}")
            _folded(node, rules)
        case ast.Compare() if all(isinstance(op, _COMPARISONS) for op in node.ops):
            for side in (node.left, *node.comparators):
                _check(side, rules, isinstance(side, ast.Constant), plain)
        case ast.List() | ast.Tuple() if argument:
            rules.found.own_contrasts = True
            for entry in node.elts:
                _check(entry, rules, True, plain)
        case ast.Dict() if argument and None not in node.keys:
            rules.found.own_contrasts = True
            for entry in (*filter(None, node.keys), *node.values):
                _check(entry, rules, True, plain)
        case ast.Call():
            _check_call(node, rules, plain)
        case _:
            rules.refuse(_KINDS.get(type(node)) or f"{shortened(ast.unparse(node))} where it may not stand")


def _check_constant(value: Any, rules: _Rules, argument: bool, plain: bool) -> None:
    if isinstance(value, str) and argument:
        if not value.isprintable() or set(value) & set("\\'\"" if plain else "\\"):
            rules.refuse(f"the text {shortened(value)} with quotes, backslashes or characters that do not print")
    elif value is None or isinstance(value, bool | str):
        if not argument:
            rules.refuse(f"{shortened(str(value))} where it is no argument")
    else:
        _check_number(value, rules)


def _check_call(node: ast.Call, rules: _Rules, plain: bool) -> None:
    name = _dotted(node.func)
    signature = rules.functions.get(name)
    if signature is None:
        rules.refuse(f"a call of {shortened(name or ast.unparse(node.func))}")
    if len(node.args) > signature.positional:
        rules.refuse(f"{len(node.args)} arguments of {name}, which takes {signature.positional}")
    if signature.learns:
        rules.found.learning.add(ast.unparse(node).replace("\n", " "))
    plain = plain or signature.learns
    first, later = (node.args[:1], node.args[1:]) if signature.column else ([], node.args)
    named = [
        *zip(signature.keywords, later, strict=False),
        *((keyword.arg, keyword.value) for keyword in node.keywords),
    ]
    for argument in (*first, *later, *(keyword.value for keyword in node.keywords)):
        _check(argument, rules, True, plain)
    if name == "Q" and first and isinstance(first[0], ast.Constant) and isinstance(first[0].value, str):
        rules.found.columns.add(first[0].value)
    elif signature.column and not any(isinstance(part, ast.Name) for node in first for part in ast.walk(node)):
        rules.refuse(f"a call of {name} without a column")
    for keyword, value in named:
        if keyword not in signature.keywords:
            rules.refuse(f"the argument {'**' if keyword is None else keyword} of {name}")
        if keyword in signature.sizes:
            _check_size(value, rules, name, keyword)


def _check_size(node: ast.expr, rules: _Rules, function: str, keyword: str) -> None:
    size = node.value if isinstance(node, ast.Constant) else ...
    if size is None:
        return
    if not isinstance(size, int) or not 0 <= size <= _SIZE:
        rules.refuse(f"{keyword} = {shortened(ast.unparse(node))} in {function}, where a number up to {_SIZE} is due")
    rules.found.sizes.append(size)


def _folded(node: ast.expr, rules: _Rules) -> Any:
    """Return the number that Python computes from numbers alone, if it is not too large; None where it needs data."""
    try:
        match node:
            case ast.Constant() if isinstance(node.value, int | float):
                value: Any = node.value
            case ast.UnaryOp():
                inner = _folded(node.operand, rules)
                value = None if inner is None else _SIGNS[type(node.op)](inner)
            case ast.BinOp():
                left, right = _folded(node.left, rules), _folded(node.right, rules)
                value = None if left is None or right is None else _ARITHMETIC[type(node.op)](left, right)
            case _:
                return None
    except (ArithmeticError, TypeError) as error:
        rules.refuse(f"{shortened(ast.unparse(node))} ({error})")
    if value is not None:
        _check_number(value, rules)
    return value


def _check_number(value: Any, rules: _Rules) -> None:
    if not isinstance(value, int | float) or not abs(value) < (_LARGEST if isinstance(value, int) else inf):
        rules.refuse("a number that is complex or beyond 64 bits")


def _dotted(node: ast.expr) -> str:
    """Return a name, with attributes of attributes; nothing for another expression."""
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return node.id if isinstance(node, ast.Name) else ""
