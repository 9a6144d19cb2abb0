"""Goals as monitored properties, for a program that is run to find violations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.operators.scalar import LARGEST_INT
from hl_dsl.verify.goals.goals import Goal


def add_monitors(flow: Dataflow, goals: Sequence[Goal]) -> Dataflow:
    """Returns the program with its assumptions as the first properties and each goal as a monitor after them."""
    builder = Builder(list(flow.nodes))
    properties = [
        *flow.of_kind("assume"),
        *(Property("monitor", goal.id, _goal_node(builder, goal), goal.span) for goal in goals),
    ]
    return replace(flow, nodes=builder.nodes, properties=properties)


def _goal_node(builder: Builder, goal: Goal) -> int:
    """Returns a node that is true where the goal holds."""
    if goal.declaration is not None:
        return goal.declaration.node
    item = goal.required
    claim = item.claim
    if claim is None:
        base, largest = ("real", sys.float_info.max) if item.kind == "finite" else ("int", LARGEST_INT)
        above = builder.apply("less_equal", (builder.constant(-largest, base), item.subject))
        below = builder.apply("less_equal", (item.subject, builder.constant(largest, base)))
        claim = builder.apply("and", (above, below))
    return claim if item.guard is None else builder.apply("implies", (item.guard, claim))
