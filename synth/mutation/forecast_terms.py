"""Expression templates for predictions: value of one signal at the next turning point of another."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Index, Name, Number, Param, Previous
from hl_dsl.language.types import INT, REAL
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.forecast import Forecast
from hl_dsl.synth.mutation.number_literals import round_range, short
from hl_dsl.synth.mutation.tree_paths import describe

_LONGEST = 200
_BY_RATE_SIGNAL = 0.7  # probability of a rate signal instead of a difference, if one was found


def intercept(draft: Draft) -> str | None:
    """Replaces a number by its predicted value at the next turning point of another one.

    All parameters count as new: a good distance to the present value need not be one to the predicted value.
    """
    choices = [
        (one, place, node, type_)
        for one in draft.subject.forecasts
        for place, node, type_ in draft.scope.places
        if node == one.moving.expression and place.path and type_ in (INT, REAL)
    ]
    if not choices:
        return None
    least = min(one.error for one, *_ in choices)
    found, place, node, _ = draft.random.choice([choice for choice in choices if choice[0].error <= 2 * least])
    draft.put_alike(place, node, _prediction(draft, found, node), "arriving")
    draft.new_params += [item.name for item in draft.policy.of(Param)]
    return f"the predicted value of a number, in {describe(draft.policy, place)}"


@dataclass(frozen=True)
class Arrival:
    """A predicted value and its parts: the present value, the speed, and the ticks until then."""

    expression: Expression
    now: Expression
    speed: Expression
    ticks: Expression


def _prediction(draft: Draft, found: Forecast, node: Expression) -> Expression:
    return arrival(draft, found, node, draft.random.random() < _BY_RATE_SIGNAL).expression


def arrival(draft: Draft, found: Forecast, node: Expression, by_rate_signals: bool) -> Arrival:
    """A forecast as expressions. The speeds are rate signals if `by_rate_signals` and found, else differences."""
    speed = draft.new_let(
        "speed", found.moves.expression if by_rate_signals and found.moves else _speed(node, found.lag)
    )
    nearing = found.nearing.expression
    approach = draft.new_let(
        "approach", found.comes.expression if by_rate_signals and found.comes else _speed(nearing, found.lag)
    )
    reach = max(
        2.0 if found.nearing.base == "int" else 0.0,
        abs(found.high - found.low) / (64 if by_rate_signals and found.comes else 16),
    )
    level = draft.new_param("level", found.nearing.base, found.level - reach, found.level + reach, found.level)
    coming = (
        Apply("greater", (approach, Number(found.slowest)))
        if found.rising
        else Apply("less", (approach, Number(-found.slowest)))
    )
    until = Apply(
        "clamp", (Apply("divide", (Apply("subtract", (level, nearing)), approach)), Number(0), Number(_LONGEST))
    )
    ticks = draft.new_let("ticks_left", Apply("if", (coming, until, Number(0))))
    return Arrival(reflect_between_walls(found, node, speed, ticks), node, speed, ticks)


def reflect_between_walls(found: Forecast, now: Expression, speed: Expression, ticks: Expression) -> Expression:
    """The value after some ticks at a constant speed, reflected at the walls."""
    return Apply(
        "reflect", (Apply("add", (now, Apply("multiply", (speed, ticks)))), Number(found.low), Number(found.high))
    )


def _speed(node: Expression, lag: int) -> Expression:
    before = node
    for _ in range(lag):
        before = Previous(before, Number(0))
    return Apply("divide", (Apply("subtract", (node, before)), Number(lag)))


def shift_by_heading(draft: Draft) -> str | None:
    """Shifts a number by one new parameter while it grows, and by another while it does not."""
    choices = [
        one for one in draft.scope.places if one[2] in (INT, REAL) and isinstance(one[1], (Index, Name)) and one[0].path
    ]
    if not choices:
        return None
    place, node, type_ = draft.random.choice(choices)
    low, high = draft.subject.ranges.of(node) or (-8.0, 8.0)
    values = draft.values(node)
    if values:
        low, high = min(values), max(values)
    reach = max((high - low) / 16, 1.0)
    shifts = [
        draft.new_param(
            "shift", type_.base, *round_range(-reach, reach, type_.base), short(0, -reach, reach, type_.base)
        )
        for _ in range(2)
    ]
    growing = Apply("greater", (node, Previous(node, Number(0))))
    draft.put_alike(place, node, Apply("add", (node, Apply("if", (growing, *shifts)))), "shifted")
    return f"a shift by where a number is heading, in {describe(draft.policy, place)}"
