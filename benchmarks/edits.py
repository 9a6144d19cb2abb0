"""Cost of random edits of one controller, as free-form Python and as HL.

    python -m benchmarks.edits [--edits 2000] [--steps 200] [--seed 0] [--json] [--progress FOLDER]

The controller is policies/breakout/ram.hl, and the same in Python (benchmarks/free_form.py); both play Breakout from
one initial state. Python is edited through its syntax tree (benchmarks/free_form_edits.py), and each edit is
evaluated alone, because nothing predicts what it will do. HL is edited by the typed mutations of the search, and only
programs that pass the gates are evaluated. Both run in the worker that studies use, for 200 steps.

An edit "crashes" if it raises or gives no action. It "hangs" if an action takes more than a second of processor time
(in the worker; the supervisor's limit of a minute without a step is the fallback). It "leaves the bounds" if the
paddle's command runs more than a step past the field or FIRE is pressed with a ball in play: the invariants that are
proved of ram.hl, counted from outside. Results are recorded in a file, and an interrupted measurement resumes from
it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any, TextIO

from benchmarks.edit_rollouts import CRASHES, HANGS, LEAVES, PLAYS, Played, PlayedMany, play_proved, play_python
from benchmarks.free_form import CONTROLLER
from benchmarks.free_form_edits import edits
from hl_dsl.cards import load_card
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.program import Program
from hl_dsl.synth.candidates.gates import SEARCH_LIMITS, CheckedCandidate, Gates, Rejection
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.runs.version import version
from hl_dsl.synth.workers.limits import EvaluatorFailed, WorkerLimits
from hl_dsl.synth.workers.worker_executor import WorkerExecutor

POLICY = Path(__file__).parent.parent / "policies" / "breakout" / "ram.hl"
LIMITS = WorkerLimits()
# A fifth of the time that a search allows: a program that is not proved within it is rejected.
PROOF_LIMITS = replace(SEARCH_LIMITS, boxes=4, solver_steps=100_000, lemmas=False)
BATCH = 16


class Kept:
    """Results of the edits so far, in a file of JSON lines whose first line describes the measurement."""

    def __init__(self, path: Path | None, about: dict[str, Any]) -> None:
        self.known: dict[int, Any] = {}
        self._file: TextIO | None = None
        if path is None:
            return
        lines = path.read_text().splitlines() if path.exists() else []
        complete = [json.loads(line) for line in lines if line.endswith("}")]  # an incomplete line is measured again
        if complete[:1] == [about]:
            self.known = {line["number"]: line["kept"] for line in complete[1:]}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "".join(
                json.dumps(line) + "\n"
                for line in [about, *({"number": number, "kept": kept} for number, kept in self.known.items())]
            )
        )
        self._file = open(path, "a")  # noqa: SIM115  # `close` closes it

    def add(self, number: int, kept: Any) -> None:
        """Adds the result of an edit."""
        self.known[number] = kept
        if self._file is not None:
            self._file.write(json.dumps({"number": number, "kept": kept}) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()


def as_python(count: int, steps: int, seed: int, say: Callable[[str], None], kept: Kept) -> dict[str, Any]:
    """Evaluates edits of the Python controller."""
    evaluator = WorkerExecutor(LIMITS)
    outcomes, why, cost = Counter[str](), Counter[str](), Counter[str]()
    try:
        for number, (_, text) in enumerate(edits(CONTROLLER, count, seed), 1):
            if number not in kept.known:
                try:
                    played = evaluator.run(play_python, text, steps, hooks=ExecutionHooks())
                except EvaluatorFailed as failure:
                    played = Played(HANGS if failure.outcome == "hung" else CRASHES, failure.steps, failure.outcome)
                kept.add(number, asdict(played))
            played = Played(**kept.known[number])
            outcomes[played.outcome] += 1
            cost[played.outcome] += played.steps
            why[played.why] += played.outcome == CRASHES
            if number % 100 == 0:
                say(f"python: {number} edits, {dict(outcomes)}")
    finally:
        evaluator.close()
        kept.close()
    return _row("Python, every edit evaluated", count, outcomes, cost) | {
        "crashes_by_cause": dict((+why).most_common())
    }


def as_hl(count: int, steps: int, seed: int, say: Callable[[str], None], kept: Kept) -> dict[str, Any]:
    """Evaluates the mutants of the HL policy that pass the gates."""
    program, gates, random = Program.load(POLICY), Gates(load_card("Breakout-v5"), PROOF_LIMITS), Random(seed)
    subject, stopped, texts = Subject(program), Counter[str](), {program.text}
    waiting: list[Dataflow] = []
    evaluator = WorkerExecutor(LIMITS)
    while len(texts) <= count:
        mutant = mutate(subject, random)
        if mutant is None:
            continue
        checked = gates.check(mutant.policy)
        text = repr(mutant.policy) if isinstance(checked, Rejection) else checked.program.text
        if text in texts:
            continue
        texts.add(text)
        number = len(texts) - 1
        if isinstance(checked, Rejection):
            stopped[checked.gate] += 1
        elif (gate := _stopped_at(gates, checked, number, kept)) is not None:
            stopped[gate] += 1
        else:
            waiting.append(checked.flow)
        if number % 100 == 0:
            say(f"hl: {number} mutants, {len(waiting)} proved, stopped at {dict(stopped)}")
    kept.close()
    on_rejected = evaluator.simulators.steps_taken
    outcomes, cost, assumptions = Counter[str](), Counter[str](), 0
    try:
        for first in range(0, len(waiting), BATCH):
            assumptions += _batch(evaluator, waiting[first : first + BATCH], steps, outcomes, cost)
    finally:
        evaluator.close()
    return _row("HL, proved programs evaluated", count, outcomes, cost) | {
        "stopped_at": dict(stopped),
        "steps_on_rejected_edits": on_rejected,
        "assumptions_broken_in": assumptions,
    }


def _stopped_at(gates: Gates, checked: CheckedCandidate, number: int, kept: Kept) -> str | None:
    """The gate that rejects a well-formed mutant; None if it is proved."""
    recognised = gates.recognise(checked)
    if isinstance(recognised, Rejection):
        return recognised.gate
    gates.remember(checked.hash, number)
    if number not in kept.known:
        proved = gates.prove(checked)
        kept.add(number, proved.gate if isinstance(proved, Rejection) else None)
    return kept.known[number]


def _batch(
    evaluator: WorkerExecutor, flows: list[Dataflow], steps: int, outcomes: Counter[str], cost: Counter[str]
) -> int:
    """Evaluates programs in one batch, or alone if the batch fails. Returns how many violated an assumption."""
    try:
        played = evaluator.run(play_proved, flows, steps, hooks=ExecutionHooks())
    except EvaluatorFailed as failure:
        if len(flows) > 1:
            return sum(_batch(evaluator, [flow], steps, outcomes, cost) for flow in flows)
        played = PlayedMany(
            (Played(HANGS if failure.outcome == "hung" else CRASHES, failure.steps, failure.outcome),), ()
        )
    for result in played.every:
        outcomes[result.outcome] += 1
        cost[result.outcome] += result.steps
    return sum(count > 0 for count in played.assumptions_broken)


def _row(name: str, count: int, outcomes: Counter[str], cost: Counter[str]) -> dict[str, Any]:
    named = (CRASHES, HANGS, LEAVES, PLAYS)
    return {
        "edits": count,
        "name": name,
        "played": sum(outcomes.values()),
        "outcomes": {name: outcomes[name] for name in named},
        "steps": {name: cost[name] for name in named},
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        f"| {rows[0]['edits']:,} random edits as | stopped before a step | crash | hang | leave the bounds "
        "| steps these cost |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        share = [
            f"{row['outcomes'][outcome]:,} ({100 * row['outcomes'][outcome] / row['edits']:.1f} %)"
            for outcome in (CRASHES, HANGS, LEAVES)
        ]
        cost = sum(row["steps"][outcome] for outcome in (CRASHES, HANGS, LEAVES))
        lines.append(f"| {row['name']} | {row['edits'] - row['played']:,} | {' | '.join(share)} | {cost:,} |")
    return "\n".join(lines)


def main() -> None:
    """Runs the benchmark and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--progress",
        type=Path,
        default=Path("runs"),
        help="the folder that records the results so far [default: runs]",
    )
    given = parser.parse_args()
    started = time.monotonic()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    rows = []
    for measure in (as_python, as_hl):
        name = measure.__name__.removeprefix("as_")
        limits = repr(PROOF_LIMITS) if measure is as_hl else ""
        about = {"edits": name, "steps": given.steps, "seed": given.seed, "hl": version(), "limits": limits}
        kept = Kept(given.progress / f"edits-{name}.jsonl", about)
        if kept.known:
            say(f"{name}: {len(kept.known)} results are recorded already")
        rows.append(measure(given.edits, given.steps, given.seed, say, kept))
        say(json.dumps(rows[-1]))
    if given.json:
        print(json.dumps({"schema": "hl.edits/1", "steps": given.steps, "seed": given.seed, "rows": rows}, indent=2))
        return
    print(table(rows))
    print(f"crashes of Python by cause: {rows[0]['crashes_by_cause']}")
    print(f"{given.steps} steps for each edit that is evaluated; {time.monotonic() - started:.0f} s")
    print(
        f"HL: stopped at {rows[1]['stopped_at']}, {rows[1]['steps_on_rejected_edits']} steps on them;"
        f" an assumption violated in {rows[1]['assumptions_broken_in']} of those evaluated"
    )


if __name__ == "__main__":
    from benchmarks import edits as module  # a worker imports functions by the module's name

    module.main()
