"""A proof as files that another solver can check: one SMT-LIB 2 script for each question that must be answered with "unsat".

The scripts of all goals stand together: the step of one may suppose the others at earlier ticks, and each has its base. What
intervals prove alone needs no solver: the index says in which interval the value lies.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.verify.conjunctions import split_conjunction
from hl_dsl.verify.goals.goals import Goal, list_goals
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus, describe_assumptions, describe_claim
from hl_dsl.verify.intervals.evaluator import EMPTY, Evaluator
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.k_induction import INDUCTIVE, Attempt, Induction, fact_node
from hl_dsl.verify.methods.lemmas.houdini import Houdini
from hl_dsl.verify.methods.lemmas.induction_with_lemmas import LEMMA_DEPTHS, prove_with_lemmas
from hl_dsl.verify.results.report import GoalResult, Proof
from hl_dsl.verify.smt.encode import RELATIVE_ERROR, ROUNDED, START
from hl_dsl.verify.smt.solver import UNSAT, Solver, SolverFailure

from hl_dsl.base.errors import HLError

SCHEMA = "hl.certificate/1"
INDEX = "index.json"


@dataclass(frozen=True)
class CertificateQuery:
    """A script that must be unsatisfiable. `part`: "step" (the goal at the last of depth + 1 ticks that follow each other, the
    hypotheses holding at the others) or "base" (the goal at tick `tick` of an episode)."""

    goal: str
    part: str
    depth: int
    tick: int
    lines: tuple[str, ...]

    @property
    def file(self) -> str:
        name = re.sub(r"[^A-Za-z0-9_]+", "-", self.goal).strip("-")
        return f"{name}.{self.part}-{self.depth if self.part == 'step' else self.tick}.smt2"


@dataclass
class Certificate:
    """`entries`: for each proved goal its `id`, `describe_claim`, `method`, and `queries`, `intervals` or a `witness`; a goal whose proof
    could not be repeated as scripts says so in `uncertified`. `ranges`: of the memory, by intervals; the scripts rest on them."""

    flow: Dataflow
    ranges: dict[str, list] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    queries: list[CertificateQuery] = field(default_factory=list)

    @property
    def uncertified(self) -> list[str]:
        return [entry["id"] for entry in self.entries if "uncertified" in entry]

    @property
    def certified(self) -> list[str]:
        return [entry["id"] for entry in self.entries if "uncertified" not in entry]


def build_certificate(flow: Dataflow, proof: Proof, limits: ProofLimits = ProofLimits()) -> Certificate:
    """The scripts behind a proof. What was proved part by part is certified part by part."""
    found = Certificate(flow)
    proved = [result for result in proof.results if result.status == ProofStatus.PROVED]
    stage, components_by_goal = _apart(flow, proved)
    found.ranges = {cell.name: list(map(_plain, pair)) for cell, pair in zip(flow.memories, stage.ranges)}
    attempts, recorded = {}, {}
    left = [
        goal
        for own in components_by_goal.values()
        for goal in own
        if goal.kind != "reachable" and not _by_intervals(stage, goal)
    ]
    failure = "" if limits.solver else "the solver was not to be used"
    if limits.solver and any(_needs_solver(result) for result in proved):
        with _Recorder(limits.hang_seconds) as solver:
            induction = _Recording(stage, limits, solver)
            try:
                tried = [goal for goal in left if not _by_boxes(goal, proved)]
                attempts = induction.prove(tried, limits.depths)
                recorded = induction.recorded
                if more := _left(tried, attempts):
                    finer = _Recording(stage, limits, solver, RELATIVE_ERROR)
                    attempts = {
                        **attempts,
                        **finer.prove(more, limits.depths[:2], [goal for goal in tried if goal not in more]),
                    }
                    recorded = {**recorded, **finer.recorded}
                if more := _left(tried, attempts):
                    facts = [
                        goal
                        for goal in list_goals(stage.flow)
                        if goal not in more and (goal not in tried or attempts[goal.id].proved)
                    ]
                    found_out, scripts = _lemmas(stage, more, facts, limits, solver)
                    attempts, recorded = {**attempts, **found_out}, {**recorded, **scripts}
            except SolverFailure as problem:
                failure = str(problem)
    for result in proved:
        found.entries.append(
            _entry(flow, stage, result, components_by_goal[result.id], attempts, recorded, failure, found.queries)
        )
    return found


def _left(tried: Sequence[Goal], attempts: dict[str, Attempt]) -> list[Goal]:
    return [goal for goal in tried if not attempts[goal.id].proved]


def _needs_solver(result: GoalResult) -> bool:
    return result.method != "intervals" and "boxes" not in result.method and result.kind != "reachable"


def _by_boxes(goal: Goal, proved: Sequence[GoalResult]) -> bool:
    return any(result.id == goal.id and "boxes" in result.method for result in proved)


def _apart(flow: Dataflow, proved: Sequence[GoalResult]) -> tuple[IntervalStage, dict[str, list[Goal]]]:
    """The program with each property that was proved by components taken apart, and the goals of each result."""
    names = {
        result.name for result in proved if result.kind == "invariant" and result.method.startswith("by components")
    }
    whole = IntervalStage(flow)
    if not names:
        return whole, {goal.id: [goal] for goal in list_goals(flow)}
    properties = []
    for item in flow.properties:
        if item.kind == "invariant" and item.name in names:
            properties += [
                replace(item, name=f"{item.name}[{number}]", node=node)
                for number, node in enumerate(split_conjunction(whole.index, item.node))
            ]
        else:
            properties.append(item)
    other = replace(flow, properties=properties)
    found: dict[str, list[Goal]] = {}
    for goal in list_goals(other):
        known = goal.name.partition("[")[0] if goal.kind == "invariant" else ""
        found.setdefault(f"invariant:{known}" if known in names else goal.id, []).append(goal)
    return IntervalStage(other), found


def _by_intervals(stage: IntervalStage, goal: Goal) -> bool:
    verdict = (
        stage.obligation(goal.obligation)
        if goal.property is None
        else stage.invariant(goal.property.node, goal.property.antecedents)
    )
    return verdict == ProofStatus.PROVED


def _entry(
    flow,
    stage,
    result: GoalResult,
    own: Sequence[Goal],
    attempts,
    recorded,
    failure: str,
    queries: list[CertificateQuery],
) -> dict[str, Any]:
    goal = next(goal for goal in list_goals(flow) if goal.id == result.id)
    entry: dict[str, Any] = {
        "id": result.id,
        "claim": describe_claim(flow, goal, ProofStatus.PROVED),
        "says": goal.says,
        "method": result.method,
        "line": result.line,
    }
    if result.kind == "reachable":
        entry["witness"] = list(result.trace)
        return entry
    if not _needs_solver(result):
        entry["intervals"] = [_interval(stage, one) for one in own]
        return entry
    mine: list[CertificateQuery] = []
    for one in own:
        if _by_intervals(stage, one):
            entry.setdefault("intervals", []).append(_interval(stage, one))
        elif one.id in attempts and attempts[one.id].proved:
            if recorded[one.id]:
                mine += recorded[one.id]
            else:  # by intervals again, over what the other goals say of the memory
                entry.setdefault("intervals", []).append(
                    {**_interval(stage, one), "given": "the ranges of the memory, which are goals too"}
                )
        else:
            entry["uncertified"] = failure or "its proof needs more than the induction that is written down here"
    entry["queries"] = [
        {"file": query.file, "part": query.part, "depth": query.depth, "tick": query.tick, "expected": UNSAT}
        for query in mine
    ]
    queries += mine
    return entry


def _interval(stage: IntervalStage, goal: Goal) -> dict[str, Any]:
    """Where the value that the goal is about lies. A condition that holds is [1, 1]."""
    node = goal.property.node if goal.property is not None else goal.obligation.subject
    context = stage.evaluator.base if goal.obligation is None else stage.context(goal.obligation)
    pair = EMPTY if context.dead else stage.evaluator.value(node, context)
    kind = stage.index.nodes[node].base
    if pair is EMPTY:
        return {"of": kind, "never": True}
    return {"of": kind, "low": _plain(pair[0]), "high": _plain(pair[1])}


def _plain(value):
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


class _Recorder(Solver):
    """A solver that keeps the last question whose answer was "unsat"."""

    def __init__(self, hang_seconds: float):
        super().__init__(hang_seconds)
        self.told: list[str] = []
        self.refuted: tuple[str, ...] = ()

    def reset(self, steps: int, cores: bool = False) -> None:
        self.told = []
        super().reset(steps, cores)

    def add(self, *lines: str) -> None:
        self.told += lines
        super().add(*lines)

    def check(self, supposed: Sequence[str] = (), **options) -> str:
        answer = super().check(supposed, **options)
        if answer == UNSAT:
            self.refuted = (*self.told, *(f"(assert {name})" for name in supposed))
        return answer


class _Recording(Induction):
    """Induction that keeps the questions of each goal's last attempt, from the step that succeeded on."""

    def __init__(self, stage: IntervalStage, limits: ProofLimits, solver: _Recorder, rounding: str = ROUNDED):
        super().__init__(stage.index, stage.ranges, limits, solver, rounding)
        self.recorded: dict[str, list[CertificateQuery]] = {}

    def _attempt(self, goal, hypotheses, evaluator):
        self.recorded[goal.id] = []
        return super()._attempt(goal, hypotheses, evaluator)

    def _begins(self, goal):
        return False  # the base is to be a script too

    def _query(self, goal, hypotheses, evaluator, depth, begin):
        answer, model = super()._query(goal, hypotheses, evaluator, depth, begin)
        if answer == UNSAT:
            query = CertificateQuery(goal.id, "base" if begin == START else "step", depth, depth, self.solver.refuted)
            self.recorded[goal.id] = [*(self.recorded[goal.id] if begin == START else []), query]
        return answer, model


