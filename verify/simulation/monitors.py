"""Goals as monitors, for a program that is run to see whether they break."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Property
from hl_dsl.verify.goals.goals import Goal

from hl_dsl.operators.scalar import LARGEST_INT


def add_monitors(flow: Dataflow, goals: Sequence[Goal]) -> Dataflow:
    """The program with its assumptions and, after them, each goal as a monitor."""
    builder = Builder(list(flow.nodes))
    properties = [
        *flow.of_kind("assume"),
        *(Property("monitor", goal.id, _holding(builder, goal), goal.span) for goal in goals),
    ]
    return replace(flow, nodes=builder.nodes, properties=properties)


def _holding(builder: Builder, goal: Goal) -> int:
    """A node that says that the goal holds."""
    if goal.property is not None:
        return goal.property.node
    item = goal.obligation
    claim = item.claim
    if claim is None:
        base, largest = ("real", sys.float_info.max) if item.kind == "finite" else ("int", LARGEST_INT)
        above = builder.apply("less_equal", (builder.constant(-largest, base), item.subject))
        claim = builder.apply(
            "and", (above, builder.apply("less_equal", (item.subject, builder.constant(largest, base))))
        )
    return claim if item.guard is None else builder.apply("implies", (item.guard, claim))
