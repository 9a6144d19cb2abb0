"""Bisection of the input box: proves smooth nonlinear bounds, which one interval overestimates and z3 cannot handle."""

from __future__ import annotations

from hl_dsl.operators.intervals import INF
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.intervals.narrowing import EMPTY
from hl_dsl.verify.methods.interval_stage import holds

_MOST_DIMENSIONS = 8


def bisect(evaluator: Evaluator, goal: Goal, context: Context, boxes: int) -> int | None:
    """Proves a goal by splitting the range of the leaf that has shrunk least so far.

    Args:
        evaluator: Intervals of the program.
        goal: The goal.
        context: Where the goal must hold.
        boxes: Largest number of boxes.

    Returns:
        The number of boxes that the proof took; None if it would take more than `boxes`.
    """
    index = evaluator.index
    if goal.declaration is not None:
        node = goal.declaration.node
    else:
        node = goal.required.subject if goal.required.claim is None else goal.required.claim
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
        interval = evaluator.value(node, box)
        if interval is EMPTY or box.dead or _holds(goal, interval):
            continue
        number = _least_shrunk(evaluator, box, leaves, widths)
        halves = _halves(evaluator.value(number, box), index.nodes[number].base)
        if not halves:
            return None
        pending += [inner for inner in (evaluator.narrow(box, number, half) for half in halves) if not inner.dead]
    return done


def _least_shrunk(evaluator: Evaluator, box: Context, leaves: list[int], widths: dict[int, float]) -> int:
    return max(leaves, key=lambda leaf: _width(evaluator.value(leaf, box)) / widths[leaf])


def _holds(goal: Goal, interval: Interval) -> bool:
    return interval == (1, 1) if goal.declaration is not None else holds(goal.required, interval)


def _width(interval: Interval) -> float:
    return 0.0 if interval is EMPTY else float(interval[1]) - float(interval[0])


def _halves(interval: Interval, base: str) -> list[Interval]:
    low, high = interval
    if base != "real":
        middle = (low + high) // 2
        return [(low, middle), (middle + 1, high)] if low < high else []
    middle = 0.5 * low + 0.5 * high
    return [(low, middle), (middle, high)] if low < middle < high else []
