"""Counterexamples as stored cases: created from a proof, and replayed on a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hl_dsl.base.text import counted
from hl_dsl.cases.files import InvalidCase
from hl_dsl.cases.records import CounterexampleCase, Number
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal, list_goals
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.results.report import GoalResult, Proof, describe_subject, list_dependencies
from hl_dsl.verify.simulation.replay import SimulatedRun, breaks, keeps_assumptions, trace_run


@dataclass(frozen=True)
class ReplayResult:
    """Result of a replay.

    Attributes:
        is_violated: True if the run violates the property, at the last tick of `trace`.
        violated_id: The goal that is violated; empty if none is.
        detail: The result in words.
        notes: Differences between the recorded program and this one.
        trace: Values at each tick up to the violation.
        subject: Description of the property, for the table of the trace.
        names: Columns that come first in the table of the trace.
    """

    is_violated: bool
    violated_id: str
    detail: str
    notes: tuple[str, ...]
    trace: tuple[dict[str, Any], ...] = ()
    subject: str = ""
    names: tuple[str, ...] = ()


def counterexamples(flow: Dataflow, proof: Proof) -> list[CounterexampleCase]:
    """Returns a case for each violated goal whose counterexample starts at the start of an episode."""
    return [
        _case(flow, result)
        for result in proof.results
        if result.status in (ProofStatus.VIOLATED, ProofStatus.ILL_DEFINED) and result.trace
    ]


def _case(flow: Dataflow, result: GoalResult) -> CounterexampleCase:
    goal = next(goal for goal in list_goals(flow) if goal.id == result.id)
    return CounterexampleCase(
        goal.id.replace(":", "-").replace("@", "-line-"),
        flow.card.environment,
        flow.name,
        {"id": goal.id, "kind": goal.kind, "name": goal.name, "says": goal.says, "text": _source_text(flow, goal)},
        dict(result.trace[0]["parameters"]),
        tuple(dict(tick["inputs"]) for tick in result.trace),
    )


def _source_text(flow: Dataflow, goal: Goal) -> str:
    return " ".join(flow.source.text[goal.span.start : goal.span.end].split())


def replay(flow: Dataflow, case: CounterexampleCase) -> ReplayResult:
    """Replays a case on a program with the reference interpreter.

    Raises:
        InvalidCase: The program is for another environment, or does not have the property.
    """
    if case.environment != flow.card.environment:
        raise InvalidCase(
            f"the case is for {case.environment}, the policy for {flow.card.environment}",
            "replay it on a policy for its environment",
        )
    wanted = _goals_of(flow, case)
    parameters, notes = _parameters(flow, case)
    unrecorded = sorted({entry.name for entry in flow.inputs for row in case.inputs if entry.name not in row})
    if unrecorded:
        names = ", ".join(f"`{name}`" for name in unrecorded)
        notes.append(f"the case does not record {names}; the value at the start of an episode is used")
    rows = [tuple(row.get(entry.name, entry.default) for entry in flow.inputs) for row in case.inputs]
    interpreter = Interpreter(flow, parameters)
    for number, row in enumerate(rows):
        tick = interpreter.tick(row)
        if tick.out_of_range:
            notes.append(f"at tick {number} an observation is outside its current range and is clamped")
        if not keeps_assumptions(flow, tick.values):
            names = next(item.name for item in flow.of_kind("assume") if not tick.values[item.node])
            detail = f"the run violates the assumption `{names}` at tick {number}, so it is no longer a counterexample"
            return ReplayResult(False, "", detail, tuple(notes))
        for goal in wanted:
            if breaks(goal, tick.values):
                return ReplayResult(
                    True,
                    goal.id,
                    f"violated at tick {number} (the first tick is 0)",
                    tuple(notes),
                    trace_run(flow, SimulatedRun(parameters, tuple(rows[: number + 1]))),
                    describe_subject(flow, goal.kind, goal.name, goal.line),
                    list_dependencies(flow, goal),
                )
    return ReplayResult(False, "", f"it holds at all {counted(len(rows), 'tick')}", tuple(notes))


def _parameters(flow: Dataflow, case: CounterexampleCase) -> tuple[dict[str, Number], list[str]]:
    """Values of the program's parameters, and notes on the recorded values that it cannot have."""
    values: dict[str, Number] = {entry.name: entry.default for entry in flow.parameters}
    own = {entry.name: entry for entry in flow.parameters}
    notes = []
    for name, value in case.parameters.items():
        if name not in own:
            notes.append(f"the policy no longer has a parameter `{name}`")
            continue
        value = float(value) if own[name].base == "real" else value
        values[name] = min(max(value, own[name].low), own[name].high)
        if values[name] != value:
            notes.append(f"`{name}` was {value!r}, which is outside its current range; {values[name]!r} is used")
    return values, notes


def _goals_of(flow: Dataflow, case: CounterexampleCase) -> list[Goal]:
    """The goals of the case's property. An obligation has no name: those with the same text, else all of its kind."""
    same_kind = [goal for goal in list_goals(flow) if goal.kind == case.violated_property["kind"]]
    if case.violated_property["name"]:
        named = [goal for goal in same_kind if goal.name == case.violated_property["name"]]
        if not named:
            raise InvalidCase(
                f"the policy has no {case.violated_property['kind']} `{case.violated_property['name']}`",
                "the case is about this property: restore its name, or remove the case",
            )
        return named
    return [goal for goal in same_kind if _source_text(flow, goal) == case.violated_property["text"]] or same_kind
