"""A policy in words: what it looks at, what it works out and remembers, what it does, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill, wrap

from hl_dsl.compiler.explanation.expression_text import choices, words
from hl_dsl.grammar.formatter.format import format_expression
from hl_dsl.grammar.tree.author_comments import Comments
from hl_dsl.grammar.tree.plan_settings import SETTINGS
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    After,
    Let,
    Memory,
    Modes,
    Never,
    Observe,
    Observed,
    Param,
    Pattern,
    PlanDeclaration,
    PropertyDeclaration,
    Range,
    Within,
)

from hl_dsl.cards import Field
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.types import BOOL

WIDTH = 100
_SHORT = 16  # a value that may stand before its condition
_KINDS = {
    "assume": "Taken for granted of the environment, and watched at every tick",
    "invariant": "Proved before it plays, for every observation and constant in the ranges above",
    "monitor": "Watched at every tick, not proved",
    "reachable": "Shown to be possible before it plays, by a run",
}


def explain_program(program) -> str:
    """The strategy of a program (or of what `check` gives), as text to read aloud."""
    checked: CheckedProgram = getattr(program, "checked", program)
    policy, card = checked.policy, checked.card
    comments = Comments(checked.source, policy)
    opening = [f"{policy.name} is a policy for {card.environment}. {card.says}", comments.opening()]
    sections = [
        _section("It looks at", _observations(checked)),
        _section(
            "Constants, which tuning may move within their ranges",
            (line for item in policy.of(Param) for line in _param(item, comments)),
        ),
        _section("At every tick it works out", _definitions(checked, comments)),
        _section(
            "It remembers from tick to tick", (line for item in policy.of(Memory) for line in _memory(item, comments))
        ),
        _section("It looks ahead", (line for item in policy.of(PlanDeclaration) for line in _plan(item, comments))),
        _section("Then it acts", _behaviour(checked, comments)),
        *(
            _section(
                title,
                (
                    line
                    for item in policy.of(PropertyDeclaration)
                    if item.kind == kind
                    for line in _property(item, comments)
                ),
            )
            for kind, title in _KINDS.items()
        ),
    ]
    return (
        "\n\n".join(
            ["\n".join(fill(line, WIDTH) for line in opening if line), *(section for section in sections if section)]
        )
        + "\n"
    )


def _before(item, comments: Comments) -> list[str]:
    text = comments.above(item)
    return [f"({text})"] if text else []


def _after(item, comments: Comments) -> str:
    text = comments.beside(item)
    return f"  ({text})" if text else ""


def _section(title: str, lines: Iterable[str]) -> str:
    shown = [_filled(line, "  ") for line in lines]
    return "\n".join([title + ":", *shown]) if shown else ""


def _filled(line: str, margin: str) -> str:
    """Wrapped to the width, with what follows indented below what is said."""
    inner = line[: len(line) - len(line.lstrip())]
    return "\n".join(
        wrap(
            line.strip(),
            WIDTH,
            initial_indent=margin + inner,
            subsequent_indent=margin + inner + "    ",
            break_long_words=False,
        )
    )


def _observations(checked: CheckedProgram) -> Iterable[str]:
    for observe in checked.policy.of(Observe):
        for item in observe.items:
            yield _observed(item, checked.card.fields[item.name])


def _observed(item: Observed, field: Field) -> str:
    unit = f" {field.unit}" if field.unit else ""
    if item.range is not None:
        taken = f", taken to stay in {_ends(item.range)}{unit}"
    elif field.base == "bool":
        taken = ""
    else:
        taken = f", from {min(field.low):g} to {max(field.high):g}{unit}"
    count = f" ({field.size} numbers)" if field.size else ""
    return f"{item.name}{count}: {field.says}{taken}"


def _ends(range_: Range) -> str:
    return f"[{format_expression(range_.low)}, {format_expression(range_.high)}]"


def _param(item: Param, comments: Comments) -> Iterable[str]:
    yield from _before(item, comments)
    within = f", within {_ends(item.range)}" if item.range is not None else ""
    yield f"{item.name} is {format_expression(item.default)}{within}{_after(item, comments)}"


def _definitions(checked: CheckedProgram, comments: Comments) -> Iterable[str]:
    lets = {let.name: let for let in checked.policy.of(Let)}
    for name in checked.order:
        if name in lets:
            yield from _before(lets[name], comments)
            verb = "means" if checked.symbols[name].type is BOOL else "is"
            yield from _equation(f"{name} {verb}", lets[name].expression, _after(lets[name], comments))


def _equation(lead: str, expression, after: str = "") -> Iterable[str]:
    """On one line, or with a line for each case."""
    *cases, (_, last) = choices(expression)
    if not cases:
        yield f"{lead} {last}{after}"
    elif len(cases) == 1 and len(cases[0][1]) <= _SHORT:
        yield f"{lead} {cases[0][1]} where {cases[0][0]}, else {last}{after}"
    else:
        yield f"{lead}{after}"
        for position, (condition, value) in enumerate(cases):
            yield f"  {'else ' if position else ''}where {condition}: {value}"
        yield f"  else: {last}"


def _memory(item: Memory, comments: Comments) -> Iterable[str]:
    yield from _before(item, comments)
    within = f" and always in {_ends(item.range)}" if item.range is not None else ""
    yield f"{item.name}, at first {format_expression(item.start)}{within}{_after(item, comments)}"
    yield from (f"  {line}" for line in _equation("its next value is", item.next))


def _behaviour(checked: CheckedProgram, comments: Comments) -> Iterable[str]:
    for modes in checked.policy.of(Modes):
        start = next(mode.name for mode in modes.modes if mode.is_start)
        names = ", ".join(mode.name for mode in modes.modes)
        yield f"It is in one of {len(modes.modes)} modes ({names}), at first {start}. A change of mode counts in the same tick."
        for mode in modes.modes:
            yield from _before(mode, comments)
            leaving = "; ".join(f"to {one.target} where {words(one.condition)}" for one in mode.transitions)
            yield f"{mode.name}: {'goes ' + leaving if leaving else 'never left'}{_after(mode, comments)}"
            if mode.act is not None:
                yield from (f"  {line}" for line in _act(mode.act, comments))
    for act in checked.policy.of(Act):
        yield from _act(act, comments)


def _act(act: Act, comments: Comments) -> Iterable[str]:
    if len(act.rules) == 1:
        yield from _equation("the action is", act.rules[0].value)
        return
    yield "the first of these that applies:"
    for number, rule in enumerate(act.rules, 1):
        yield from _before(rule, comments)
        where = f"where {words(rule.condition)}" if rule.condition is not None else "otherwise"
        yield f"{number}. {words(rule.value)} {where}{_after(rule, comments)}"


def _plan(item: PlanDeclaration, comments: Comments) -> Iterable[str]:
    yield from _before(item, comments)
    size = "" if item.type.size is None else f" ({item.type.size} numbers)"
    yield f"{item.name}{size}, each in {_ends(item.range)}, is chosen anew at every tick, by simulating this very policy{_after(item, comments)}"
    yield f"  at every simulated tick it is good to have much of {words(item.each)}"
    if item.final is not None:
        yield f"  and at the end of {words(item.final)}"
    given = ", ".join(f"{setting.name} {format_expression(setting.value)}" for setting in item.settings)
    left = ", ".join(name for name in SETTINGS if name not in {setting.name for setting in item.settings})
    yield f"  settings: {given or 'none'}" + (f"; as usual: {left}" if left else "")


def _property(item: PropertyDeclaration, comments: Comments) -> Iterable[str]:
    yield from _before(item, comments)
    yield f"{item.name}: {_lead(item.pattern)}{words(item.expression)}{_after(item, comments)}"


def _lead(pattern: Pattern | None) -> str:
    """What a pattern says before what it is about."""
    if type(pattern) is Never:
        return "never "
    if type(pattern) is Within:
        ticks = (
            "at the same tick"
            if pattern.ticks == 0
            else f"within {pattern.ticks} tick{'s' if pattern.ticks > 1 else ''}"
        )
        return f"wherever {words(pattern.condition, 1)}, {ticks} "
    return f"from where {words(pattern.condition, 1)} until {words(pattern.end, 1)}: " if type(pattern) is After else ""
