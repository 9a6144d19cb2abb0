"""Why a language: what random edits of one controller cost, as free-form Python and as HL.

    python -m benchmarks.edits [--edits 2000] [--steps 200] [--seed 0] [--json] [--progress FOLDER]

The controller is policies/breakout/ram.hl, and the same in Python (benchmarks/free_form.py); both play Breakout from one
start. Python is edited through its syntax tree (benchmarks/free_form_edits.py) and each edit is played, alone, since nothing
tells beforehand what it will do; HL by the typed mutations of the search, and only what passes the gates is played. Both play
in the worker that studies use, for 200 steps. An edit "crashes" where it raises or gives no action, "hangs" where an action
takes more than a second of processor time (in the worker; its parent's limit of a minute without a step stands behind), and
"leaves the bounds" where, while playing, the paddle's command runs more than a step past the field or FIRE is pressed with a
ball in play: the invariants that are proved of ram.hl, counted from outside. What became of each edit is kept in a file, and
a measurement that was interrupted goes on from it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hl_dsl.synth.candidates.gates import SEARCH_LIMITS, CheckedCandidate, Gates, Rejection
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from hl_dsl.synth.runs.version import version
from hl_dsl.synth.workers.limits import EvaluatorFailed, WorkerLimits
from hl_dsl.synth.workers.worker_executor import WorkerExecutor

from benchmarks.free_form import CONTROLLER
from benchmarks.free_form_edits import edits
from hl_dsl.cards import load_card
from hl_dsl.program import Program

POLICY = Path(__file__).parent.parent / "policies" / "breakout" / "ram.hl"
LIMITS = WorkerLimits()
ACTION_SECONDS = 1.0  # of processor time; an action of the controller as written takes some 10 us
# Less than a search affords, a fifth of the time: what a proof does not settle with it is rejected all the same.
PROOF_LIMITS = replace(SEARCH_LIMITS, boxes=4, solver_steps=100_000, lemmas=False)
PROTOCOL, SEED = "deterministic", 0
LOW, HIGH = 55 - 6, 191 + 6  # of the command, as `no_windup` has it
BATCH = 16
CRASHES, HANGS, LEAVES, PLAYS = "crashes", "hangs", "leaves the bounds", "plays within them"


@dataclass(frozen=True)
class Played:
    """What became of one edit. `why`: of a crash."""

    outcome: str
    steps: int
    why: str = ""

    def interrupted_too(self) -> Played:
        raise KeyboardInterrupt


@dataclass(frozen=True)
class PlayedMany:
    every: tuple[Played, ...]
    assumptions_broken: tuple[int, ...]

    def interrupted_too(self) -> PlayedMany:
        raise KeyboardInterrupt


def outside(ram: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Where a row (k, 128) of the console's memory, with the action chosen on it, is out of bounds."""
    command = 234 - ram[:, 70].astype(np.int64)
    return (command < LOW) | (command > HIGH) | ((actions == 1) & (ram[:, 101] != 0))


class TooLong(BaseException):
    """An action has taken its time; no edit may catch it by chance."""


@contextlib.contextmanager
def within(seconds: float):
    """Raises TooLong where the block takes more processor time. It is for the main thread of a worker."""

    def too_long(*signalled: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, too_long)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def play_python(text: str, steps: int, *, hooks: ExecutionHooks) -> Played:
    """Plays a Python program for so many steps, or until it crashes or its episode ends."""
    environments = Environments(load_card("Breakout-v5"), PROTOCOL, [SEED], num_threads=1, max_steps=steps)
    memory: dict[str, Any] = {}
    left = False
    try:
        space: dict[str, Any] = {}
        exec(compile(text, "edit", "exec"), space)
        frame = environments.reset()
        while not frame.ended:
            with within(ACTION_SECONDS):
                action = space["act"](frame.ram[0].tolist(), float(frame.reward[0]), memory)
            if type(action) not in (int, bool) or not 0 <= action < 4:
                return Played(CRASHES, environments.steps, "no action")
            actions = np.array([action], np.int32)
            left = left or bool(outside(frame.ram, actions)[0])
            if hooks.before_step is not None:
                hooks.before_step(environments.steps + 1)
            frame = environments.step(actions)
    except TooLong:
        return Played(HANGS, environments.steps)
    except Exception as error:
        return Played(CRASHES, environments.steps, type(error).__name__)
    finally:
        environments.close()
    return Played(LEAVES if left else PLAYS, environments.steps)


