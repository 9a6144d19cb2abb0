"""Decision lists, as `act` and the modes of `modes` have them: their text, their English and their addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hl_dsl.base.declaration_form import ConditionList, Slot
from hl_dsl.base.declaration_stages import DeclarationChecker, Explainer, TextWriter
from hl_dsl.base.diagnostics import Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.formatter.document import CELL, CELL_LINE, IN, LINE_IN, LINE_OUT, NEXT_RULE, OUT, PLAIN
from hl_dsl.grammar.tree.syntax_tree import Act, Expression, Name, Rule
from hl_dsl.language.types import BOOL

RULES_ON_A_LINE = 3  # in a mode; at the top, each rule has its own
_ORDINALS = ("1st", "2nd", "3rd")


def write_decision_list(out: TextWriter, act: Act, may_share_a_line: bool = False) -> None:
    """Adds an `act`. In a mode, a short list may stand on one line."""
    if len(act.rules) == 1 and act.rules[0].condition is None:
        out.open()
        out.token("act", act.span.start, act.span.end and act.span.start + 3)
        out.assigned(act.rules[0].value)
        out.close()
        return
    out.open(PLAIN)
    if act.rules and not (may_share_a_line and len(act.rules) <= RULES_ON_A_LINE):
        out.force()
    out.token("act {", act.span.start, act.span.end and act.span.start + 3)
    if act.rules:
        for position, rule in enumerate(act.rules):
            out.sibling(NEXT_RULE if position else LINE_IN, rule.span)
            _write_rule(out, rule)
        out.add(LINE_OUT)
    out.token("}", act.span.end - 1, act.span.end)
    out.close()


def _write_rule(out: TextWriter, rule: Rule) -> None:
    if rule.condition is None:
        out.token("otherwise", rule.span.start, rule.span.end and rule.span.start + 9)
        out.add(CELL)
        out.add("=> ")
        out.expression(rule.value)
        return
    out.open()
    out.keyword("when", rule.span)
    out.expression(rule.condition)
    out.add(IN)
    out.add(CELL_LINE)
    out.add("=> ")
    out.expression(rule.value)
    out.add(OUT)
    out.close()


def check_decision_list(checker: DeclarationChecker, act: Act) -> None:
    """Reports rules of the wrong type, unknown actions, and a list without `otherwise`."""
    wanted = checker.symbols["action"].type
    for rule in act.rules:
        if rule.condition is not None:
            checker.require_type(rule.condition, BOOL, "the condition of a rule", "HL317")
        if not _is_unknown_action(checker, rule.value):
            checker.require_type(rule.value, wanted, "the action", "HL318")
    if act.rules and act.rules[-1].condition is None:
        return
    end = act.span.end - 1
    default = (checker.symbols.card.action.names or ("0",))[0]
    checker.findings.add(
        "HL213",
        "the decision list has no `otherwise`",
        Span(end, end + 1),
        label="every tick needs an action",
        repair=Repair(Span(end, end), f"otherwise => {default} ", f"add `otherwise => {default}`"),
    )


def _is_unknown_action(checker: DeclarationChecker, value: Expression) -> bool:
    """Whether the value is a name that neither the program nor the environment has; reports it."""
    names = checker.symbols.card.action.names
    if names is None or not isinstance(value, Name) or value.name in checker.symbols:
        return False
    near = checker.findings.nearest(value.name.upper(), names, 0.5)
    checker.findings.add(
        "HL209",
        f"{checker.symbols.card.environment} has no action `{value.name}`",
        value.span,
        label="unknown action",
        expected=names,
        repair=Repair(value.span, near, f"did you mean `{near}`?") if near else None,
    )
    return True


def explain_decision_list(explainer: Explainer, act: Act) -> Iterable[str]:
    """The rules in English, a line each."""
    if len(act.rules) == 1:
        yield from explainer.equation("the action is", act.rules[0].value)
        return
    yield "the first of these that applies:"
    for number, rule in enumerate(act.rules, 1):
        yield from explainer.before(rule)
        where = f"where {explainer.words(rule.condition)}" if rule.condition is not None else "otherwise"
        yield f"{number}. {explainer.words(rule.value)} {where}{explainer.after(rule)}"


def rule_slots(before: Slot, act: Act) -> Iterator[tuple[Slot, Expression]]:
    """The expressions of the rules with their addresses, which start with `before`."""
    for number, rule in enumerate(act.rules):
        if rule.condition is not None:
            yield (*before, "rule", number, "condition"), rule.condition
        yield (*before, "rule", number, "value"), rule.value


def put_in_rules(act: Act, slot: Slot, new: Expression) -> Act:
    """The list with another expression at an address (`rule`, number, `condition` or `value`)."""
    _, number, part = slot
    old = act.rules[number]
    rule = replace(old, condition=new) if part == "condition" else replace(old, value=new)
    return replace(act, rules=(*act.rules[:number], rule, *act.rules[number + 1 :]))


def shorter_lists(act: Act) -> Iterator[Act]:
    """The list without one rule, for each rule but the last."""
    for gone in range(len(act.rules) - 1):
        yield replace(act, rules=act.rules[:gone] + act.rules[gone + 1 :])


def rule_conditions(act: Act, mode: str | None) -> ConditionList:
    """The conditions of the rules, in order."""
    return ConditionList(mode, tuple((rule.condition, None) for rule in act.rules if rule.condition is not None))


def describe_rule(slot: Slot) -> str:
    """An address in a decision list, in words."""
    _, number, part = slot
    ordinal = _ORDINALS[number] if number < len(_ORDINALS) else f"{number + 1}th"
    return f"the {ordinal} rule's {'condition' if part == 'condition' else 'action'}"
