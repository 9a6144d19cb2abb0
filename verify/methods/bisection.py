"""Intervals on ever smaller boxes: settles smooth nonlinear slack, which one interval overestimates and z3 cannot do."""

from __future__ import annotations

from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.intervals.evaluator import EMPTY, Context, Evaluator
from hl_dsl.verify.methods.interval_stage import holds

from hl_dsl.operators.intervals import INF

_MOST_DIMENSIONS = 8


def bisect(evaluator: Evaluator, goal: Goal, context: Context, boxes: int) -> int | None:
    """How many boxes it took to prove a goal wherever `context` holds; None where more than `boxes` would be needed.

    Splits the range of the observation, parameter or memory cell that has shrunk least so far.
    """
    index = evaluator.index
    node = goal.nodes[-1] if goal.property is not None or goal.obligation.claim is not None else goal.obligation.subject
    leaves = [number for number in index.leaf_keys if index.live[node] >> number & 1]
    widths = {number: _width(evaluator.value(number, context)) for number in leaves}
    leaves = [number for number in leaves if 0 < widths[number] < INF]
    if not leaves or len(leaves) > _MOST_DIMENSIONS:
        return None
    pending = [context]
    done = 0
    while pending:
        box = pending.pop()
        done += 1
        if done > boxes:
            return None
        pair = evaluator.value(node, box)
        if pair is EMPTY or box.dead or _holds(goal, pair):
            continue
        number = max(leaves, key=lambda leaf: _width(evaluator.value(leaf, box)) / widths[leaf])
        halves = _halves(evaluator.value(number, box), index.nodes[number].base)
        if not halves:
            return None
        pending += [inner for inner in (evaluator.narrow(box, number, half) for half in halves) if not inner.dead]
    return done


def _holds(goal: Goal, pair) -> bool:
    return pair == (1, 1) if goal.property is not None else holds(goal.obligation, pair)


def _width(pair) -> float:
    return 0.0 if pair is EMPTY else float(pair[1]) - float(pair[0])


def _halves(pair, base: str) -> list:
    low, high = pair
    if base != "real":
        middle = (low + high) // 2
        return [(low, middle), (middle + 1, high)] if low < high else []
    middle = 0.5 * low + 0.5 * high
    return [(low, middle), (middle, high)] if low < middle < high else []
