"""`act`: the action of a tick, as a decision list or as one expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hl_dsl.base.declaration_form import ConditionList, DeclarationForm, ReadRule, Role, Slot
from hl_dsl.base.declaration_stages import (
    CoreScope,
    DeclarationChecker,
    DecoderWords,
    Explainer,
    TextWriter,
    TreeReader,
)
from hl_dsl.base.source import Span
from hl_dsl.declarations.decision_lists import (
    check_decision_list,
    describe_rule,
    explain_decision_list,
    put_in_rules,
    rule_conditions,
    rule_slots,
    shorter_lists,
    write_decision_list,
)
from hl_dsl.grammar.tree.syntax_tree import Act, Expression, Rule, rule_expressions
from hl_dsl.language.core import CoreAct


class ActForm(DeclarationForm[Act]):
    """The form of `act`."""

    node = Act
    role = Role.BEHAVIOUR
    words = frozenset(["act", "when", "otherwise"])
    alternatives = ("act",)
    sections = ("Then it acts",)
    grammar = """
act: ACT "{" rule* [otherwise] RBRACE -> decision_list
   | ACT expression -> action_expression
rule: WHEN expression "=>" expression
otherwise: OTHERWISE "=>" expression
WHEN: "when"
ACT: "act"
OTHERWISE: "otherwise"
"""

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {
            "decision_list": _read_list,
            "action_expression": _read_expression,
            "rule": _read_rule,
            "otherwise": _read_otherwise,
        }

    def write(self, out: TextWriter, node: Act) -> None:
        """See the base class."""
        write_decision_list(out, node)

    def decoder_edits(self, words: DecoderWords) -> Iterable[tuple[str, str, str]]:
        """See the base class."""
        if words.actions:
            yield "rule", '"=>" expression', '"=>" action'
            yield "otherwise", '"=>" expression', '"=>" action'
            yield "act", "ACT expression", "ACT action"

    def expressions(self, node: Act) -> Iterable[Expression]:
        """See the base class."""
        return rule_expressions(node)

    def equations(self, node: Act) -> Iterable[tuple[str, tuple[Expression, ...]]]:
        """See the base class."""
        return (("action", tuple(rule_expressions(node))),)

    def check(self, checker: DeclarationChecker, node: Act) -> None:
        """See the base class."""
        check_decision_list(checker, node)

    def desugar(self, scope: CoreScope, node: Act) -> Iterable[CoreAct]:
        """See the base class."""
        return (CoreAct(node, node),)

    def explain(self, explainer: Explainer, node: Act) -> Iterable[str]:
        """See the base class."""
        return explain_decision_list(explainer, node)

    def slots(self, node: Act) -> Iterator[tuple[Slot, Expression]]:
        """See the base class."""
        return rule_slots((), node)

    def put(self, node: Act, slot: Slot, new: Expression) -> Act:
        """See the base class."""
        return put_in_rules(node, slot, new)

    def describe_slot(self, node: Act, slot: Slot) -> str:
        """See the base class."""
        return describe_rule(slot)

    def defined_by(self, node: Act, slot: Slot) -> str:
        """See the base class."""
        return "action"

    def decision_lists(self, node: Act) -> Iterable[tuple[Slot, Act]]:
        """See the base class."""
        return (((), node),)

    def put_decision_list(self, node: Act, before: Slot, act: Act) -> Act:
        """See the base class."""
        return act

    def without_a_part(self, node: Act) -> Iterator[Act]:
        """See the base class."""
        return shorter_lists(node)

    def condition_lists(self, node: Act) -> Iterable[ConditionList]:
        """See the base class."""
        return (rule_conditions(node, None),)


def _read_list(reader: TreeReader, keyword: Any, *rules: Any) -> Act:
    *listed, closing = rules
    return Act(tuple(rule for rule in listed if rule is not None), reader.between(keyword, closing))


def _read_expression(reader: TreeReader, keyword: Any, expression: Expression) -> Act:
    rule = Rule(None, expression, expression.span)
    return Act((rule,), Span(keyword.start_pos, expression.span.end))


def _read_rule(reader: TreeReader, when: Any, condition: Expression, value: Expression) -> Rule:
    return Rule(condition, value, Span(when.start_pos, value.span.end))


def _read_otherwise(reader: TreeReader, keyword: Any, value: Expression) -> Rule:
    return Rule(None, value, Span(keyword.start_pos, value.span.end))
