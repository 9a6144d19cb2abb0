"""A violation kept as a regression case: a run that broke a property once, to be run again on whatever the program becomes.

A case does not hold the program. It says what was observed at each tick, with which parameters, and what was broken.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal, list_goals
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.results.report import GoalResult, Proof, describe_subject, list_dependencies
from hl_dsl.verify.simulation.replay import SimulatedRun, breaks, keeps_assumptions, trace_run

from hl_dsl.base.errors import HLError

SCHEMA = "hl.case/1"
_WRITTEN_BY = "`hl verify FILE --save-trace PATH` writes cases"


class InvalidCounterexample(HLError):
    """A file that is no case, or a case that does not suit the program."""


@dataclass(frozen=True)
class Counterexample:
    """`property`: what was broken: its `id`, `kind`, `name`, what it `says` and its source `text`. `inputs`: what was observed
    at each tick, by name.
    """

    environment: str
    policy: str
    property: Mapping[str, str]
    parameters: Mapping[str, int | float | bool]
    inputs: tuple[Mapping[str, int | float | bool], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "environment": self.environment,
            "policy": self.policy,
            "property": dict(self.property),
            "parameters": dict(self.parameters),
            "ticks": [{"inputs": dict(row)} for row in self.inputs],
        }


@dataclass(frozen=True)
class ReplayedCounterexample:
    """What a case came to: `broken` (at the last tick of `trace`) or not. `broken_id`: the goal that was. `notes`: what the
    case and the program do not have in common. `about` and `names`: what comes first in a table of the trace.
    """

    broken: bool
    broken_id: str
    detail: str
    notes: tuple[str, ...]
    trace: tuple[dict, ...]
    about: str = ""
    names: tuple[str, ...] = ()


def cases(flow: Dataflow, proof: Proof) -> list[Counterexample]:
    """A case for each result with a run from the start of an episode."""
    return [
        _case(flow, result)
        for result in proof.results
        if result.status in (ProofStatus.VIOLATED, ProofStatus.ILL_DEFINED) and result.trace
    ]


def _case(flow: Dataflow, result: GoalResult) -> Counterexample:
    goal = next(goal for goal in list_goals(flow) if goal.id == result.id)
    about = {"id": goal.id, "kind": goal.kind, "name": goal.name, "says": goal.says, "text": _text(flow, goal)}
    return Counterexample(
        flow.card.environment,
        flow.name,
        about,
        dict(result.trace[0]["parameters"]),
        tuple(dict(tick["inputs"]) for tick in result.trace),
    )


def _text(flow: Dataflow, goal: Goal) -> str:
    return " ".join(flow.source.text[goal.span.start : goal.span.end].split())


def replay(flow: Dataflow, case: Counterexample) -> ReplayedCounterexample:
    """Runs a case on a program. Raises NoCase where the program is for another environment or does not have the property."""
    if case.environment != flow.card.environment:
        raise InvalidCounterexample(
            f"the case is for {case.environment}, the policy for {flow.card.environment}",
            "replay it on a policy for its environment",
        )
    wanted = _wanted(flow, case)
    notes = []
    own = {entry.name: entry for entry in flow.parameters}
    parameters = {}
    for name, value in case.parameters.items():
        value = float(value) if name in own and own[name].base == "real" else value
        if name not in own:
            notes.append(f"the policy has no parameter `{name}` any more")
        elif not own[name].low <= value <= own[name].high:
            parameters[name] = min(max(value, own[name].low), own[name].high)
            notes.append(f"`{name}` was {value!r}, which is outside its range now: {parameters[name]!r} is taken")
        else:
            parameters[name] = value
    unseen = sorted({entry.name for entry in flow.inputs for row in case.inputs if entry.name not in row})
    if unseen:
        notes.append(
            f"the case says nothing of {', '.join(f'`{name}`' for name in unseen)}: taken as at the start of an episode"
        )
    rows = [tuple(row.get(entry.name, entry.default) for entry in flow.inputs) for row in case.inputs]
    given = {**{entry.name: entry.default for entry in flow.parameters}, **parameters}
    interpreter = Interpreter(flow, given)
    for number, row in enumerate(rows):
        tick = interpreter.tick(row)
        if tick.out_of_range:
            notes.append(f"at tick {number}, an observation is outside the range it has now, and is clamped")
        if not keeps_assumptions(flow, tick.values):
            names = [item.name for item in flow.of_kind("assume") if not tick.values[item.node]]
            return ReplayedCounterexample(
                False,
                "",
                f"it breaks the assumption `{names[0]}` at tick {number}, so nothing is promised of it",
                tuple(notes),
                (),
            )
        for goal in wanted:
            if breaks(goal, tick.values):
                return ReplayedCounterexample(
                    True,
                    goal.id,
                    f"broken at tick {number}, counting from 0",
                    tuple(notes),
                    trace_run(flow, SimulatedRun(given, tuple(rows[: number + 1]))),
                    describe_subject(flow, goal.kind, goal.name, goal.line),
                    list_dependencies(flow, goal),
                )
    return ReplayedCounterexample(
        False, "", f"it holds at all {len(rows)} tick{'s' if len(rows) > 1 else ''}", tuple(notes), ()
    )


def _wanted(flow: Dataflow, case: Counterexample) -> list[Goal]:
    """The property of the case; of an obligation, which has no name, those with the same text, or else all of its kind."""
    every = [goal for goal in list_goals(flow) if goal.kind == case.property["kind"]]
    if case.property["name"]:
        found = [goal for goal in every if goal.name == case.property["name"]]
        if not found:
            raise InvalidCounterexample(
                f"the policy has no {case.property['kind']} `{case.property['name']}`",
                "the case is about that one: give it its name back, or drop the case",
            )
        return found
    return [goal for goal in every if _text(flow, goal) == case.property["text"]] or every


# files


def read_document(path: Path, refusal: type[HLError], hint: str) -> Any:
    """The JSON document in a file; raises `refusal` with the hint where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise refusal(f"{path}: {(error.strerror or str(error)).lower()}", hint) from None
    except ValueError:
        raise refusal(f"{path} is no JSON document", hint) from None


