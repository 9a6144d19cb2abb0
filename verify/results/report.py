"""What a proof attempt came to, as records, JSON and text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.statuses import FINAL_STATUSES, REFUTED, ProofStatus, describe_claim, describe_whole_claim
from hl_dsl.verify.simulation.trace import render_trace

from hl_dsl.base.source import SourceText

PROPERTIES = ("invariant", "reachable")  # kinds of results that are each shown


@dataclass(frozen=True)
class Verdict:
    """What was found out about a goal. `trace`: a list of ticks, see `hl_dsl.verify.simulation.trace`. `lemmas`: what was inferred
    and proved on the way. `components`: of a goal that is several conditions, each of them in words, with its status and
    method. `advice`: what would help, as sentences."""

    status: ProofStatus
    method: str
    detail: str = ""
    trace: tuple[dict, ...] = ()
    seconds: float = 0.0
    lemmas: tuple[str, ...] = ()
    components: tuple[dict, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class GoalResult:
    """One goal with its verdict. `describe_claim` says in full what the status means for it; `seconds` is wall time; `span` is where
    it stands, with one-based lines and columns; `about` names the lets, memory and observations it hangs on."""

    id: str
    kind: str
    name: str
    status: ProofStatus
    claim: str
    method: str
    seconds: float
    line: int
    detail: str
    trace: tuple[dict, ...]
    lemmas: tuple[str, ...] = ()
    span: dict[str, int] | None = None
    about: tuple[str, ...] = ()
    components: tuple[dict, ...] = ()
    advice: tuple[str, ...] = ()


class Proof:
    """The results of a proof attempt, one for each obligation and invariant."""

    def __init__(
        self, flow: Dataflow, verdicts: Callable[[], list[tuple[Goal, Verdict]]], passed: bool, seconds: float = 0.0
    ):
        self._flow, self._verdicts = flow, verdicts
        self.passed = passed
        self.seconds = seconds

    @cached_property
    def results(self) -> tuple[GoalResult, ...]:
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
        """Goals with their verdicts, as they were found."""
        return self._verdicts()

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 all is proved, 1 something is refuted, 3 something is not known."""
        if self.passed:
            return 0
        return 1 if any(result.status in REFUTED for result in self.results) else 3

    @cached_property
    def summary(self) -> str:
        """One line: how many of what status."""
        counts = Counter(result.status for result in self.results)
        if not counts:
            return "nothing to prove"
        return ", ".join(f"{counts[status]} {status}" for status in FINAL_STATUSES if counts[status])

    def to_json(self) -> dict:
        """Plain data: `passed`, `summary`, `seconds`, `results`."""
        results = []
        for result in self.results:
            plain = asdict(result)
            for name in ("trace", "lemmas", "about", "components", "advice"):
                plain[name] = list(plain[name])
            results.append(plain)
        return {"passed": self.passed, "summary": self.summary, "seconds": self.seconds, "results": results}

    def render(self, source: SourceText | None = None) -> str:
        """The results as text: invariants and all that is not proved one by one with their source line, the rest counted."""
        source = source or self._flow.source
        out = []
        plain = [
            result for result in self.results if result.status == ProofStatus.PROVED and result.kind not in PROPERTIES
        ]
        if plain:
            whole = len(plain) == sum(result.kind not in PROPERTIES for result in self.results)
            out.append(
                f"{ProofStatus.PROVED}: {'the program is well defined' if whole else 'well-definedness in part'} (obligations: {len(plain)})"
            )
        for result in self.results:
            if result not in plain:
                out.append(
                    _shown(
                        result,
                        source,
                        describe_subject(
                            replace(self._flow, source=source), result.kind, result.name, result.line, result.detail
                        ),
                    )
                )
        out.append(("all proved" if self.passed else "not proved") + f": {self.summary}")
        if self.passed and self.results:
            out += ["", describe_whole_claim(self._flow)]
        return "\n".join(out)


def list_dependencies(flow: Dataflow, goal: Goal) -> tuple[str, ...]:
    """What a goal hangs on within its tick; the rest of a trace is of less interest."""
    cone = set(flow.reachable(goal.nodes))
    named = [name for name, value in flow.values.items() if cone.intersection(value.nodes)]
    leaves = [flow.nodes[number] for number in cone]
    return (
        *named,
        *(flow.inputs[node.value].name for node in leaves if node.op == "input"),
        *(flow.memories[node.value].name for node in leaves if node.op == "memory"),
    )


def describe_subject(flow: Dataflow, kind: str, name: str, line: int, detail: str = "") -> str:
    """What a trace of a goal is about: the text of the property with its ghost cells, or the line."""
    source = flow.source
    shown = {item.name for item in flow.properties if item.kind == "assume" or (item.kind, item.name) == (kind, name)}
    ghosts = [cell.name for cell in flow.memories if cell.monitor_of in shown]
    text = source.line(line) if line and source.text else detail
    spans = [item.span for item in flow.properties if item.kind == kind and item.name == name]
    written = [source.text[span.start : span.end] for span in spans if source.text]
    return " ".join([text, *written, *ghosts])


def _shown(result: GoalResult, source: SourceText, about: str) -> str:
    lines = [f"{result.status}: {result.id} ({result.method})"]
    if result.line and source.text:
        lines.append(f"{result.line:>6} | {source.line(result.line)}")
    if result.status != ProofStatus.PROVED or result.trace:
        lines.append(f"       {result.claim}")
    if result.detail:
        lines.append(f"       {result.detail}")
    if result.components:
        lines += [
            f"       {'  ' if one['status'] == ProofStatus.PROVED else '! '}{one['status']}: {one['says']}"
            for one in result.components
        ]
    if result.trace:
        lines.append(render_trace(result.trace, about, result.about))
    lines += [f"       = {text}" for text in result.advice]
    return "\n".join(lines)
