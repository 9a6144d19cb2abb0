"""Grammars as trees: reading Lark's notation (by the grammar that Lark ships of itself) and writing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Literal:
    """A text."""

    text: str


@dataclass(frozen=True)
class RegexTerminal:
    """A regular expression, with its slashes."""

    text: str


@dataclass(frozen=True)
class RuleReference:
    """A rule or, in capitals, a terminal."""

    name: str


@dataclass(frozen=True)
class Sequence:
    """One item after the other."""

    items: tuple[GrammarNode, ...]


@dataclass(frozen=True)
class Choice:
    """One of several options."""

    options: tuple[GrammarNode, ...]


@dataclass(frozen=True)
class Repeat:
    """`item`, from `low` to `high` times; None: without limit."""

    item: GrammarNode
    low: int
    high: int | None


GrammarNode = Literal | RegexTerminal | RuleReference | Sequence | Choice | Repeat


@dataclass(frozen=True)
class Grammar:
    """Rules and terminals by name, in the order of the text."""

    rules: Mapping[str, GrammarNode]
    terminals: Mapping[str, GrammarNode]


@lru_cache(maxsize=256)
def read_grammar(text: str) -> Grammar:
    """The rules and terminals of a Lark grammar. Ignored terminals, aliases and other directives are omitted."""
    rules: dict[str, GrammarNode] = {}
    terminals: dict[str, GrammarNode] = {}
    for item in _lark().parse(text.rstrip() + "\n").children:
        if item.data in ("rule", "token"):
            name = item.children[0].lstrip("?!")
            (rules if item.data == "rule" else terminals)[name] = _node(item.children[-1])
    return Grammar(MappingProxyType(rules), MappingProxyType(terminals))


def read_expansion(text: str) -> GrammarNode:
    """The right side of one rule."""
    return read_grammar(f"part: {text}").rules["part"]


def sequence(*items: GrammarNode) -> GrammarNode:
    """A sequence without sequences in it; a single item is itself."""
    flat = [part for item in items for part in (item.items if type(item) is Sequence else (item,))]
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def choice(*options: GrammarNode) -> GrammarNode:
    """A choice without choices in it; a single option is itself."""
    flat = [part for option in options for part in (option.options if type(option) is Choice else (option,))]
    return flat[0] if len(flat) == 1 else Choice(tuple(flat))


def walk(node: GrammarNode) -> Iterator[GrammarNode]:
    """The node and all below it."""
    yield node
    for child in _below(node):
        yield from walk(child)


def _below(node: GrammarNode) -> tuple[GrammarNode, ...]:
    if isinstance(node, Sequence):
        return node.items
    if isinstance(node, Choice):
        return node.options
    return (node.item,) if isinstance(node, Repeat) else ()


def write_node(node: GrammarNode, inside: bool = False) -> str:
    """The node in Lark's notation, in parentheses if it is `inside` another and needs them."""
    if type(node) is Literal:
        return '"' + node.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if type(node) is RegexTerminal:
        return node.text
    if type(node) is RuleReference:
        return node.name
    if type(node) is Repeat:
        return write_node(node.item, True) + _times(node)
    is_sequence = isinstance(node, Sequence)
    text = (" " if is_sequence else " | ").join(
        write_node(part, is_sequence or not isinstance(part, Sequence)) for part in _below(node)
    )
    return f"({text})" if inside else text


def _times(node: Repeat) -> str:
    if node.high is None:
        return "+" if node.low else "*"
    return "?" if (node.low, node.high) == (0, 1) else f"~{node.low}..{node.high}"


@lru_cache(maxsize=1)
def _lark() -> Any:
    from lark import Lark

    return Lark.open_from_package("lark", "grammars/lark.lark", parser="lalr", maybe_placeholders=False)


def _node(tree: Any) -> GrammarNode:
    kind, children = tree.data, tree.children
    if kind == "expansions":
        return choice(*map(_node, children))
    if kind == "alias":
        return _node(children[0])
    if kind == "expansion":
        return sequence(*map(_node, children))
    if kind == "maybe":
        return Repeat(_node(children[0]), 0, 1)
    if kind == "expr":
        return Repeat(_node(children[0]), *_bounds(children[1:]))
    text = str(children[0])
    if kind == "name":
        return RuleReference(text)
    return RegexTerminal(text) if text[0] == "/" else Literal(ast.literal_eval(text))


def _bounds(marks: Any) -> tuple[int, int | None]:
    if marks[0].type == "OP":
        return {"?": (0, 1), "*": (0, None), "+": (1, None)}[str(marks[0])]
    return int(marks[0]), int(marks[-1])