def _lemmas(
    stage: IntervalStage, open_goals: Sequence[Goal], facts: Sequence[Goal], limits: ProofLimits, solver: _Recorder
) -> tuple[dict, dict]:
    """Attempts, and scripts, of goals that lemmas prove: the goal under its lemmas, and these under themselves."""
    attempts = prove_with_lemmas(stage.index, stage.ranges, open_goals, facts, limits, solver)
    hypotheses = [
        goal for goal in [*facts, *open_goals] if goal.kind in INDUCTIVE and (goal in facts or goal.id in attempts)
    ]
    recorded: dict[str, list[CertificateQuery]] = {}
    for goal in open_goals:
        if goal.id not in attempts:
            continue
        lemmas = list(attempts[goal.id].lemmas)
        induction = _Recording(stage, limits, solver)
        induction.lemmas = lemmas
        again = induction.attempt(goal, LEMMA_DEPTHS, hypotheses)
        houdini = Houdini(
            Evaluator(stage.index, induction.assuming_ranges(hypotheses)),
            [fact_node(other) for other in hypotheses],
            limits,
            solver,
        )
        whole = houdini.starting(lemmas) == lemmas
        base = CertificateQuery(f"lemmas of {goal.id}", "base", 0, 0, solver.refuted)
        whole = whole and houdini.stepping(lemmas) == lemmas
        step = CertificateQuery(f"lemmas of {goal.id}", "step", 1, 1, solver.refuted)
        if again.proved and whole:
            recorded[goal.id] = [*induction.recorded[goal.id], base, step]
        else:
            attempts[goal.id] = attempts[goal.id]._replace(proved=False)
    return attempts, recorded


