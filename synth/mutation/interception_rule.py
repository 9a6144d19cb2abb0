"""A whole assembly at once: rules that take one number to where another one arrives.

A reward shows no slope towards it: each part alone, the forecast, what leads the number that is steered, the side from which
the other one comes, does little without the rest. Each was found on recorded frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hl_dsl.grammar.tree.syntax_tree import Act, Apply, Expression, Name, Number, Rule
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.forecast import Forecast
from hl_dsl.synth.mutation.forecast_terms import arrival, thrown_back
from hl_dsl.synth.mutation.rules import acts, mirrors, put_act, truths_of
from hl_dsl.synth.mutation.signal_terms import CompanionSignal
from hl_dsl.synth.mutation.tree_paths import exchanged, ordinal

from hl_dsl.operators import OPERATORS

_TOLD, _LED, _BY_HEADING, _LIMITED, _BOTH_SIDES = 0.95, 0.95, 0.9, 0.9, 0.95
_NEARLY, _GOOD = (
    1.2,
    0.2,
)  # of the least error: a forecast that is as good; and what it may leave of the distance at all
_ABOVE = 20  # where a table of truths holds the pair whose first number is the larger one by most


@dataclass(frozen=True)
class _InterceptionRule:
    """A rule on a comparison of the foretold number with another one. `first`: whether the foretold one stands first."""

    position: int
    before: tuple
    act: Act
    number: int
    found: Forecast
    other: CompanionSignal
    first: bool


def chase(draft: Draft) -> str | None:
    """Rules that hold one number against another, by where the other one arrives."""
    known = draft.subject.forecasts
    choices = [
        one for found in known if found.error <= min(_NEARLY * known[0].error, _GOOD) for one in _chasers(draft, found)
    ]
    if not choices:
        return None
    chosen = draft.random.choice(choices)
    alike = [
        one for one in choices if one.found is chosen.found and one.other == chosen.other and one.act is chosen.act
    ]
    aim, steered = _aim(draft, chosen), _steered(draft, chosen)
    rules = chosen.act.rules
    limited = draft.random.random() < _LIMITED
    for one in alike:
        condition = rules[one.number].condition
        rules = exchanged(
            rules,
            one.number,
            replace(rules[one.number], condition=_condition(draft, one, condition.operator, aim, steered, limited)),
        )
    names = draft.scope.constants["action"]
    row = next(iter(mirrors(draft, chosen.act.rules[chosen.number].condition)), None)
    others = [Name(name) for name in names if Name(name) not in (rules[-1].value, rules[chosen.number].value)]
    if len(alike) == 1 and row is not None and others and draft.random.random() < _BOTH_SIDES:
        back = Rule(_condition(draft, chosen, row, aim, steered, limited), rules[-1].value)
        rules = (
            *rules[: chosen.number + 1],
            back,
            *rules[chosen.number + 1 : -1],
            replace(rules[-1], value=draft.random.choice(others)),
        )
    put_act(draft, chosen.position, chosen.before, replace(chosen.act, rules=rules))
    return f"to where a number arrives, in the {ordinal(chosen.number)} rule"


def _chasers(draft: Draft, found: Forecast) -> list[_InterceptionRule]:
    chasers = []
    for position, before, act in acts(draft):
        for number, rule in enumerate(act.rules[:-1]):
            node = rule.condition
            if type(node) is not Apply or len(node.operands) != 2 or truths_of(OPERATORS[node.operator]) is None:
                continue
            for first, (moving, beside) in ((True, node.operands), (False, node.operands[::-1])):
                other = next((one for one in found.others if _about(beside, one.source.expression)), None)
                if _about(moving, found.moving.expression) and other is not None and mirrors(draft, node):
                    chasers.append(_InterceptionRule(position, before, act, number, found, other, first))
    return chasers


def _about(node: Expression, number: Expression) -> bool:
    """Whether an expression is a number, or that number and something added to it."""
    return (
        node == number
        or type(node) is Apply
        and len(node.operands) == 2
        and node.operands[0] == number
        and type(node.operands[1]) is Name
    )


def _aim(draft: Draft, chosen: _InterceptionRule) -> Name:
    """A name for where the number arrives, mostly shifted by one new parameter where it will be growing then, and by another
    where it will not."""
    found = chosen.found
    there = arrival(draft, found, found.moving.expression, draft.random.random() < _TOLD)
    arriving = draft.new_let("arriving", there.expression)
    if draft.random.random() > _BY_HEADING:
        return arriving
    base, reach = found.moving.base, (chosen.other.farthest - chosen.other.nearest) / 2
    earlier = draft.new_let(
        "before", thrown_back(found, there.now, there.speed, Apply("subtract", (there.ticks, Number(1))))
    )
    shifts = [draft.new_param("shift", base, -reach, reach, 0) for _ in range(2)]
    return draft.new_let("aim", Apply("add", (arriving, Apply("if", (Apply("greater", (arriving, earlier)), *shifts)))))


def _steered(draft: Draft, chosen: _InterceptionRule) -> Expression:
    lead = chosen.other.lead
    if lead is None or draft.random.random() > _LED:
        return chosen.other.source.expression
    return draft.new_let("leading", lead.expression)


def _condition(draft: Draft, one: _InterceptionRule, row: str, aim: Name, steered: Expression, limited: bool) -> Apply:
    """The comparison with a new offset; within the limits that the steered number was seen to keep."""
    upward = bool(truths_of(OPERATORS[row])[_ABOVE]) == one.first
    other = one.other
    base = "int" if other.source.base == one.found.moving.base == "int" else "real"
    reach = other.farthest - other.nearest
    usual = other.usual + (reach if upward else -reach) / 8
    shifted = Apply(
        "add", (steered, draft.new_param("offset", base, other.usual - 0.75 * reach, other.usual + 0.75 * reach, usual))
    )
    condition = Apply(row, (aim, shifted) if one.first else (shifted, aim))
    if not limited:
        return condition
    limit = other.high if upward else other.low
    inside = Apply(
        "less" if upward else "greater", (steered, Number(int(limit) if other.source.base == "int" else limit))
    )
    return Apply("and", (condition, inside))
