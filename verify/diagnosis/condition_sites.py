"""Conditions of a program in its graph: of rules, transitions and `if`s, with the node that guards each.

The graph does not record where in the text a node comes from. The program is therefore lowered once more, by a
lowering that records the node of each condition and the node that guards it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hl_dsl.base.declaration_table import form_of
from hl_dsl.base.source import Span
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.lowering.lower import Lowering
from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, expressions, walk
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.operators import OPERATORS

RULE, TRANSITION, BRANCH = "rule", "transition", "if"


@dataclass(frozen=True)
class TextCondition:
    """One condition of the text.

    Attributes:
        place: RULE, TRANSITION or BRANCH.
        expression: The condition.
        span: Its place in the text.
        mode: The mode that contains the rule or transition, if any.
        number: Zero-based position in its list of rules or transitions.
        list_: Identifies that list.
        target: The mode that a transition leads to.
    """

    place: str
    expression: Expression
    span: Span
    mode: str | None = None
    number: int = 0
    list_: int = 0
    target: str | None = None


@dataclass(frozen=True)
class ConditionSite:
    """A condition in the graph.

    Attributes:
        condition: The condition.
        test: Its node.
        guard: Node that is true where the condition is evaluated; None: always.
        met: Node that is true where the condition is evaluated and true.
        unmet: Node that is true where the condition is evaluated and false.
    """

    condition: TextCondition
    test: int
    guard: int | None
    met: int
    unmet: int


def find_condition_sites(checked: CheckedProgram) -> tuple[Dataflow, list[ConditionSite]]:
    """Returns the program's graph with nodes for its conditions, and the conditions in the order of the text."""
    lowering = _RecordingLowering(checked)
    lowering.run()
    sites = [
        lowering.condition_site(replace(condition, span=checked.source.balanced(condition.span)))
        for condition in lowering.wanted.values()
        if id(condition.expression) in lowering.seen
    ]
    return lowering.result(), sorted(sites, key=lambda site: site.condition.span)


class _RecordingLowering(Lowering):
    def __init__(self, checked: CheckedProgram):
        super().__init__(checked, None)
        self.wanted = {id(condition.expression): condition for condition in _text_conditions(checked)}
        self.seen: dict[int, list[tuple[int, int | None]]] = {}

    def _lower(self, node: Expression, locals_: Mapping[str, Any] | None) -> Any:
        guard = self.guard
        value = super()._lower(node, locals_)
        if locals_ is None and id(node) in self.wanted:
            self.seen.setdefault(id(node), []).append((value.nodes[0], guard))
        return value

    def condition_site(self, condition: TextCondition) -> ConditionSite:
        """Returns the site of a condition. One that is lowered at several places is evaluated at any of them."""
        apply = self.builder.apply
        met, unmet = [], []
        for test, guard in self.seen[id(condition.expression)]:
            opposite = apply("not", (test,))
            met.append(test if guard is None else apply("and", (guard, test)))
            unmet.append(opposite if guard is None else apply("and", (guard, opposite)))
        test, guard = self.seen[id(condition.expression)][0]
        return ConditionSite(condition, test, guard if len(met) == 1 else None, self._any(met), self._any(unmet))

    def _any(self, nodes: list[int]) -> int:
        result = nodes[0]
        for node in nodes[1:]:
            result = self.builder.apply("or", (result, node))
        return result


def _text_conditions(checked: CheckedProgram) -> Iterator[TextCondition]:
    number_of_lists = 0
    for declaration in checked.policy.declarations:
        for conditions in form_of(declaration).condition_lists(declaration):
            for number, (condition, target) in enumerate(conditions.items):
                place = RULE if target is None else TRANSITION
                yield TextCondition(place, condition, condition.span, conditions.mode, number, number_of_lists, target)
            number_of_lists += 1
        for top in expressions(declaration):
            for node in walk(top):
                if type(node) is Apply and _chooses(node):
                    yield TextCondition(BRANCH, node.operands[0], node.operands[0].span)


def _chooses(node: Apply) -> bool:
    """Returns True if the first operand decides which of the others is used."""
    return {(by, truth) for _, by, truth in OPERATORS[node.operator].guards} == {(0, True), (0, False)}
