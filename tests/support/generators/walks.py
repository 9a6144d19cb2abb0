"""Random walks of a grammar in Lark's notation: texts it derives, made without any parser of grammars but Lark's own.

    walker = Walker(grammar_text)
    walker.walk(Random(7))          # one text
    walker.walk(Random(7), 60)      # a longer one: about how many choices are free before it makes for the end

Terminals are drawn from their expressions by Python's own reader of them, rules from the tree, mostly the shortest
way to an end once the free choices are used up.
"""

from __future__ import annotations

import re
import re._parser as expressions  # type: ignore[import-not-found]  # it has no type information
from collections.abc import Iterator
from functools import cache
from math import inf
from random import Random

from hl_dsl.grammar.decoder.ebnf import (
    Choice,
    GrammarNode,
    Literal,
    RegexTerminal,
    Repeat,
    RuleReference,
    Sequence,
    read_grammar,
)

_MOST_REPEATS = 3
_ODD = "±→∞é"  # characters other than ASCII that `.` matches


class Walker:
    """Walks of the grammar `text` from its rule `start`."""

    def __init__(self, text: str):
        grammar = read_grammar(text)
        self._nodes: dict[str, GrammarNode] = {**grammar.rules, **grammar.terminals}
        self._terminals = {RuleReference(name) for name in grammar.terminals}
        self._cost = dict.fromkeys(self._nodes, inf)
        changed = True
        while changed:
            before = dict(self._cost)
            for name, node in self._nodes.items():
                self._cost[name] = 1 + self._least(node)
            changed = before != self._cost

    def walk(self, random: Random, choices: int = 40) -> str:
        """One text."""
        self._random, self._left = random, choices
        return "".join(self._texts(RuleReference("start")))

    def _least(self, node: GrammarNode) -> float:
        """Rules on the deepest way to the nearest end."""
        if type(node) is RuleReference:
            return self._cost[node.name]
        if type(node) is Sequence:
            return max(map(self._least, node.items))
        if type(node) is Choice:
            return min(map(self._least, node.options))
        return self._least(node.item) if type(node) is Repeat and node.low else 0

    def _texts(self, node: GrammarNode) -> Iterator[str]:
        if type(node) is Literal:
            yield node.text
        elif type(node) is RegexTerminal:
            yield self._drawn(_parsed(node.text))
        elif type(node) is RuleReference:
            yield from self._texts(self._nodes[node.name])
        elif type(node) is Sequence:
            for item in node.items:
                yield from self._texts(item)
        elif type(node) is Repeat:
            times = self._times(node)
            for number in range(times):
                yield from self._share(node.item, times - number)
        else:
            assert type(node) is Choice
            yield from self._texts(self._chosen(node))

    def _share(self, node: GrammarNode, of: int) -> Iterator[str]:
        """Its texts for its part of the choices that are left, so that the first of several does not use them up."""
        others = self._left - self._left // of
        self._left //= of
        yield from self._texts(node)
        self._left += others

    def _times(self, node: Repeat) -> int:
        high = node.low + _MOST_REPEATS if node.high is None else node.high
        if node.item in self._terminals:
            return self._random.randint(node.low, high)
        if self._left <= 0:
            return node.low
        self._left -= 1
        return (
            high
            if self._random.random() < 0.002
            else self._random.randint(node.low, min(high, node.low + _MOST_REPEATS))
        )

    def _chosen(self, node: Choice) -> GrammarNode:
        if self._left <= 0:
            most = min(map(self._least, node.options)) + 2 * (self._random.random() < 0.2)
            return self._random.choice([option for option in node.options if self._least(option) <= most])
        self._left -= 1
        return self._random.choice(node.options)

    # terminals

    def _drawn(self, parsed) -> str:
        return "".join(self._drawn_part(*part) for part in parsed)

    def _drawn_part(self, kind, value) -> str:
        name = str(kind)
        if name == "LITERAL":
            return chr(value)
        if name == "IN":
            return self._random.choice(_letters(tuple(value)))
        if name == "BRANCH":
            return self._drawn(self._random.choice(value[1]))
        if name == "SUBPATTERN":
            return self._drawn(value[-1])
        if name == "MAX_REPEAT":
            low, high, inner = value
            # Mostly few, sometimes all there may be.
            many = high if self._random.random() < 0.02 else min(high, low + self._random.randint(0, _MOST_REPEATS))
            return "".join(self._drawn(inner) for _ in range(many))
        raise ValueError(f"no way to draw {name}")


@cache
def _parsed(pattern: str):
    return expressions.parse(pattern[1:-1])


@cache
def _letters(members: tuple) -> str:
    """What a class in brackets can be: of ASCII all, of the rest a few."""
    allowed = re.compile(f"[{''.join(map(_class_text, members))}]")
    return "".join(letter for letter in [*map(chr, range(128)), *_ODD] if allowed.match(letter))


def _class_text(member) -> str:
    kind, value = member
    if str(kind) == "NEGATE":
        return "^"
    low, high = (value, value) if str(kind) == "LITERAL" else value
    return f"\\x{low:02x}-\\x{high:02x}"