def read_case(path: Path) -> Counterexample:
    """Reads a case. Raises NoCase."""
    plain = read_document(path, InvalidCounterexample, _WRITTEN_BY)
    problem = _problem(plain)
    if problem:
        raise InvalidCounterexample(f"{path} is no case: {problem}", _WRITTEN_BY)
    rows = tuple({name: _number(value) for name, value in tick["inputs"].items()} for tick in plain["ticks"])
    return Counterexample(
        plain["environment"],
        plain.get("policy", ""),
        plain["property"],
        {name: _number(value) for name, value in plain["parameters"].items()},
        rows,
    )


def _problem(plain) -> str:
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        return f"its schema is not {SCHEMA}"
    if not isinstance(plain.get("environment"), str):
        return "`environment` is missing"
    about = plain.get("property")
    if not isinstance(about, dict) or not all(isinstance(about.get(key), str) for key in ("kind", "name", "text")):
        return "`property` is incomplete"
    ticks = plain.get("ticks")
    if (
        not isinstance(ticks, list)
        or not ticks
        or not all(isinstance(tick, dict) and isinstance(tick.get("inputs"), dict) for tick in ticks)
    ):
        return "`ticks` is no list of ticks with `inputs`"
    values = [
        value
        for part in (plain.get("parameters"), *(tick["inputs"] for tick in ticks))
        if isinstance(part, dict)
        for value in part.values()
    ]
    if not isinstance(plain.get("parameters"), dict) or not all(_is_number(value) for value in values):
        return "a value is no number"
    return ""


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) or value in ("Infinity", "-Infinity")


def _number(value):
    return value if isinstance(value, (int, float)) else math.inf if value == "Infinity" else -math.inf


def paths_for(where: Path, found: Sequence[Counterexample]) -> list[Path]:
    """Where cases go: into a folder under the names of what they break, or, where `where` ends in .json, there, the
    further ones numbered. Raises NoCase where something stands that is no case.
    """
    return _free(where, [case.property["id"] for case in found])


def folder_for(where: Path, flow: Dataflow) -> Path:
    """The folder that any cases of a program go into. Raises NoCase, before anything is proved, where something stands that
    is no case.
    """
    if is_file(where):
        _free(where, [""])
        return where.parent
    _free(where, [goal.id for goal in list_goals(flow)])
    return where


def is_file(where: Path) -> bool:
    """Whether cases are to go to files of this name, and not into a folder."""
    return where.suffix == ".json" and not where.is_dir()


def _free(where: Path, ids: Sequence[str]) -> list[Path]:
    if is_file(where):
        paths = [
            where if number == 0 else where.with_name(f"{where.stem}-{number + 1}.json") for number in range(len(ids))
        ]
    else:
        if where.exists() and not where.is_dir():
            raise InvalidCounterexample(
                f"{where} is a file, and no case", "name a folder, or a path that ends in .json"
            )
        paths = [where / (id_.replace(":", "-").replace("@", "-line-") + ".json") for id_ in ids]
    for path in paths:
        if path.exists():
            try:
                read_case(path)
            except InvalidCounterexample:
                raise InvalidCounterexample(
                    f"{path} exists and is no case, so it is not overwritten",
                    "choose another path, or move that file away first",
                ) from None
    return paths
