"""Score of the local search against environment steps: Breakout, with a random baseline, and four classic tasks.

    python -m benchmarks.search breakout [--seeds 0..4] [--steps 1000000] [--runs runs/search]
    python -m benchmarks.search classics [--seeds 0..2] [--development 0..15] [--steps 1000000] [--runs runs/search]

Each search is a run of `hl synth` in a separate folder. A finished run is not repeated. The tables are computed from
the ledgers of the runs, printed, and written to `RUNS/breakout.json` and `RUNS/classics.json`. The curves of Breakout
are written to `RUNS/breakout.png`.

The score on Breakout is the best program's return under the rules of the search: the deterministic protocol, and an
episode ends after 1,500 steps without reward. A run stops at 864, the highest possible score. The random baseline
samples two constants, the offsets at which the paddle moves right and left, in batches of 24. Its score is the best
sample within the same number of steps. The best programs are also evaluated under the other protocols on four
held-out seeds, for at most 30,000 steps. The score on a classic task is the mean over 50 held-out seeds. The task is
solved if the score reaches the threshold of the environment.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.search_curves import Curve, draw, steps_to
from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.program import Program
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

ROOT = Path(__file__).parent.parent
CLASSICS = ("cartpole", "mountain_car", "acrobot", "lunar_lander")
OTHER_SEEDS = tuple(HELD_OUT[:4])
# Most steps of an episode under the other protocols. A program that neither wins nor loses would take 108,000.
_LONGEST = 30_000
_DRAWS = 24  # samples in a batch of the random baseline
ALL = 864.0  # highest possible score: two screens


def run(
    policy: Path,
    folder: Path,
    protocol: str,
    steps: int,
    seed: int,
    seeds: Sequence[int],
    threads: int = 0,
    most: float = math.inf,
) -> Curve:
    """Runs a search, unless the folder holds a finished one.

    Args:
        policy: Initial program.
        folder: Run folder. An unfinished run in it is resumed.
        protocol: Protocol of the episodes.
        steps: Budget in environment steps.
        seed: Seed of the run.
        seeds: Development seeds.
        threads: Simulator threads; 0 means one for each core.
        most: Score at which the search stops.

    Returns:
        The curve of accepted programs against all steps spent.
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
            StudySettings(protocol, tuple(seeds), seed),
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


def baseline_curve(seed: int, steps: int, cache: Path, threads: int = 0) -> Curve:
    """Samples random constants until the steps are spent. The curve is stored in the file `cache`."""
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
        except HLError:  # no draw ends within the remaining steps
            break
        spent, count, best = spent + drawn.env_steps, count + len(drawn.scores), max(best, drawn.best)
        points.append((spent, best))
        if best >= ALL:
            break
    curve = Curve(tuple(at for at, _ in points), tuple(score for _, score in points), spent, count)
    cache.write_text(
        json.dumps({"steps": curve.steps, "scores": curve.scores, "spent": spent, "count": count}), encoding="utf-8"
    )
    return curve


