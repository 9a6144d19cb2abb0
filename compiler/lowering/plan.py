"""A plan, lowered to its settings and the nodes of its scores; and the program that is simulated to find a plan."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.compiler.backends.monitored_properties import without_unused_monitor_state
from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Cell, Dataflow, OfParameter, PlanSpec
from hl_dsl.grammar.tree.plan_settings import SETTINGS, default_of
from hl_dsl.grammar.tree.syntax_tree import Number, PlanDeclaration

from hl_dsl.base.source import NOWHERE

SCORE, FINAL = (
    "plan.score",
    "plan.final",
)  # cells of a simulated policy; no name of a program is like these, as `plan` is a word


def lower_plan(lowering, plan: PlanDeclaration) -> PlanSpec:
    """`lowering` is the program's, in which every definition is lowered already. Positions are still nodes (see lower_result.py)."""
    ends = [plan.range.of(component) for component in range(plan.type.size or 1)]
    widths = [float(high.value) - float(low.value) for low, high in ends]
    given = {setting.name: setting.value for setting in plan.settings}
    settings = {}
    for name, known in SETTINGS.items():
        value = given.get(name)
        if value is None:
            settings[name] = default_of(name, widths)
        elif type(value) is Number:
            settings[name] = value.value if known.base == "int" else float(value.value)
        else:
            settings[name] = OfParameter(lowering.values[value.name].nodes[0])
    each, final = lowering._piece(
        plan,
        lambda: tuple(
            None if score is None else lowering.builder.widen(lowering._scalar(score), "real")
            for score in (plan.each, plan.final)
        ),
    )
    return PlanSpec(plan.name, lowering.values[plan.name].nodes, settings, each, final, plan.span)


def simulated(flow: Dataflow) -> Dataflow:
    """The program of a plan's candidates: the policy, with the score so far and what `final` comes to at this tick as two more
    cells, behind the policy's own. What properties need is left out: nobody asks for it in a future that is only imagined."""
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
