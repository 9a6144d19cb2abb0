"""Explicit white space in a grammar, for readers of grammars that ignore nothing.

Each pair of neighbours in a rule has a gap. It is required between two words, absent in front of `,` and `:` and
between a name and its bracket, and optional otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from hl_dsl.grammar.decoder.ebnf import Choice, GrammarNode, Literal, Repeat, RuleReference, Sequence, choice, sequence

GAP = RuleReference("GAP")
_MAY = Repeat(GAP, 0, 1)
_WORD, _SIGN = "word", "sign"
_NEVER_AFTER_A_GAP = (",", ":")
_OPENERS = "(["


def with_gaps(rules: Mapping[str, GrammarNode], words: frozenset[str]) -> dict[str, GrammarNode]:
    """The rules with gaps between their parts. `words`: the terminals that start and end like a word."""
    threader = _Threader(_Ends(rules, words))
    return {name: threader.threaded(node) for name, node in rules.items()}


class _Ends:
    """The kinds of text that a node can start and end with: words, signs, or nothing."""

    def __init__(self, rules: Mapping[str, GrammarNode], words: frozenset[str]):
        self._words = words
        self._known: dict[tuple[str, bool], frozenset[str]] = {
            (name, last): frozenset() for name in rules for last in (False, True)
        }
        changed = True
        while changed:
            before = dict(self._known)
            for name, last in self._known:
                self._known[name, last] = self.of(rules[name], last)
            changed = before != self._known

    def of(self, node: GrammarNode, last: bool) -> frozenset[str]:
        if type(node) is Literal:
            return frozenset([_WORD if node.text[-1 if last else 0].isalnum() else _SIGN])
        if type(node) is RuleReference:
            named = frozenset([_WORD if node.name in self._words else _SIGN])
            return self._known.get((node.name, last), named)
        if type(node) is Repeat:
            return self.of(node.item, last)
        if type(node) is Choice:
            return frozenset().union(*(self.of(option, last) for option in node.options))
        assert isinstance(node, Sequence)
        kinds: frozenset[str] = frozenset()
        for item in reversed(node.items) if last else node.items:
            kinds |= self.of(item, last)
            if not _may_be_missing(item):
                break
        return kinds


class _Threader:
    def __init__(self, ends: _Ends):
        self._ends = ends

    def threaded(self, node: GrammarNode) -> GrammarNode:
        """The node with gaps inside, none at its ends."""
        if type(node) is Choice:
            return choice(*map(self.threaded, node.options))
        if type(node) is Sequence:
            return self._sequence(node.items)
        if type(node) is Repeat:
            return self._sequence((node,))
        return node

    def _sequence(self, items: tuple[GrammarNode, ...]) -> GrammarNode:
        out: list[GrammarNode] = []
        before: GrammarNode | None = None
        lasts: frozenset[str] = frozenset()
        for position, item in enumerate(items):
            rest = items[position + 1 :]
            inner = item.item if type(item) is Repeat else item
            ending = self._ends.of(inner, True)
            if not lasts and isinstance(item, Repeat) and _may_be_missing(item) and rest:
                out.append(self._leading(item, rest))
                continue
            if type(item) is not Repeat:
                out += [*(self._gap(before, lasts, item) if lasts else ()), self.threaded(item)]
            elif lasts:
                again = lasts | ending if item.high != 1 else lasts
                out.append(
                    Repeat(sequence(*self._gap(before, again, inner), self.threaded(inner)), item.low, item.high)
                )
            else:
                out.append(self._alone(item))
            lasts = lasts | ending if _may_be_missing(item) else ending
            before = item
        return sequence(*out)

    def _leading(self, item: Repeat, rest: tuple[GrammarNode, ...]) -> GrammarNode:
        """An optional first part carries the gap behind it."""
        following = choice(sequence(*rest), item.item) if item.high != 1 else sequence(*rest)
        gap = self._gap(item.item, self._ends.of(item.item, True), following)
        return Repeat(sequence(self.threaded(item.item), *gap), item.low, item.high)

    def _alone(self, item: Repeat) -> GrammarNode:
        inner = self.threaded(item.item)
        if item.high == 1:
            return Repeat(inner, item.low, 1)
        more = Repeat(
            sequence(*self._gap(item.item, self._ends.of(item.item, True), item.item), inner),
            max(0, item.low - 1),
            None if item.high is None else item.high - 1,
        )
        whole = sequence(inner, more)
        return whole if item.low else Repeat(whole, 0, 1)

    def _gap(
        self, before: GrammarNode | None, lasts: frozenset[str], following: GrammarNode
    ) -> tuple[GrammarNode, ...]:
        firsts = self._ends.of(following, False)
        if _WORD in lasts and _WORD in firsts:
            return (GAP,)
        if (
            _starts_with(following, _NEVER_AFTER_A_GAP)
            or type(before) is not Literal
            and _starts_with(following, tuple(_OPENERS))
        ):
            return ()
        return (_MAY,)


def _may_be_missing(node: GrammarNode) -> bool:
    return type(node) is Repeat and node.low == 0


def _starts_with(node: GrammarNode, texts: tuple[str, ...]) -> bool:
    if type(node) is Literal:
        return node.text in texts
    if type(node) is Sequence:
        return _starts_with(node.items[0], texts)
    if type(node) is Choice:
        return all(_starts_with(option, texts) for option in node.options)
    return type(node) is Repeat and _starts_with(node.item, texts)
