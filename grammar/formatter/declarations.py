"""Declarations as pieces."""

from __future__ import annotations

from hl_dsl.grammar.formatter.document import (
    CELL,
    CELL_LINE,
    FILL,
    HARD,
    HARD_IN,
    HARD_OUT,
    IN,
    LINE,
    LINE_IN,
    LINE_OUT,
    NEXT_RULE,
    NEXT_SETTING,
    OUT,
    PLAIN,
    DocumentParts,
)
from hl_dsl.grammar.formatter.expressions import write_assigned, write_expression, write_range
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    After,
    Let,
    Memory,
    Mode,
    Modes,
    Never,
    Observe,
    Param,
    PlanDeclaration,
    PolicyDeclaration,
    PropertyDeclaration,
    Rule,
    Transition,
    TypeName,
    Within,
)

from hl_dsl.base.source import Span

RULES_ON_A_LINE = 3  # in a mode; at the top, each rule has its own


def write_policy(out: DocumentParts, policy: PolicyDeclaration) -> None:
    name_start = policy.span.start
    out.add(HARD)
    out.token(f"policy {policy.name}", name_start, policy.span.end and name_start + len(policy.name))
    out.add(" for ")
    out.token(f'"{policy.environment}"', *policy.environment_span)
    out.add(" {")
    previous = None
    for declaration in policy.declarations:
        if previous is not None and _group(previous) != _group(declaration):
            out.new_groups.add(len(out.items))
        out.sibling(HARD_IN if previous is None else HARD, declaration.span)
        _WRITERS[type(declaration)](out, declaration)
        previous = declaration
    if previous is None:
        out.add(HARD_IN)
    out.add(HARD_OUT)
    out.token("}", *policy.end_span)
    out.add(HARD)


def _group(declaration) -> object:
    return declaration.kind == "assume" if type(declaration) is PropertyDeclaration else type(declaration)


def _keyword(out: DocumentParts, text: str, span: Span) -> None:
    out.token(text + " ", span.start, span.end and span.start + len(text))


def _observe(out: DocumentParts, observe: Observe) -> None:
    out.open()
    _keyword(out, "observe", observe.span)
    out.add(IN)
    for position, item in enumerate(observe.items):
        if position:
            out.add(",")
            out.add(FILL)
        size = "" if item.size is None else f"[{item.size}]"
        out.token(item.name + size, item.span.start, item.span.end and item.span.start + len(item.name))
        if item.range is not None:
            out.add(" in ")
            write_range(out, item.range)
    out.add(OUT)
    out.close()


def _type(out: DocumentParts, type_: TypeName) -> None:
    out.token(type_.base if type_.size is None else f"{type_.base}[{type_.size}]", *type_.span)


def _param(out: DocumentParts, param: Param) -> None:
    out.open()
    _keyword(out, "param", param.span)
    out.token(param.name, *param.name_span)
    out.add(":")
    out.add(CELL)
    _type(out, param.type)
    out.add(CELL)
    out.add("= ")
    write_expression(out, param.default)
    if param.range is not None:
        out.add(CELL)
        out.add("in ")
        write_range(out, param.range)
    out.close()


def _let(out: DocumentParts, let: Let) -> None:
    out.open()
    _keyword(out, "let", let.span)
    out.token(let.name, *let.name_span)
    out.add(CELL)
    out.add("=")
    write_assigned(out, let.expression)
    out.close()


def _memory(out: DocumentParts, memory: Memory) -> None:
    out.open()
    _keyword(out, "memory", memory.span)
    out.token(memory.name, *memory.name_span)
    out.add(":")
    out.add(CELL)
    _type(out, memory.type)
    if memory.range is not None:
        out.add(" in ")
        write_range(out, memory.range)
    out.add(CELL)
    out.add("= ")
    write_expression(out, memory.start)
    out.add(" {")
    out.add(LINE_IN)
    out.add("next =")
    write_assigned(out, memory.next)
    _close(out, LINE_OUT, memory.span)
    out.close()


def _property(out: DocumentParts, item: PropertyDeclaration) -> None:
    out.open()
    _keyword(out, item.kind, item.span)
    out.token(item.name, *item.name_span)
    out.add(":")
    if item.pattern is not None:
        out.add(CELL)
        _PATTERNS[type(item.pattern)](out, item.pattern)
    write_assigned(out, item.expression, is_column=item.pattern is None)
    out.close()


def _never(out: DocumentParts, pattern: Never) -> None:
    out.token("never", *pattern.span)


def _within(out: DocumentParts, pattern: Within) -> None:
    out.token(
        f"within {pattern.ticks} of ", pattern.span.start, pattern.span.end and pattern.span.start + len("within")
    )
    out.add(IN)
    write_expression(out, pattern.condition)
    out.add(OUT)
    out.add(":")


