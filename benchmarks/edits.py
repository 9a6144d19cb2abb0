"""Why a language: what random edits of one controller cost, as free-form Python and as HL.

    python -m benchmarks.edits [--edits 2000] [--steps 200] [--seed 0] [--json]

The controller is policies/breakout/ram.hl, and the same in Python (benchmarks/free_form.py); both play Breakout from one
start. Python is edited through its syntax tree (benchmarks/free_form_edits.py) and each edit is played, alone, since nothing
tells beforehand what it will do; HL by the typed mutations of the search, and only what passes the gates is played. Both play
in the worker that studies use. An edit "crashes" where it raises or gives no action, "hangs" where the worker has to be ended
after 3 seconds without a step, and "leaves the bounds" where, while playing, the paddle's command runs more than a step
past the field or FIRE is pressed with a ball in play: the invariants that are proved of ram.hl, counted from outside.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.free_form import CONTROLLER
from benchmarks.free_form_edits import edits
from hl_dsl.cards import load_card
from hl_dsl.program import Program
from hl_dsl.synth.environments import Environments, steps_taken
from hl_dsl.synth.gates import Gates, Rejection
from hl_dsl.synth.isolation.evaluator import Isolated
from hl_dsl.synth.isolation.limits import EvaluatorFailed, Limits
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.synth.population import Member, Population
from hl_dsl.synth.rollout import evaluate

POLICY = Path(__file__).parent.parent / "policies" / "breakout" / "ram.hl"
LIMITS = Limits(seconds=3.0)
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

    def interrupted_too(self) -> "Played":
        raise KeyboardInterrupt


@dataclass(frozen=True)
class PlayedMany:
    every: tuple[Played, ...]
    assumptions_broken: tuple[int, ...]

    def interrupted_too(self) -> "PlayedMany":
        raise KeyboardInterrupt


def outside(ram: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Where a row (k, 128) of the console's memory, with the action chosen on it, is out of bounds."""
    command = 234 - ram[:, 70].astype(np.int64)
    return (command < LOW) | (command > HIGH) | ((actions == 1) & (ram[:, 101] != 0))


def play_python(text: str, steps: int, *, before_step, stopping, **hooks: Any) -> Played:
    """Plays a Python program for so many steps, or until it crashes or its episode ends."""
    environments = Environments(load_card("Breakout-v5"), PROTOCOL, [SEED], num_threads=1, max_steps=steps)
    memory: dict[str, Any] = {}
    left = False
    try:
        space: dict[str, Any] = {}
        exec(compile(text, "edit", "exec"), space)
        frame = environments.reset()
        while not frame.ended:
            action = space["act"](frame.ram[0].tolist(), float(frame.reward[0]), memory)
            if type(action) not in (int, bool) or not 0 <= action < 4:
                return Played(CRASHES, environments.steps, "no action")
            actions = np.array([action], np.int32)
            left = left or bool(outside(frame.ram, actions)[0])
            before_step(environments.steps + 1)
            frame = environments.step(actions)
    except Exception as error:
        return Played(CRASHES, environments.steps, type(error).__name__)
    finally:
        environments.close()
    return Played(LEAVES if left else PLAYS, environments.steps)


def play_proved(flows: list, steps: int, *, before_step, stopping, **hooks: Any) -> PlayedMany:
    """Plays HL programs side by side for so many steps each."""
    left = np.zeros(len(flows), bool)

    def watch(environments: Environments, frame, actions) -> None:
        if actions is not None:
            left[frame.lanes] |= outside(frame.ram, actions)
            before_step(environments.steps + len(frame.lanes))

    members = [Member(flow, 1, {}) for flow in flows]
    rollout = evaluate(Population(members), flows[0].card, PROTOCOL, [SEED] * len(flows), num_envs=len(flows), on_tick=watch, max_steps=steps)
    every = tuple(Played(LEAVES if out else PLAYS, length) for out, length in zip(left, rollout.lengths))
    return PlayedMany(every, tuple(sum(row) for row in rollout.assumption_violations))


def as_python(count: int, steps: int, seed: int, say) -> dict[str, Any]:
    """Edits of the Python controller, each played."""
    evaluator, outcomes, why, cost = Isolated(LIMITS), Counter(), Counter(), Counter()
    try:
        for number, (kind, text) in enumerate(edits(CONTROLLER, count, seed), 1):
            try:
                played = evaluator.run(play_python, text, steps)
            except EvaluatorFailed as failure:
                played = Played(HANGS if failure.outcome == "hung" else CRASHES, failure.steps, failure.outcome)
            outcomes[played.outcome] += 1
            cost[played.outcome] += played.steps
            why[played.why] += played.outcome == CRASHES
            if number % 100 == 0:
                say(f"python: {number} edits, {dict(outcomes)}")
    finally:
        evaluator.close()
    return _row("Python, every edit played", count, outcomes, cost) | {"crashes_by_cause": dict((+why).most_common())}