def breakout(seeds: list[int], baseline_seeds: list[int], steps: int, runs: Path, threads: int) -> None:
    """Runs the searches and the random baseline on Breakout.

    Args:
        seeds: Run seeds of the searches.
        baseline_seeds: Seeds of the random baseline.
        steps: Budget of each run in environment steps.
        runs: Folder of the run folders and the results.
        threads: Simulator threads; 0 means one for each core.
    """
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
            f"run seed {seed}: {curve.best:g} after {curve.steps_to_best:,} of {curve.spent:,} steps, "
            f"{curve.count} programs; noop {row['noop']:.1f}, sticky {row['sticky']:.1f} "
            f"(seeds {OTHER_SEEDS[0]}..{OTHER_SEEDS[-1]})",
            flush=True,
        )
    baselines = []
    for seed in baseline_seeds:
        curve = baseline_curve(seed, steps, runs / f"baseline-{seed}.json", threads)
        baselines.append(curve)
        print(f"random baseline {seed}: best of {curve.count} draws {curve.best:g}, {curve.spent:,} steps", flush=True)
    scores, baseline_scores = [curve.best for curve in curves], [curve.best for curve in baselines]
    print(f"search: median {median(scores):g}, least {min(scores):g}")
    print(
        f"random baseline: median {median(baseline_scores):g}, least {min(baseline_scores):g}, "
        f"best {max(baseline_scores):g}"
    )
    write(
        runs / "breakout.json",
        {
            "steps": steps,
            "runs": rows,
            "random_baseline": [
                {"seed": seed, "best": curve.best, "env_steps": curve.spent, "draws": curve.count}
                for seed, curve in zip(baseline_seeds, baselines)
            ],
            "median": median(scores),
            "random_baseline_median": median(baseline_scores),
        },
    )
    draw(curves, baselines, runs / "breakout.png")


def classics(seeds: list[int], development: list[int], steps: int, runs: Path, threads: int) -> None:
    """Runs the searches on the classic tasks.

    Args:
        seeds: Run seeds.
        development: Development seeds of each search.
        steps: Budget of each run in environment steps.
        runs: Folder of the run folders and the results.
        threads: Simulator threads; 0 means one for each core.
    """
    rows = []
    for name in CLASSICS:
        policy = ROOT / "policies" / name / "start.hl"
        card = Program.load(policy).card
        threshold = card.solved
        assert threshold is not None, "the cards of the classic tasks have a threshold"
        for seed in seeds:
            folder = runs / f"{name}-{seed}"
            curve = run(policy, folder, "standard", steps, seed, development, threads)
            evaluation = evaluate_program(
                Program.load(folder / "best.hl"),
                EpisodeSettings("standard", tuple(HELD_OUT)),
                ledger=Ledger(folder / "others.jsonl"),
                options=EvaluationOptions(kind=TrialKind.HELD_OUT),
            )
            held_out = mean(evaluation.rollout.returns)
            reached = steps_to(curve, threshold)
            rows.append(
                {
                    "environment": card.environment,
                    "run_seed": seed,
                    "start": curve.scores[0],
                    "best": curve.best,
                    "held_out": held_out,
                    "threshold": threshold,
                    "solved": held_out >= threshold,
                    "steps_to_threshold": reached,
                    "env_steps": curve.spent,
                }
            )
            print(
                f"{card.environment}, run seed {seed}: {curve.scores[0]:g} -> {curve.best:.1f}; "
                f"held-out {held_out:.1f}, threshold {threshold:g}: "
                f"{'solved' if held_out >= threshold else 'not solved'}; threshold reached in the search "
                + (f"after {reached:,} steps" if reached is not None else "never"),
                flush=True,
            )
    write(runs / "classics.json", {"steps": steps, "runs": rows})


def write(path: Path, document: dict[str, Any]) -> None:
    """Writes a document as JSON, with its schema."""
    path.write_text(json.dumps({"schema": "hl.benchmarks.search/2", **document}, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}")


def main() -> None:
    """Runs the benchmark and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("breakout", "classics"))
    parser.add_argument("--seeds")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--development", default="0..15", help="development seeds of the classics")
    parser.add_argument("--baseline-seeds", help="seeds of the random baseline (default: the run seeds)")
    parser.add_argument("--threads", type=int, default=0, help="simulator threads; 0: one for each core")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "search")
    given = parser.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    if given.what == "breakout":
        seeds = given.seeds or "0..4"
        baseline_seeds = parse_seeds(given.baseline_seeds or seeds)
        breakout(parse_seeds(seeds), baseline_seeds, given.steps, given.runs, given.threads)
    else:
        classics(
            parse_seeds(given.seeds or "0..2"), parse_seeds(given.development), given.steps, given.runs, given.threads
        )


if __name__ == "__main__":
    main()
