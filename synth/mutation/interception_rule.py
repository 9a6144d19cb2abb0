"""Complete interception rules: steer one signal to the predicted value of another.

The reward gives no gradient towards it. Each part alone (the forecast, the lead signal of the steered number, the side
of the approach) has little effect without the others. Each part was found on recorded frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hl_dsl.grammar.tree.syntax_tree import Act, Apply, Expression, Name, Number, Rule
from hl_dsl.operators import OPERATORS
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.forecast import Forecast
from hl_dsl.synth.mutation.forecast_terms import arrival, reflect_between_walls
from hl_dsl.synth.mutation.rules import acts, mirrors, put_act, truths_of
from hl_dsl.synth.mutation.signal_terms import CompanionSignal
from hl_dsl.synth.mutation.tree_paths import exchanged, ordinal

_BY_RATE_SIGNAL, _LED, _BY_HEADING, _LIMITED, _BOTH_SIDES = 0.95, 0.95, 0.9, 0.9, 0.95
_NEARLY, _GOOD = (
    1.2,
    0.2,
)  # of the least error: an equally good forecast; and the largest accepted error
_ABOVE = 20  # position in a truth table of the pair whose first number exceeds the second by most


@dataclass(frozen=True)
class _InterceptionRule:
    """A rule on a comparison of the predicted number with another one. `first`: whether it is the first operand."""

    position: int
    before: tuple
    act: Act
    number: int
    found: Forecast
    other: CompanionSignal
    first: bool


def add_interception_rule(draft: Draft) -> str | None:
    """Adds rules that compare a number with the predicted value of another one."""
    known = draft.subject.forecasts
    choices = [
        one
        for found in known
        if found.error <= min(_NEARLY * known[0].error, _GOOD)
        for one in _candidates(draft, found)
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
        assert type(condition) is Apply
        rules = exchanged(
            rules,
            one.number,
            replace(rules[one.number], condition=_condition(draft, one, condition.operator, aim, steered, limited)),
        )
    names = draft.scope.constants["action"]
    present = chosen.act.rules[chosen.number].condition
    assert type(present) is Apply
    row = next(iter(mirrors(draft, present)), None)
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
    return f"to the predicted value of a number, in the {ordinal(chosen.number)} rule"


def _candidates(draft: Draft, found: Forecast) -> list[_InterceptionRule]:
    candidates = []
    for position, before, act in acts(draft):
        for number, rule in enumerate(act.rules[:-1]):
            node = rule.condition
            if not isinstance(node, Apply) or len(node.operands) != 2 or truths_of(OPERATORS[node.operator]) is None:
                continue
            for first, (moving, companion) in ((True, node.operands), (False, node.operands[::-1])):
                other = next((one for one in found.others if _about(companion, one.source.expression)), None)
                if _about(moving, found.moving.expression) and other is not None and mirrors(draft, node):
                    candidates.append(_InterceptionRule(position, before, act, number, found, other, first))
    return candidates


def _about(node: Expression, number: Expression) -> bool:
    """Returns whether an expression is a number, or that number plus a name."""
    return (
        node == number
        or isinstance(node, Apply)
        and len(node.operands) == 2
        and node.operands[0] == number
        and isinstance(node.operands[1], Name)
    )


def _aim(draft: Draft, chosen: _InterceptionRule) -> Name:
    """A name for the predicted value, mostly shifted by one new parameter if it grows then, and by another if not."""
    found = chosen.found
    there = arrival(draft, found, found.moving.expression, draft.random.random() < _BY_RATE_SIGNAL)
    arriving = draft.new_let("arriving", there.expression)
    if draft.random.random() > _BY_HEADING:
        return arriving
    base, reach = found.moving.base, (chosen.other.farthest - chosen.other.nearest) / 2
    earlier = draft.new_let(
        "before", reflect_between_walls(found, there.now, there.speed, Apply("subtract", (there.ticks, Number(1))))
    )
    shifts = [draft.new_param("shift", base, -reach, reach, 0) for _ in range(2)]
    return draft.new_let("aim", Apply("add", (arriving, Apply("if", (Apply("greater", (arriving, earlier)), *shifts)))))


def _steered(draft: Draft, chosen: _InterceptionRule) -> Expression:
    lead = chosen.other.lead
    if lead is None or draft.random.random() > _LED:
        return chosen.other.source.expression
    return draft.new_let("leading", lead.expression)


def _condition(draft: Draft, one: _InterceptionRule, row: str, aim: Name, steered: Expression, limited: bool) -> Apply:
    """The comparison with a new offset, within the recorded limits of the steered number."""
    truths = truths_of(OPERATORS[row])
    assert truths is not None
    upward = bool(truths[_ABOVE]) == one.first
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