def as_hl(count: int, steps: int, seed: int, say) -> dict[str, Any]:
    """Mutants of the HL policy, through the gates; those that pass are played."""
    program, gates, random = Program.load(POLICY), Gates(load_card("Breakout-v5")), Random(seed)
    subject, stopped, waiting, texts = Subject(program), Counter(), [], {program.text}
    before = steps_taken()
    while len(texts) <= count:
        mutant = mutate(subject, random)
        if mutant is None:
            continue
        checked = gates.check(mutant.policy)
        text = repr(mutant.policy) if isinstance(checked, Rejection) else checked.program.text
        if text in texts:
            continue
        texts.add(text)
        verdict = checked if isinstance(checked, Rejection) else gates.recognise(checked)
        verdict = verdict if isinstance(verdict, Rejection) else gates.prove(checked)
        if isinstance(verdict, Rejection):
            stopped[verdict.gate] += 1
        else:
            gates.remember(checked.program.hash, len(texts))
            waiting.append(checked.flow)
        if (len(texts) - 1) % 100 == 0:
            say(f"hl: {len(texts) - 1} mutants, {len(waiting)} proved, stopped at {dict(stopped)}")
    on_rejected = steps_taken() - before
    evaluator, outcomes, cost, assumptions = Isolated(LIMITS), Counter(), Counter(), 0
    try:
        for first in range(0, len(waiting), BATCH):
            assumptions += _batch(evaluator, waiting[first : first + BATCH], steps, outcomes, cost)
    finally:
        evaluator.close()
    return _row("HL, what is proved played", count, outcomes, cost) | {
        "stopped_at": dict(stopped), "steps_on_rejected_edits": on_rejected, "assumptions_broken_in": assumptions}


def _batch(evaluator: Isolated, flows: list, steps: int, outcomes: Counter, cost: Counter) -> int:
    try:
        played = evaluator.run(play_proved, flows, steps)
    except EvaluatorFailed as failure:
        if len(flows) > 1:
            return sum(_batch(evaluator, [flow], steps, outcomes, cost) for flow in flows)
        played = PlayedMany((Played(HANGS if failure.outcome == "hung" else CRASHES, failure.steps, failure.outcome),), ())
    for one in played.every:
        outcomes[one.outcome] += 1
        cost[one.outcome] += one.steps
    return sum(count > 0 for count in played.assumptions_broken)


def _row(name: str, count: int, outcomes: Counter, cost: Counter) -> dict[str, Any]:
    named = (CRASHES, HANGS, LEAVES, PLAYS)
    return {"edits": count, "name": name, "played": sum(outcomes.values()), "outcomes": {one: outcomes[one] for one in named}, "steps": {one: cost[one] for one in named}}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a table in Markdown."""
    lines = [f"| {rows[0]['edits']:,} random edits as | stopped before a step | crash | hang | leave the bounds | steps these cost |", "|---|---|---|---|---|---|"]
    for row in rows:
        share = [f"{row['outcomes'][one]:,} ({100 * row['outcomes'][one] / row['edits']:.1f} %)" for one in (CRASHES, HANGS, LEAVES)]
        cost = sum(row["steps"][one] for one in (CRASHES, HANGS, LEAVES))
        lines.append(f"| {row['name']} | {row['edits'] - row['played']:,} | {' | '.join(share)} | {cost:,} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    rows = []
    for measure in (as_python, as_hl):
        rows.append(measure(given.edits, given.steps, given.seed, say))
        say(json.dumps(rows[-1]))
    if given.json:
        print(json.dumps({"schema": "hl.edits/1", "steps": given.steps, "seed": given.seed, "rows": rows}, indent=2))
        return
    print(table(rows))
    print(f"crashes of Python by cause: {rows[0]['crashes_by_cause']}")
    print(f"HL: stopped at {rows[1]['stopped_at']}, {rows[1]['steps_on_rejected_edits']} steps on them; an assumption broken in {rows[1]['assumptions_broken_in']} of those played")


if __name__ == "__main__":
    from benchmarks import edits as module  # a worker knows what is played by the module's name

    module.main()