def play_proved(flows: list, steps: int, *, hooks: ExecutionHooks) -> PlayedMany:
    """Plays HL programs side by side for so many steps each."""
    left = np.zeros(len(flows), bool)

    def watch(environments: Environments, frame, actions) -> None:
        if actions is not None:
            left[frame.lanes] |= outside(frame.ram, actions)
            if hooks.before_step is not None:
                hooks.before_step(environments.steps + len(frame.lanes))

    members = [Member(flow, 1, {}) for flow in flows]
    rollout = evaluate(
        ProgramBatch(members),
        flows[0].card,
        EpisodeSettings(PROTOCOL, (SEED,) * len(flows), steps),
        Resources(num_envs=len(flows)),
        RolloutCallbacks(on_tick=watch),
    )
    every = tuple(Played(LEAVES if out else PLAYS, length) for out, length in zip(left, rollout.lengths))
    return PlayedMany(every, tuple(sum(counts.assumption_violations) for counts in rollout.counts))


class Kept:
    """What became of the edits of one kind so far, in a file of JSON lines after a first line that says of what."""

    def __init__(self, path: Path | None, about: dict[str, Any]):
        self.known: dict[int, Any] = {}
        self._file = None
        if path is None:
            return
        lines = path.read_text().splitlines() if path.exists() else []
        whole = [json.loads(line) for line in lines if line.endswith("}")]  # a torn line is measured again
        if whole[:1] == [about]:
            self.known = {one["number"]: one["kept"] for one in whole[1:]}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "".join(
                json.dumps(one) + "\n"
                for one in [about, *({"number": number, "kept": kept} for number, kept in self.known.items())]
            )
        )
        self._file = open(path, "a")

    def add(self, number: int, kept: Any) -> None:
        self.known[number] = kept
        if self._file is not None:
            self._file.write(json.dumps({"number": number, "kept": kept}) + "\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def as_python(count: int, steps: int, seed: int, say, kept: Kept) -> dict[str, Any]:
    """Edits of the Python controller, each played."""
    evaluator, outcomes, why, cost = WorkerExecutor(LIMITS), Counter(), Counter(), Counter()
    try:
        for number, (kind, text) in enumerate(edits(CONTROLLER, count, seed), 1):
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
    return _row("Python, every edit played", count, outcomes, cost) | {"crashes_by_cause": dict((+why).most_common())}


def as_hl(count: int, steps: int, seed: int, say, kept: Kept) -> dict[str, Any]:
    """Mutants of the HL policy, through the gates; those that pass are played."""
    program, gates, random = Program.load(POLICY), Gates(load_card("Breakout-v5"), PROOF_LIMITS), Random(seed)
    subject, stopped, waiting, texts = Subject(program), Counter(), [], {program.text}
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
        gate = checked.gate if isinstance(checked, Rejection) else _stopped_at(gates, checked, number, kept)
        if gate is None:
            waiting.append(checked.flow)
        else:
            stopped[gate] += 1
        if number % 100 == 0:
            say(f"hl: {number} mutants, {len(waiting)} proved, stopped at {dict(stopped)}")
    kept.close()
    on_rejected = evaluator.simulators.steps_taken
    outcomes, cost, assumptions = Counter(), Counter(), 0
    try:
        for first in range(0, len(waiting), BATCH):
            assumptions += _batch(evaluator, waiting[first : first + BATCH], steps, outcomes, cost)
    finally:
        evaluator.close()
    return _row("HL, what is proved played", count, outcomes, cost) | {
        "stopped_at": dict(stopped),
        "steps_on_rejected_edits": on_rejected,
        "assumptions_broken_in": assumptions,
    }


def _stopped_at(gates: Gates, checked: CheckedCandidate, number: int, kept: Kept) -> str | None:
    """The gate at which a well-formed mutant stops; None where it is proved."""
    recognised = gates.recognise(checked)
    if isinstance(recognised, Rejection):
        return recognised.gate
    gates.remember(checked.hash, number)
    if number not in kept.known:
        proved = gates.prove(checked)
        kept.add(number, proved.gate if isinstance(proved, Rejection) else None)
    return kept.known[number]


def _batch(evaluator: WorkerExecutor, flows: list, steps: int, outcomes: Counter, cost: Counter) -> int:
    try:
        played = evaluator.run(play_proved, flows, steps, hooks=ExecutionHooks())
    except EvaluatorFailed as failure:
        if len(flows) > 1:
            return sum(_batch(evaluator, [flow], steps, outcomes, cost) for flow in flows)
        played = PlayedMany(
            (Played(HANGS if failure.outcome == "hung" else CRASHES, failure.steps, failure.outcome),), ()
        )
    for one in played.every:
        outcomes[one.outcome] += 1
        cost[one.outcome] += one.steps
    return sum(count > 0 for count in played.assumptions_broken)


def _row(name: str, count: int, outcomes: Counter, cost: Counter) -> dict[str, Any]:
    named = (CRASHES, HANGS, LEAVES, PLAYS)
    return {
        "edits": count,
        "name": name,
        "played": sum(outcomes.values()),
        "outcomes": {one: outcomes[one] for one in named},
        "steps": {one: cost[one] for one in named},
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        f"| {rows[0]['edits']:,} random edits as | stopped before a step | crash | hang | leave the bounds | steps these cost |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        share = [
            f"{row['outcomes'][one]:,} ({100 * row['outcomes'][one] / row['edits']:.1f} %)"
            for one in (CRASHES, HANGS, LEAVES)
        ]
        cost = sum(row["steps"][one] for one in (CRASHES, HANGS, LEAVES))
        lines.append(f"| {row['name']} | {row['edits'] - row['played']:,} | {' | '.join(share)} | {cost:,} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--progress",
        type=Path,
        default=Path("runs"),
        help="the folder in which the edits so far are kept [default: runs]",
    )
    given = parser.parse_args()
    began = time.monotonic()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    rows = []
    for measure in (as_python, as_hl):
        name = measure.__name__.removeprefix("as_")
        limits = repr(PROOF_LIMITS) if measure is as_hl else ""
        about = {"edits": name, "steps": given.steps, "seed": given.seed, "hl": version(), "limits": limits}
        kept = Kept(given.progress / f"edits-{name}.jsonl", about)
        if kept.known:
            say(f"{name}: {len(kept.known)} edits are known already")
        rows.append(measure(given.edits, given.steps, given.seed, say, kept))
        say(json.dumps(rows[-1]))
    if given.json:
        print(json.dumps({"schema": "hl.edits/1", "steps": given.steps, "seed": given.seed, "rows": rows}, indent=2))
        return
    print(table(rows))
    print(f"crashes of Python by cause: {rows[0]['crashes_by_cause']}")
    print(f"{given.steps} steps for each edit that is played; {time.monotonic() - began:.0f} s")
    print(
        f"HL: stopped at {rows[1]['stopped_at']}, {rows[1]['steps_on_rejected_edits']} steps on them; an assumption broken in {rows[1]['assumptions_broken_in']} of those played"
    )


if __name__ == "__main__":
    from benchmarks import edits as module  # a worker knows what is played by the module's name

    module.main()
