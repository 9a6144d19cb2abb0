"""Syntax trees as the parser could make them, of any shape, most of them ill typed."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from hl_dsl.grammar.tree.keywords import reserved_words
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    After,
    Apply,
    Boolean,
    Index,
    Let,
    Memory,
    Mode,
    Modes,
    Name,
    Never,
    Number,
    Observe,
    Observed,
    Param,
    Permute,
    PlanDeclaration,
    PolicyDeclaration,
    Previous,
    PropertyDeclaration,
    Range,
    Rule,
    Setting,
    Slice,
    Transition,
    TypeName,
    Vector,
    Within,
)
from hl_dsl.operators import OPERATORS

# The words of the grammar that can stand for nothing else.
_WORDS = reserved_words() | {"previous"}

names = st.one_of(
    st.sampled_from(
        [
            "x",
            "vx",
            "aim",
            "ram",
            "torso.z",
            "joint.angle",
            "LEFT",
            "FIRE",
            "deadband",
            "action",
            "mode",
            "notx",
            "iff",
            "_",
        ]
    ),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}(\.[A-Za-z_][A-Za-z0-9_]{0,6}){0,2}", fullmatch=True),
).filter(lambda name: name not in _WORDS)

numbers = st.one_of(
    st.integers(-300, 300),
    st.integers(-(10**40), 10**40),
    st.floats(-1000, 1000).map(lambda value: round(value, 2)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308, 1e22, 1e16, -1e-7]),
).map(Number)

literals = st.recursive(
    st.one_of(numbers, st.booleans().map(Boolean), names.map(Name)),
    lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda items: Vector(tuple(items))),
    max_leaves=5,
)

_BY_SIGN = [row for row in OPERATORS.values() if row.syntax.kind != "call"]
_CALLED = [row.name for row in OPERATORS.values() if row.syntax.kind == "call"]
_indices = st.one_of(st.integers(-2, 130), st.integers(0, 10**6))


def _is_folded(node: Apply) -> bool:
    """Whether the text of `node` reads back as a number: a minus sign before a literal."""
    return OPERATORS[node.operator].syntax.token == "-" and len(node.operands) == 1 and type(node.operands[0]) is Number


def _is_permutation(node: Index) -> bool:
    return type(node.index) is Vector and all(
        type(item) is Number and type(item.value) is int for item in node.index.items
    )


def _compound(inner):
    def signed(row):
        return (
            st.tuples(*[inner] * row.arity)
            .map(lambda operands: Apply(row.name, operands))
            .filter(lambda node: not _is_folded(node))
        )

    called = st.one_of(st.sampled_from(_CALLED), names.filter(lambda name: name not in OPERATORS))
    return st.one_of(
        st.sampled_from(_BY_SIGN).flatmap(signed),
        st.builds(Apply, called, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Index, inner, inner).filter(lambda node: not _is_permutation(node)),
        st.builds(Slice, inner, _indices.map(abs), _indices.map(abs)),
        st.builds(Permute, inner, st.lists(_indices, min_size=1, max_size=40).map(tuple)),
        st.builds(Vector, st.lists(inner, min_size=1, max_size=6).map(tuple)),
        st.builds(Previous, inner, inner),
    )


expressions = st.recursive(st.one_of(numbers, st.booleans().map(Boolean), names.map(Name)), _compound, max_leaves=15)

_ends = numbers | st.lists(numbers, min_size=1, max_size=3).map(lambda items: Vector(tuple(items)))
_ranges = st.builds(Range, _ends, _ends)
_types = st.builds(
    TypeName, st.one_of(st.sampled_from(["real", "int", "bool", "vec"]), names), st.none() | st.integers(1, 4096)
)
_rules = st.builds(Rule, expressions, expressions)


@st.composite
def acts(draw):
    rules = draw(st.lists(_rules, max_size=5))
    if draw(st.booleans()):
        rules.append(Rule(None, draw(expressions)))
    return Act(tuple(rules))


_transitions = st.builds(Transition, expressions, names)
_modes = st.builds(Mode, names, st.booleans(), st.none() | acts(), st.lists(_transitions, max_size=3).map(tuple))


@st.composite
def properties(draw):
    kind = draw(st.sampled_from(("invariant", "monitor", "assume", "reachable")))
    pattern = None if kind == "reachable" else draw(st.sampled_from((None, Never, Within, After)))
    if pattern is Within:
        pattern = Within(draw(st.one_of(st.integers(0, 300), st.just(2**53 - 2))), draw(expressions))
    elif pattern is After:
        pattern = After(draw(expressions), draw(expressions))
    elif pattern is Never:
        pattern = Never()
    return PropertyDeclaration(kind, draw(names), draw(expressions), pattern)


@st.composite
def plans(draw):
    settings = draw(st.lists(st.builds(Setting, names, st.one_of(numbers, names.map(Name))), max_size=8))
    return PlanDeclaration(
        draw(names), draw(_types), draw(_ranges), tuple(settings), draw(expressions), draw(st.none() | expressions)
    )


declarations = st.one_of(
    st.builds(
        Observe,
        st.lists(
            st.builds(Observed, names, st.none() | st.integers(1, 4096), st.none() | _ranges), min_size=1, max_size=8
        ).map(tuple),
    ),
    st.builds(Param, names, _types, literals, st.none() | _ranges),
    st.builds(Let, names, expressions),
    st.builds(Memory, names, _types, st.none() | _ranges, literals, expressions),
    st.builds(Modes, st.lists(_modes, min_size=1, max_size=4).map(tuple)),
    acts(),
    properties(),
    plans(),
)

policies = st.builds(
    PolicyDeclaration,
    names,
    st.sampled_from(["Breakout-v5", "", "a b # c", "Ünï-v1"]),
    st.lists(declarations, max_size=6).map(tuple),
)

TOKEN = re.compile(
    r'"[^"\n]*"|[A-Za-z_][A-Za-z0-9_.]*|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|<=|>=|==|!=|=>|->|//|[^\s]'
)


@st.composite
def sprinkled(draw, texts):
    """A text that means one of `texts`, with comments, empty lines and odd spacing, and the number of comments.

    Comment number n reads `#n;`.
    """
    tokens = TOKEN.findall(draw(texts))
    density = draw(st.sampled_from([0, 1, 2, 5, 9]))
    kinds = draw(st.lists(st.integers(0, 9), min_size=len(tokens) + 1, max_size=len(tokens) + 1))
    shapes = draw(st.lists(st.integers(0, 5), min_size=len(tokens) + 1, max_size=len(tokens) + 1))
    parts, count = [], 0
    for position in range(len(tokens) + 1):
        if kinds[position] < density:
            before, after = (
                ("", "\n"),
                (" ", "\n\n"),
                ("\n", "\n"),
                ("\n\n  ", "\n"),
                ("\n\t", "\n\n\n"),
                ("\n", "\r\n"),
            )[shapes[position]]
            parts.append(f"{before}#{count};{after}")
            count += 1
        else:
            parts.append((" ", " ", "  ", "\n", "\n\n", " \r\n \n")[shapes[position]])
        if position < len(tokens):
            parts.append(tokens[position])
    return "".join(parts), count