# files


def write_certificate(folder: Path, found: Certificate) -> Path:
    """Writes the scripts and their index. Raises HLError where the folder holds something else; a certificate is replaced."""
    index_file = folder / INDEX
    for name in list_replaced_files(folder):
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for query in found.queries:
        (folder / query.file).write_text(format_script(found.flow, query), encoding="utf-8")
    document = {
        "schema": SCHEMA,
        "policy": found.flow.name,
        "program_hash": canonical_hash(found.flow),
        "environment": found.flow.card.environment,
        "assumes": describe_assumptions(found.flow),
        "memory": found.ranges,
        "obligations": found.entries,
    }
    index_file.write_text(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    return index_file


def format_script(flow: Dataflow, query: CertificateQuery) -> str:
    """A whole SMT-LIB 2 file."""
    about = f"{query.goal} of the policy {flow.name} ({canonical_hash(flow)}): " + (
        f"the step of {query.depth}-induction" if query.part == "step" else f"the base, tick {query.tick}"
    )
    head = [
        "(set-info :smt-lib-version 2.6)",
        "(set-logic ALL)",
        f"(set-info :source |{about.replace('|', ' ')}|)",
        f"(set-info :status {UNSAT})",
    ]
    return "\n".join([*head, *query.lines, "(check-sat)", "(exit)", ""])


def list_replaced_files(folder: Path) -> list[str]:
    """The scripts of the certificate that stands in the folder, as its index lists them. Raises HLError where the folder
    holds something else, and so takes no certificate."""
    index_file = folder / INDEX
    if folder.exists() and not folder.is_dir():
        raise HLError(f"{folder} is a file", "name a folder for the certificate")
    if not folder.exists() or not any(folder.iterdir()):
        return []
    try:
        document = json.loads(index_file.read_text(encoding="utf-8"))
        files = (
            [query["file"] for entry in document["obligations"] for query in entry.get("queries", ())]
            if document["schema"] == SCHEMA
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        files = None
    if files is None:
        raise HLError(f"{folder} is not empty and holds no certificate", "name another folder, or empty that one first")
    return [Path(name).name for name in files]
