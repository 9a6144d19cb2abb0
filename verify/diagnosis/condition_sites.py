"""Where a program asks a condition: in rules, transitions and `if`s, with what is known where it is condition.

The graph of a program does not say which of its nodes stood where in the text. So the program is lowered once more, by a
lowering that writes down the node of each condition and the node that guards it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.lowering.lower import Lowering
from hl_dsl.grammar.tree.syntax_tree import Act, Apply, Expression, Modes, expressions, walk

from hl_dsl.base.source import Span
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.operators import OPERATORS

RULE, TRANSITION, BRANCH = "rule", "transition", "if"


@dataclass(frozen=True)
class TextCondition:
    """One condition of the text. `place`: RULE, TRANSITION or BRANCH. `mode`: the mode it stands in, for a rule or a
    transition there. `number`: its place among the conditions of its list, from 0; `list_` tells lists apart.
    `target`: the mode a transition leads to."""

    place: str
    expression: Expression
    span: Span
    mode: str | None = None
    number: int = 0
    list_: int = 0
    target: str | None = None


@dataclass(frozen=True)
class ConditionSite:
    """A condition in the graph: the nodes `test` and `guard` (where it is condition; None: always), and the nodes that say that
    it is condition and true (`met`), or condition and false (`unmet`)."""

    condition: TextCondition
    test: int
    guard: int | None
    met: int
    unmet: int


def find_condition_sites(checked: CheckedProgram) -> tuple[Dataflow, list[ConditionSite]]:
    """The program's graph, with nodes for its conditions, and these in the order of the text."""
    lowering = _RecordingLowering(checked)
    lowering.run()
    sites = [
        lowering.asked_at(replace(condition, span=checked.source.balanced(condition.span)))
        for condition in lowering.wanted.values()
        if id(condition.expression) in lowering.seen
    ]
    return lowering.result(), sorted(sites, key=lambda site: site.condition.span)


class _RecordingLowering(Lowering):
    def __init__(self, checked: CheckedProgram):
        super().__init__(checked, None)
        self.wanted = {id(condition.expression): condition for condition in _asked(checked)}
        self.seen: dict[int, list[tuple[int, int | None]]] = {}

    def _lower(self, node, locals_):
        guard = self.guard
        value = super()._lower(node, locals_)
        if locals_ is None and id(node) in self.wanted:
            self.seen.setdefault(id(node), []).append((value.nodes[0], guard))
        return value

    def asked_at(self, condition: TextCondition) -> ConditionSite:
        """A condition that is lowered at several places counts as condition at any of them."""
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


def _asked(checked: CheckedProgram) -> Iterator[TextCondition]:
    lists = 0
    for declaration in checked.policy.declarations:
        if type(declaration) is Act:
            yield from _rules(declaration, None, lists)
            lists += 1
        elif type(declaration) is Modes:
            for mode in declaration.modes:
                if mode.act is not None:
                    yield from _rules(mode.act, mode.name, lists)
                for number, item in enumerate(mode.transitions):
                    yield TextCondition(
                        TRANSITION, item.condition, item.condition.span, mode.name, number, lists + 1, item.target
                    )
                lists += 2
        for top in expressions(declaration):
            for node in walk(top):
                if type(node) is Apply and _chooses(node):
                    yield TextCondition(BRANCH, node.operands[0], node.operands[0].span)


def _rules(act: Act, mode: str | None, list_: int) -> Iterator[TextCondition]:
    for number, rule in enumerate(act.rules):
        if rule.condition is not None:
            yield TextCondition(RULE, rule.condition, rule.condition.span, mode, number, list_)


def _chooses(node: Apply) -> bool:
    """Whether the first operand decides which of the others counts."""
    return {(by, truth) for _, by, truth in OPERATORS[node.operator].guards} == {(0, True), (0, False)}
