"""`modes`: a state machine. Each mode has transitions, and rules of its own unless the policy has one `act` for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hl_dsl.base.declaration_form import ConditionList, DeclarationForm, ReadRule, Role, Slot
from hl_dsl.base.declaration_stages import (
    CoreScope,
    DeclarationChecker,
    Explainer,
    SymbolTable,
    TextWriter,
    TreeReader,
)
from hl_dsl.base.diagnostics import Repair
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
from hl_dsl.grammar.formatter.document import (
    CELL_LINE,
    HARD,
    HARD_IN,
    HARD_OUT,
    IN,
    LINE_IN,
    LINE_OUT,
    OUT,
    PLAIN,
)
from hl_dsl.grammar.tree.syntax_tree import Act, Expression, Mode, Modes, Name, Transition, rule_expressions
from hl_dsl.language.core import ByCase, CoreAct, CoreLet, CoreMemory, FirstTrue, Stored
from hl_dsl.language.types import BOOL, scalar

_MODE = "mode"  # the name of the current mode in every program that has modes


class ModesForm(DeclarationForm[Modes]):
    """The form of `modes`: memory of the mode, a definition of the mode of this tick, and an action by the mode."""

    node = Modes
    role = Role.BEHAVIOUR
    words = frozenset(["modes", "start", "when"])
    alternatives = ("modes",)
    sections = ("Then it acts",)
    grammar = """
