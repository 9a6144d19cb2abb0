"""What the search without a network finds, in environment steps: on Breakout, beside what chance alone finds at equal
steps, and on four classics from programs of one line.

    python -m benchmarks.search breakout [--seeds 0..4] [--steps 1000000] [--runs runs/search]
    python -m benchmarks.search classics [--seeds 0..2] [--development 0..15] [--steps 1000000] [--runs runs/search]

Each search is a run of `hl synth` in a folder of its own; one that has come to its end there is not repeated. The
tables come from the runs' ledgers; they are printed and written as `RUNS/breakout.json` and `RUNS/classics.json`,
Breakout's curves as `RUNS/breakout.png`.

Breakout's score is the best program's return under the search's own rules: the deterministic protocol, and an episode
ends after 1,500 steps without reward. A run that has 864, which is all there is, ends there. The null is random
settings of two constants, where to start moving right and left, 24 at a time; its score is the best of all that the
same steps pay for. The best programs are also played under the other protocols on four held-out seeds, for at most
30,000 steps. A classic's score is the mean over 50 held-out seeds; it is solved where that reaches the threshold that
comes with the environment.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from statistics import mean, median
from typing import Any

from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.seed_ranges import HELD_OUT
from hl_dsl.synth.evaluation.evaluate import EvaluationOptions, evaluate_program
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import trials_of
from hl_dsl.synth.runs.trial_statistics import cumulative
from hl_dsl.synth.search.random_baseline import random_constants
from hl_dsl.synth.search.start import run_synth
from hl_dsl.synth.search.study_settings import StudySettings
from hl_dsl.synth.workers.worker_executor import WorkerExecutor

from benchmarks.search_curves import Curve, draw, steps_to
from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.program import Program

ROOT = Path(__file__).parent.parent
CLASSICS = ("cartpole", "mountain_car", "acrobot", "lunar_lander")
OTHER_SEEDS = HELD_OUT[:4]
_LONGEST = 30_000  # steps under the other protocols: a program that neither wins nor loses would play on for 108,000
_DRAWS = 24
ALL = 864.0  # two screens, and there is no third


def run(
    policy: Path, folder: Path, protocol: str, steps: int, seed: int, seeds, threads: int = 0, most: float = math.inf
) -> Curve:
    """A search, or what a finished one left in the folder. Its curve is of accepted programs, over all steps spent. With
    `most`, all there is to be had, a search ends when it has that.
    """
    ledger = Ledger(folder / "trials.jsonl")

    def end(event: dict[str, Any]) -> None:
        if event["event"] == "best" and event["score"] >= most:
            raise KeyboardInterrupt

    if not (
        folder.exists()
        and any(
            event.get("event") == "stop"
            and (event.get("reason") != "interrupted" or event.get("score", -math.inf) >= most)
            for event in ledger.read()
        )
    ):
        run_synth(
            policy,
            folder,
            StudySettings(protocol, seeds, seed),
            Budget(steps=steps),
            Resources(threads, executor=WorkerExecutor()),
            on_event=end,
            resume=(folder / "run.json").exists(),
        )
    trials = [trial for trial in trials_of(ledger.read()) if trial.kind == "search"]
    points = [(entry.total_steps, entry.best) for entry in cumulative(trials) if entry.best is not None]
    return Curve(
        tuple(at for at, _ in points),
        tuple(best for _, best in points),
        sum(trial.environment_steps for trial in trials),
        len(trials),
    )


def null_curve(seed: int, steps: int, cache: Path, threads: int = 0) -> Curve:
    """Random constants until the steps are spent."""
    if cache.exists():
        known = json.loads(cache.read_text(encoding="utf-8"))
        return Curve(tuple(known["steps"]), tuple(known["scores"]), known["spent"], known["count"])
    program, spent, count, best, points = Program.load(ROOT / "benchmarks/two_constants.hl"), 0, 0, 0.0, []
    for batch in range(steps):
        try:
            drawn = random_constants(
                program,
                "deterministic",
                draws=_DRAWS,
                seed=seed + 1000 * batch,
                step_budget=steps - spent,
                num_threads=threads,
            )
        except HLError:  # no draw ends within what is left
            break
        spent, count, best = spent + drawn.env_steps, count + len(drawn.scores), max(best, drawn.best)
        points.append((spent, best))
        if best >= ALL:
            break
    found = Curve(tuple(at for at, _ in points), tuple(score for _, score in points), spent, count)
    cache.write_text(
        json.dumps({"steps": found.steps, "scores": found.scores, "spent": spent, "count": count}), encoding="utf-8"
    )
    return found


def breakout(seeds: list[int], null_seeds: list[int], steps: int, runs: Path, threads: int) -> None:
    curves, rows = [], []
    for seed in seeds:
        folder = runs / f"breakout-{seed}"
        curve = run(ROOT / "policies/breakout/start.hl", folder, "deterministic", steps, seed, (0,), threads, ALL)
        row: dict[str, Any] = {
            "run_seed": seed,
            "best": curve.best,
            "steps_to_best": curve.steps_to_best,
            "env_steps": curve.spent,
            "programs": curve.count,
        }
        best = Program.load(folder / "best.hl")
        for protocol in ("noop", "sticky"):
            row[protocol] = mean(
                evaluate_program(
                    best,
                    EpisodeSettings(protocol, OTHER_SEEDS, max_steps=_LONGEST),
                    ledger=Ledger(folder / "others.jsonl"),
                    resources=Resources(num_threads=threads),
                    options=EvaluationOptions(kind=TrialKind.HELD_OUT),
                ).rollout.returns
            )
        curves.append(curve)
        rows.append(row)
        print(
            f"run seed {seed}: {curve.best:g} after {curve.steps_to_best:,} of {curve.spent:,} steps, {curve.count} programs; "
            f"noop {row['noop']:.1f}, sticky {row['sticky']:.1f} (seeds {OTHER_SEEDS[0]}..{OTHER_SEEDS[-1]})",
            flush=True,
        )
    nulls = []
    for seed in null_seeds:
        nulls.append(null_curve(seed, steps, runs / f"null-{seed}.json", threads))
        print(f"null {seed}: best of {nulls[-1].count} draws {nulls[-1].best:g}, {nulls[-1].spent:,} steps", flush=True)
    found, chance = [one.best for one in curves], [one.best for one in nulls]
    print(
        f"search: median {median(found):g}, least {min(found):g}; null: median {median(chance):g}, least {min(chance):g}, best {max(chance):g}"
    )
    write(
        runs / "breakout.json",
        {
            "steps": steps,
            "runs": rows,
            "null": [
                {"seed": seed, "best": one.best, "env_steps": one.spent, "draws": one.count}
                for seed, one in zip(null_seeds, nulls)
            ],
            "median": median(found),
            "null_median": median(chance),
        },
    )
    draw(curves, nulls, runs / "breakout.png")


def classics(seeds: list[int], development: list[int], steps: int, runs: Path, threads: int) -> None:
    rows = []
    for name in CLASSICS:
        policy = ROOT / "policies" / name / "start.hl"
        card = Program.load(policy).card
        for seed in seeds:
            folder = runs / f"{name}-{seed}"
            curve = run(policy, folder, "standard", steps, seed, development, threads)
            evaluation = evaluate_program(
                Program.load(folder / "best.hl"),
                EpisodeSettings("standard", HELD_OUT),
                ledger=Ledger(folder / "others.jsonl"),
                options=EvaluationOptions(kind=TrialKind.HELD_OUT),
            )
            held_out = mean(evaluation.rollout.returns)
            reached = steps_to(curve, card.solved)
            rows.append(
                {
                    "environment": card.environment,
                    "run_seed": seed,
                    "start": curve.scores[0],
                    "best": curve.best,
                    "held_out": held_out,
                    "threshold": card.solved,
                    "solved": held_out >= card.solved,
                    "steps_to_threshold": reached,
                    "env_steps": curve.spent,
                }
            )
            print(
                f"{card.environment}, run seed {seed}: {curve.scores[0]:g} -> {curve.best:.1f}; held-out {held_out:.1f}, threshold {card.solved:g}: "
                f"{'solved' if held_out >= card.solved else 'not solved'}; threshold reached in the search "
                + (f"after {reached:,} steps" if reached is not None else "never"),
                flush=True,
            )
    write(runs / "classics.json", {"steps": steps, "runs": rows})


def write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps({"schema": "hl.benchmarks.search/1", **document}, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("breakout", "classics"))
    parser.add_argument("--seeds")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--development", default="0..15", help="development seeds of the classics")
    parser.add_argument("--null-seeds", help="series of the null (default: the run seeds)")
    parser.add_argument("--threads", type=int, default=0, help="of the simulator; 0: one for each core")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "search")
    given = parser.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    if given.what == "breakout":
        seeds = given.seeds or "0..4"
        breakout(parse_seeds(seeds), parse_seeds(given.null_seeds or seeds), given.steps, given.runs, given.threads)
    else:
        classics(
            parse_seeds(given.seeds or "0..2"), parse_seeds(given.development), given.steps, given.runs, given.threads
        )


if __name__ == "__main__":
    main()