def _after(out: DocumentParts, pattern: After) -> None:
    out.open()
    _keyword(out, "after", pattern.span)
    out.add(IN)
    write_expression(out, pattern.condition)
    out.add(LINE)
    out.add("until ")
    write_expression(out, pattern.end)
    out.add(OUT)
    out.add(":")
    out.close()


_PATTERNS = {Never: _never, Within: _within, After: _after}


def _close(out: DocumentParts, mark, span: Span) -> None:
    out.add(mark)
    out.token("}", span.end - 1, span.end)


def _act(out: DocumentParts, act: Act, may_share_a_line: bool = False) -> None:
    if len(act.rules) == 1 and act.rules[0].condition is None:
        out.open()
        out.token("act", act.span.start, act.span.end and act.span.start + 3)
        write_assigned(out, act.rules[0].value)
        out.close()
        return
    out.open(PLAIN)
    if act.rules and not (may_share_a_line and len(act.rules) <= RULES_ON_A_LINE):
        out.force()
    out.token("act {", act.span.start, act.span.end and act.span.start + 3)
    if act.rules:
        for position, rule in enumerate(act.rules):
            out.sibling(NEXT_RULE if position else LINE_IN, rule.span)
            _rule(out, rule)
        out.add(LINE_OUT)
    out.token("}", act.span.end - 1, act.span.end)
    out.close()


def _rule(out: DocumentParts, rule: Rule) -> None:
    if rule.condition is None:
        out.token("otherwise", rule.span.start, rule.span.end and rule.span.start + 9)
        out.add(CELL)
        out.add("=> ")
        write_expression(out, rule.value)
        return
    out.open()
    _keyword(out, "when", rule.span)
    write_expression(out, rule.condition)
    out.add(IN)
    out.add(CELL_LINE)
    out.add("=> ")
    write_expression(out, rule.value)
    out.add(OUT)
    out.close()


def _modes(out: DocumentParts, modes: Modes) -> None:
    out.token("modes {", modes.span.start, modes.span.end and modes.span.start + 5)
    for position, mode in enumerate(modes.modes):
        out.sibling(HARD if position else HARD_IN, mode.span)
        _mode(out, mode)
    _close(out, HARD_OUT, modes.span)


def _mode(out: DocumentParts, mode: Mode) -> None:
    parts = ([] if mode.act is None else [mode.act]) + list(mode.transitions)
    first, between, last = (LINE_IN, HARD, LINE_OUT) if len(parts) < 2 else (HARD_IN, HARD, HARD_OUT)
    out.open(PLAIN)
    if mode.is_start:
        _keyword(out, "start", mode.span)
    out.token(mode.name, *mode.name_span)
    out.add(" {")
    for position, part in enumerate(parts):
        out.sibling(between if position else first, part.span)
        if type(part) is Act:
            _act(out, part, may_share_a_line=True)
        else:
            _transition(out, part)
    if parts:
        out.add(last)
    out.token("}", mode.span.end - 1, mode.span.end)
    out.close()


def _transition(out: DocumentParts, transition: Transition) -> None:
    out.open()
    _keyword(out, "when", transition.span)
    write_expression(out, transition.condition)
    out.add(IN)
    out.add(CELL_LINE)
    out.add("-> ")
    out.token(transition.target, *transition.target_span)
    out.add(OUT)
    out.close()


def _plan(out: DocumentParts, plan: PlanDeclaration) -> None:
    _keyword(out, "plan", plan.span)
    out.token(plan.name, *plan.name_span)
    out.add(": ")
    _type(out, plan.type)
    out.add(" in ")
    write_range(out, plan.range)
    out.add(" {")
    if plan.settings:
        out.sibling(HARD_IN, plan.settings[0].span)
        out.open()
        for position, setting in enumerate(plan.settings):
            if position:
                out.add(NEXT_SETTING)
            out.token(setting.name + " ", *setting.name_span)
            write_expression(out, setting.value)
        out.close()
    out.sibling(HARD if plan.settings else HARD_IN, plan.each_span)
    _score(out, "each", plan.each, plan.each_span)
    if plan.final is not None:
        out.sibling(HARD, plan.final_span)
        _score(out, "final", plan.final, plan.final_span)
    _close(out, HARD_OUT, plan.span)


def _score(out: DocumentParts, word: str, expression, place: Span) -> None:
    out.open()
    out.token(word, *place)
    write_assigned(out, expression, is_column=True)
    out.close()


_WRITERS = {
    PlanDeclaration: _plan,
    Observe: _observe,
    Param: _param,
    Let: _let,
    Memory: _memory,
    PropertyDeclaration: _property,
    Modes: _modes,
    Act: _act,
}