modes: MODES "{" mode+ RBRACE
mode: [START] NAME "{" [act] transition* RBRACE
transition: WHEN expression "->" NAME
MODES: "modes"
START: "start"
"""

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {"modes": _read, "mode": _read_mode, "transition": _read_transition}

    def write(self, out: TextWriter, node: Modes) -> None:
        """See the base class."""
        out.token("modes {", node.span.start, node.span.end and node.span.start + 5)
        for position, mode in enumerate(node.modes):
            out.sibling(HARD if position else HARD_IN, mode.span)
            _write_mode(out, mode)
        out.add(HARD_OUT)
        out.token("}", node.span.end - 1, node.span.end)

    def expressions(self, node: Modes) -> Iterable[Expression]:
        """See the base class."""
        for mode in node.modes:
            if mode.act is not None:
                yield from rule_expressions(mode.act)
            for transition in mode.transitions:
                yield transition.condition

    def equations(self, node: Modes) -> Iterable[tuple[str, tuple[Expression, ...]]]:
        """See the base class."""
        moving = tuple(transition.condition for mode in node.modes for transition in mode.transitions)
        acting = [part for mode in node.modes if mode.act is not None for part in rule_expressions(mode.act)]
        if moving:
            yield _MODE, moving
        yield "action", (*acting, Name(_MODE))
        if not moving:
            yield _MODE, ()

    def declare(self, symbols: SymbolTable, node: Modes) -> None:
        """See the base class."""
        if not symbols.modes:
            symbols.define(_MODE, _MODE, scalar(_MODE), node, node.span)
        for mode in node.modes:
            symbols.define_mode(mode.name, mode.name_span, node)

    def check(self, checker: DeclarationChecker, node: Modes) -> None:
        """See the base class."""
        _check_start(checker, node)
        for mode in node.modes:
            if mode.act is not None:
                check_decision_list(checker, mode.act)
            for transition in mode.transitions:
                checker.require_type(transition.condition, BOOL, "the condition of a transition", "HL317")
                if transition.target not in checker.symbols.modes:
                    _report_unknown_mode(checker, transition)

    def desugar(self, scope: CoreScope, node: Modes) -> Iterable[CoreMemory | CoreLet | CoreAct]:
        """See the base class.

        In a tick the stored mode's first true transition fires, at most one; the new mode acts in this same tick.
        """
        start = next(mode.name for mode in node.modes if mode.is_start)
        stored, current = Stored(_MODE), Name(_MODE)
        yield CoreMemory(_MODE, scalar(_MODE), None, Name(start), current, node, node.span, is_declared=False)
        yield CoreLet(_MODE, ByCase(stored, tuple(_next_mode(mode) for mode in node.modes)), node, (stored,))
        acts = tuple(mode.act for mode in node.modes if mode.act is not None)
        if acts:
            yield CoreAct(ByCase(current, acts), node, (current,))

    def explain(self, explainer: Explainer, node: Modes) -> Iterable[str]:
        """See the base class."""
        start = next(mode.name for mode in node.modes if mode.is_start)
        names = ", ".join(mode.name for mode in node.modes)
        yield (
            f"It is in one of {len(node.modes)} modes ({names}), at first {start}. "
            "A change of mode counts in the same tick."
        )
        for mode in node.modes:
            yield from explainer.before(mode)
            leaving = "; ".join(
                f"to {item.target} where {explainer.words(item.condition)}" for item in mode.transitions
            )
            yield f"{mode.name}: {'goes ' + leaving if leaving else 'never left'}{explainer.after(mode)}"
            if mode.act is not None:
                yield from (f"  {line}" for line in explain_decision_list(explainer, mode.act))

    def slots(self, node: Modes) -> Iterator[tuple[Slot, Expression]]:
        """See the base class."""
        for position, mode in enumerate(node.modes):
            here = ("mode", position)
            if mode.act is not None:
                yield from rule_slots(here, mode.act)
            for number, transition in enumerate(mode.transitions):
                yield (*here, "transition", number), transition.condition

    def put(self, node: Modes, slot: Slot, new: Expression) -> Modes:
        """See the base class."""
        mode, inner = node.modes[slot[1]], slot[2:]
        if inner[0] == "transition":
            number = inner[1]
            moved = replace(mode.transitions[number], condition=new)
            transitions = (*mode.transitions[:number], moved, *mode.transitions[number + 1 :])
            return _with_mode(node, slot[1], replace(mode, transitions=transitions))
        assert mode.act is not None
        return _with_mode(node, slot[1], replace(mode, act=put_in_rules(mode.act, inner, new)))

    def describe_slot(self, node: Modes, slot: Slot) -> str:
        """See the base class."""
        mode, inner = node.modes[slot[1]], slot[2:]
        if inner[0] == "transition":
            return f"the transition from `{mode.name}` to `{mode.transitions[inner[1]].target}`"
        return f"{describe_rule(inner)} in mode `{mode.name}`"

    def defined_by(self, node: Modes, slot: Slot) -> str:
        """See the base class."""
        return _MODE if "transition" in slot else "action"

    def decision_lists(self, node: Modes) -> Iterable[tuple[Slot, Act]]:
        """See the base class."""
        return [(("mode", number), mode.act) for number, mode in enumerate(node.modes) if mode.act is not None]

    def put_decision_list(self, node: Modes, before: Slot, act: Act) -> Modes:
        """See the base class."""
        return _with_mode(node, before[1], replace(node.modes[before[1]], act=act))

    def without_a_part(self, node: Modes) -> Iterator[Modes]:
        """See the base class."""
        for position, mode in enumerate(node.modes):
            for act in shorter_lists(mode.act) if mode.act is not None else ():
                yield _with_mode(node, position, replace(mode, act=act))
            for gone in range(len(mode.transitions)):
                kept = mode.transitions[:gone] + mode.transitions[gone + 1 :]
                yield _with_mode(node, position, replace(mode, transitions=kept))

    def condition_lists(self, node: Modes) -> Iterable[ConditionList]:
        """See the base class."""
        for mode in node.modes:
            if mode.act is not None:
                yield rule_conditions(mode.act, mode.name)
            yield ConditionList(mode.name, tuple((item.condition, item.target) for item in mode.transitions))


def _read(reader: TreeReader, keyword: Any, *modes: Any) -> Modes:
    return Modes(modes[:-1], reader.between(keyword, modes[-1]))


def _read_mode(reader: TreeReader, start: Any, name: Any, act: Act | None, *rest: Any) -> Mode:
    *transitions, closing = rest
    span = reader.between(start or name, closing)
    return Mode(reader.name(name), start is not None, act, tuple(transitions), span, reader.at(name))


def _read_transition(reader: TreeReader, when: Any, condition: Expression, target: Any) -> Transition:
    return Transition(condition, reader.name(target), reader.between(when, target), reader.at(target))


def _check_start(checker: DeclarationChecker, node: Modes) -> None:
    starts = [mode for mode in node.modes if mode.is_start]
    if len(starts) == 1:
        return
    place = starts[1].name_span if starts else node.modes[0].name_span
    if starts:
        repair = Repair(Span(starts[1].span.start, place.start), "", f"start in `{starts[0].name}`")
    else:
        repair = Repair(Span(place.start, place.start), "start ", f"start in `{node.modes[0].name}`")
    label = "a second start" if starts else "none is"
    checker.findings.add("HL211", "exactly one mode is marked `start`", place, label=label, repair=repair)


def _report_unknown_mode(checker: DeclarationChecker, transition: Transition) -> None:
    known = checker.symbols.modes
    near = checker.findings.nearest(transition.target, known)
    checker.findings.add(
        "HL212",
        f"there is no mode `{transition.target}`",
        transition.target_span,
        label="unknown mode",
        expected=known[:10],
        repair=Repair(transition.target_span, near, f"did you mean `{near}`?") if near else None,
    )


def _next_mode(mode: Mode) -> FirstTrue:
    choices = tuple((transition.condition, Name(transition.target)) for transition in mode.transitions)
    return FirstTrue(choices, Name(mode.name))


def _with_mode(node: Modes, position: int, mode: Mode) -> Modes:
    return replace(node, modes=(*node.modes[:position], mode, *node.modes[position + 1 :]))


def _write_mode(out: TextWriter, mode: Mode) -> None:
    count = (mode.act is not None) + len(mode.transitions)
    first, between, last = (LINE_IN, HARD, LINE_OUT) if count < 2 else (HARD_IN, HARD, HARD_OUT)
    out.open(PLAIN)
    if mode.is_start:
        out.keyword("start", mode.span)
    out.token(mode.name, *mode.name_span)
    out.add(" {")
    if mode.act is not None:
        out.sibling(first, mode.act.span)
        write_decision_list(out, mode.act, may_share_a_line=True)
    for position, transition in enumerate(mode.transitions, mode.act is not None):
        out.sibling(between if position else first, transition.span)
        _write_transition(out, transition)
    if count:
        out.add(last)
    out.token("}", mode.span.end - 1, mode.span.end)
    out.close()


def _write_transition(out: TextWriter, transition: Transition) -> None:
    out.open()
    out.keyword("when", transition.span)
    out.expression(transition.condition)
    out.add(IN)
    out.add(CELL_LINE)
    out.add("-> ")
    out.token(transition.target, *transition.target_span)
    out.add(OUT)
    out.close()
