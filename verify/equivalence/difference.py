"""A run on which two programs act differently, as plain data and as a table."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.equivalence.comparison import Comparison
from hl_dsl.verify.equivalence.product import SIDES
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.simulation.trace import Trace, record_tick, render_trace


def trace_difference(a: Dataflow, b: Dataflow, comparison: Comparison) -> Trace:
    """Returns the run of a comparison whose status is DIFFERENT, by the interpreter of each program.

    Each tick has `tick`, `inputs` (raw, by name), and for "A" and "B" the data of `trace.record_tick`. The first tick
    has the `parameters` of each program.
    """
    joint, run = comparison.joint, comparison.run
    assert joint is not None and run is not None  # the programs differ
    flows = (a, b)
    interpreters = []
    given = []
    for side, flow in enumerate(flows):
        values = {
            entry.name: entry.default if place is None else run.parameters[joint.flow.parameters[place].name]
            for entry, place in zip(flow.parameters, joint.matching.parameters[side])
        }
        given.append(values)
        interpreters.append(Interpreter(flow, values))
    trace: list[dict[str, Any]] = []
    for number, row in enumerate(run.rows):
        ticks = [
            interpreter.tick([row[place] for place, _ in joint.matching.inputs[side]])
            for side, interpreter in enumerate(interpreters)
        ]
        trace.append(
            {
                "tick": number,
                "inputs": {entry.name: value for entry, value in zip(joint.flow.inputs, row)},
                **{name: record_tick(flow, number, tick) for name, flow, tick in zip(SIDES, flows, ticks)},
            }
        )
    trace[0]["parameters"] = dict(zip(SIDES, given))
    return tuple(trace)


def list_used_inputs(comparison: Comparison) -> set[str]:
    """Returns the inputs that the action of either program depends on, at the same tick or an earlier one."""
    joint = comparison.joint
    assert joint is not None  # the programs differ
    flow = joint.flow
    cone = find_closed_cone(flow, [node for action in joint.actions for node in action])
    return {flow.inputs[flow.nodes[node].position].name for node in cone if flow.nodes[node].op == "input"}


def render_difference(trace: Sequence[Mapping[str, Any]], inputs: Container[str]) -> str:
    """Returns a table with a row for each tick: inputs, values with the same name that differ, and both actions.

    Args:
        trace: Result of `trace_difference`.
        inputs: Names of the inputs to show.
    """
    rows: list[dict[str, Any]] = []
    names = [
        (group, name)
        for group in ("memory", "lets")
        for name in trace[0]["A"][group]
        if name in trace[0]["B"][group] and any(tick["A"][group][name] != tick["B"][group][name] for tick in trace)
    ]
    for tick in trace:
        lets = {f"{name} ({side})": tick[side][group][name] for group, name in names for side in SIDES}
        modes = {f"mode ({side})": tick[side]["mode"] for side in SIDES if "mode" in tick[side]}
        rows.append(
            {
                "tick": tick["tick"],
                "inputs": {name: value for name, value in tick["inputs"].items() if name in inputs},
                "lets": {**lets, **modes},
                "action": f"A {_shown(tick['A']['action'])}, B {_shown(tick['B']['action'])}",
            }
        )
    parameters = trace[0]["parameters"]
    shared = {name: value for name, value in parameters["A"].items() if parameters["B"].get(name, value) == value}
    own = {
        f"{name} ({side})": value for side in SIDES for name, value in parameters[side].items() if name not in shared
    }
    rows[0]["parameters"] = {**shared, **own}
    return render_trace(rows)


def _shown(action: object) -> str:
    return action if isinstance(action, str) else repr(action)
