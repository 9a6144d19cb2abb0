"""A run on which two programs act differently, as plain data and as a table."""

from __future__ import annotations

from collections.abc import Container, Sequence

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.equivalence.comparison import Comparison
from hl_dsl.verify.equivalence.product import SIDES
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.simulation.trace import record_tick, render_trace


def trace_difference(a: Dataflow, b: Dataflow, comparison: Comparison) -> tuple[dict, ...]:
    """The run again, by the interpreter of each program: `tick`, `inputs` (raw, by name), and for "A" and "B" what
    `hl_dsl.verify.simulation.trace.record_tick` gives. The first tick has the `parameters` of each."""
    joint, run = comparison.joint, comparison.run
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
    trace = []
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
    """The inputs that the action of either program hangs on, at this tick or an earlier one."""
    flow = comparison.joint.flow
    cone = find_closed_cone(flow, [node for action in comparison.joint.actions for node in action])
    return {flow.inputs[flow.nodes[node].value].name for node in cone if flow.nodes[node].op == "input"}


def render_difference(trace: Sequence[dict], inputs: Container[str]) -> str:
    """A row for each tick: these inputs, then what the programs name alike and hold differently, then both actions."""
    rows = []
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


def _shown(action) -> str:
    return action if isinstance(action, str) else repr(action)
