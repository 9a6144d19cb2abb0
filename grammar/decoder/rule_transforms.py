"""Transformations of grammar rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hl_dsl.grammar.decoder.ebnf import (
    Choice,
    GrammarNode,
    Literal,
    Repeat,
    RuleReference,
    Sequence,
    choice,
    sequence,
    walk,
    write_node,
)


def inlined(node: GrammarNode, terminals: Mapping[str, GrammarNode]) -> GrammarNode:
    """The node with terminals of one spelling as that spelling."""
    if type(node) is RuleReference and type(terminals.get(node.name)) is Literal:
        return terminals[node.name]
    return _mapped(node, lambda part: inlined(part, terminals))


def _mapped(node: GrammarNode, change: Callable[[GrammarNode], GrammarNode]) -> GrammarNode:
    if type(node) is Sequence:
        return sequence(*map(change, node.items))
    if type(node) is Choice:
        return choice(*map(change, node.options))
    return Repeat(change(node.item), node.low, node.high) if type(node) is Repeat else node


def replaced(rule: str, node: GrammarNode, old: GrammarNode, new: GrammarNode) -> GrammarNode:
    """The node of a rule with `new` in place of `old`, a part of a sequence.

    Raises ValueError unless `old` occurs once.
    """
    wanted = old.items if type(old) is Sequence else (old,)
    found = 0

    def change(part: GrammarNode) -> GrammarNode:
        nonlocal found
        items = part.items if type(part) is Sequence else (part,)
        for start in range(len(items) - len(wanted) + 1):
            if items[start : start + len(wanted)] == wanted:
                found += 1
                return sequence(*map(change, items[:start]), new, *map(change, items[start + len(wanted) :]))
        return _mapped(part, change)

    changed = change(node)
    if found != 1:
        raise ValueError(f"the rule `{rule}` of `hl.lark` has {write_node(old)} {found} times, not once")
    return changed


def without(node: GrammarNode, option: GrammarNode) -> GrammarNode:
    """The node where a choice does not have this option."""
    if type(node) is Choice:
        return choice(*(without(other, option) for other in node.options if other != option))
    return _mapped(node, lambda part: without(part, option))


def chained(name: str, node: GrammarNode, most: int) -> GrammarNode:
    """The rule `a: b | a c` as `a: b c*`, with at most `most` of them."""
    options = node.options if type(node) is Choice else (node,)
    more = [option for option in options if type(option) is Sequence and option.items[0] == RuleReference(name)]
    if not more:
        return node
    first = [option for option in options if option not in more]
    rest = choice(*(sequence(*option.items[1:]) for option in more))
    return sequence(choice(*first), Repeat(rest, 0, most))


def bounded(node: GrammarNode, most: int) -> GrammarNode:
    """The node where nothing repeats more than `most` times."""
    if type(node) is Repeat and node.high is None:
        node = Repeat(node.item, node.low, most)
    return _mapped(node, lambda part: bounded(part, most))


def renamed(node: GrammarNode, old: str, new: str) -> GrammarNode:
    """The node with another symbol in the place of one."""
    return RuleReference(new) if node == RuleReference(old) else _mapped(node, lambda part: renamed(part, old, new))


def reached(rules: Mapping[str, GrammarNode], first: str) -> dict[str, GrammarNode]:
    """The rules that `first` needs, in the order of the text."""
    seen, waiting = set(), [first]
    while waiting:
        name = waiting.pop()
        if name in rules and name not in seen:
            seen.add(name)
            waiting += [part.name for part in walk(rules[name]) if type(part) is RuleReference]
    return {name: node for name, node in rules.items() if name in seen}
