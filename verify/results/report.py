"""Proof results as records, JSON and text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from hl_dsl.base.source import SourceText
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.statuses import (
    FINAL_STATUSES,
    REFUTED,
    ProofStatus,
    describe_claim,
    describe_whole_claim,
)
from hl_dsl.verify.simulation.trace import Trace, render_trace

PROPERTIES = ("invariant", "reachable")  # kinds of goals that reports show one by one


@dataclass(frozen=True)
class Verdict:
    """Verdict on a goal.

    Attributes:
        status: The status.
        method: The proof method, or the method that found the evidence.
        detail: More about the evidence, or why the goal is open.
        trace: A run, see `hl_dsl.verify.simulation.trace`.
        seconds: Wall time.
        lemmas: The inferred lemmas that the proof uses, as text.
        components: For a conjunction, each conjunct (`says`) with its `status` and `method`.
        advice: Sentences that say what may help.
    """

    status: ProofStatus
    method: str
    detail: str = ""
    trace: Trace = ()
    seconds: float = 0.0
    lemmas: tuple[str, ...] = ()
    components: tuple[dict[str, Any], ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class GoalResult:
    """A goal with its verdict.

    Attributes:
        id: See `Goal.id`.
        kind: See `Goal.kind`.
        name: See `Goal.name`.
        status: The status.
        claim: What the status means for this goal, in full.
        method: See `Verdict.method`.
        seconds: Wall time.
        line: One-based line; 0 for a program without text.
        detail: See `Verdict.detail`.
        trace: See `Verdict.trace`.
        lemmas: See `Verdict.lemmas`.
        span: Place in the text, with one-based lines and columns.
        about: Names of the lets, memory cells and observations that the goal depends on.
        components: See `Verdict.components`.
        advice: See `Verdict.advice`.
    """

    id: str
    kind: str
    name: str
    status: ProofStatus
    claim: str
    method: str
    seconds: float
    line: int
    detail: str
    trace: Trace
    lemmas: tuple[str, ...] = ()
    span: dict[str, int] | None = None
    about: tuple[str, ...] = ()
    components: tuple[dict[str, Any], ...] = ()
    advice: tuple[str, ...] = ()


class Proof:
    """Results of a proof attempt, one for each goal.

    Args:
        flow: The program.
        verdicts: Returns the goals with their verdicts. Called when they are first needed.
        passed: True if all goals are proved.
        seconds: Wall time.
    """

    def __init__(
        self, flow: Dataflow, verdicts: Callable[[], list[tuple[Goal, Verdict]]], passed: bool, seconds: float = 0.0
    ):
        self._flow, self._verdicts = flow, verdicts
        self.passed = passed
        self.seconds = seconds

    @cached_property
    def results(self) -> tuple[GoalResult, ...]:
        """The results, in the order of the goals."""
        return tuple(
            GoalResult(
                goal.id,
                goal.kind,
                goal.name,
                verdict.status,
                describe_claim(self._flow, goal, verdict.status),
                verdict.method,
                verdict.seconds,
                goal.line,
                verdict.detail,
                verdict.trace,
                verdict.lemmas,
                self._span(goal),
                list_dependencies(self._flow, goal) if verdict.trace else (),
                verdict.components,
                verdict.advice,
            )
            for goal, verdict in self._verdicts()
        )

    def _span(self, goal: Goal) -> dict[str, int] | None:
        source = self._flow.source
        if not source.text:
            return None
        (line, column), (end_line, end_column) = source.position(goal.span.start), source.position(goal.span.end)
        return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}

    @property
    def verdicts(self) -> list[tuple[Goal, Verdict]]:
        """Goals with their verdicts."""
        return self._verdicts()

    @property
    def exit_code(self) -> int:
        """Exit code of a command: 0 if all is proved, 1 if something is refuted, otherwise 3."""
        if self.passed:
            return 0
        return 1 if any(result.status in REFUTED for result in self.results) else 3

    @cached_property
    def summary(self) -> str:
        """One line: the number of goals with each status."""
        counts = Counter(result.status for result in self.results)
        if not counts:
            return "nothing to prove"
        return ", ".join(f"{counts[status]} {status}" for status in FINAL_STATUSES if counts[status])

    def to_json(self) -> dict[str, Any]:
        """Returns plain data: `passed`, `summary`, `seconds`, `results`."""
        results = []
        for result in self.results:
            plain = asdict(result)
            for name in ("trace", "lemmas", "about", "components", "advice"):
                plain[name] = list(plain[name])
            results.append(plain)
        return {"passed": self.passed, "summary": self.summary, "seconds": self.seconds, "results": results}

    def render(self, source: SourceText | None = None) -> str:
        """Returns the results as text.

        Properties and everything that is not proved are shown one by one with their source line; the rest is counted.
        """
        source = source or self._flow.source
        parts = []
        plain = [
            result for result in self.results if result.status == ProofStatus.PROVED and result.kind not in PROPERTIES
        ]
        if plain:
            whole = len(plain) == sum(result.kind not in PROPERTIES for result in self.results)
            subject = "the program is well defined" if whole else "well-definedness in part"
            parts.append(f"{ProofStatus.PROVED}: {subject} (obligations: {len(plain)})")
        flow = replace(self._flow, source=source)
        for result in self.results:
            if result not in plain:
                about = describe_subject(flow, result.kind, result.name, result.line, result.detail)
                parts.append(_render_result(result, source, about))
        parts.append(("all proved" if self.passed else "not proved") + f": {self.summary}")
        if self.passed and self.results:
            parts += ["", describe_whole_claim(self._flow)]
        return "\n".join(parts)


def list_dependencies(flow: Dataflow, goal: Goal) -> tuple[str, ...]:
    """Returns the names that a goal depends on within its tick. A trace shows these first."""
    cone = set(flow.reachable(goal.nodes))
    named = [name for name, value in flow.values.items() if cone.intersection(value.nodes)]
    leaves = [flow.nodes[number] for number in cone]
    return (
        *named,
        *(flow.inputs[node.position].name for node in leaves if node.op == "input"),
        *(flow.memories[node.position].name for node in leaves if node.op == "memory"),
    )


def describe_subject(flow: Dataflow, kind: str, name: str, line: int, detail: str = "") -> str:
    """Returns the text that a trace is about: the property with the cells that monitor it, or the source line.

    Args:
        flow: The program.
        kind: Kind of the goal.
        name: Name of the goal.
        line: One-based line of the goal; 0 for a program without text.
        detail: Text to use if there is no line.
    """
    source = flow.source
    shown = {item.name for item in flow.properties if item.kind == "assume" or (item.kind, item.name) == (kind, name)}
    cells = [cell.name for cell in flow.memories if cell.monitor_of in shown]
    text = source.line(line) if line and source.text else detail
    spans = [item.span for item in flow.properties if item.kind == kind and item.name == name]
    written = [source.text[span.start : span.end] for span in spans if source.text]
    return " ".join([text, *written, *cells])


def _render_result(result: GoalResult, source: SourceText, about: str) -> str:
    lines = [f"{result.status}: {result.id} ({result.method})"]
    if result.line and source.text:
        lines.append(f"{result.line:>6} | {source.line(result.line)}")
    if result.status != ProofStatus.PROVED or result.trace:
        lines.append(f"       {result.claim}")
    if result.detail:
        lines.append(f"       {result.detail}")
    if result.components:
        lines += [
            f"       {'  ' if part['status'] == ProofStatus.PROVED else '! '}{part['status']}: {part['says']}"
            for part in result.components
        ]
    if result.trace:
        lines.append(render_trace(result.trace, about, result.about))
    lines += [f"       = {text}" for text in result.advice]
    return "\n".join(lines)
