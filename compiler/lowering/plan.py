"""Lowering of a plan to settings and scores, and the program that the planner simulates."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.base.source import NOWHERE
from hl_dsl.compiler.backends.monitored_properties import without_unused_monitor_state
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Cell, Dataflow, OfParameter, PlanSpec
from hl_dsl.compiler.lowering.incremental import IncrementalLowering
from hl_dsl.grammar.tree.plan_settings import SETTINGS, default_of
from hl_dsl.grammar.tree.syntax_tree import Number, PlanDeclaration, scores

# Cells of a simulated policy. No name of a program equals these, because `plan` is a reserved word.
SCORE, FINAL = "plan.score", "plan.final"


def lower_plan(lowering: IncrementalLowering, plan: PlanDeclaration) -> PlanSpec:
    """The specification of a plan, with nodes in place of positions (see `finish.py`).

    `lowering` is the program's, in which every definition is lowered already.
    """
    ends = [plan.range.of(component) for component in range(plan.type.size or 1)]
    widths = [float(high.value) - float(low.value) for low, high in ends]
    given = {setting.name: setting.value for setting in plan.settings}
    settings: dict[str, int | float | tuple[float, ...] | OfParameter] = {}
    for name, known in SETTINGS.items():
        value = given.get(name)
        if value is None:
            settings[name] = default_of(name, widths)
        elif isinstance(value, Number):
            settings[name] = value.value if known.base == "int" else float(value.value)
        else:
            settings[name] = OfParameter(lowering.values[value.name].nodes[0])

    def lower_scores() -> tuple[int, ...]:
        return tuple(lowering.builder.widen(lowering._scalar(score), "real") for score in scores(plan))

    each, *final = lowering._piece(plan, lower_scores)
    return PlanSpec(plan.name, lowering.values[plan.name].nodes, settings, each, final[0] if final else None, plan.span)


def simulated(flow: Dataflow) -> Dataflow:
    """The program that is simulated for a plan's candidates.

    It is the policy with two more cells behind its own: the score so far, and the value of `final` at this tick.
    Properties and their monitor state are omitted, because a simulated future does not monitor them.
    """
    assert flow.plan is not None
    bare = without_unused_monitor_state(flow, kinds=())
    build = Builder(list(bare.nodes))
    score = build.leaf("memory", len(bare.memories), "real")
    total = build.apply("add", (score, flow.plan.each))
    last = build.constant(0.0, "real") if flow.plan.final is None else flow.plan.final
    cells = [
        Cell(name, "real", None, None, 0.0, node, (), False, NOWHERE, "plan")
        for name, node in ((SCORE, total), (FINAL, last))
    ]
    return replace(bare, nodes=build.nodes, memories=[*bare.memories, *cells], properties=[], plan=None)
