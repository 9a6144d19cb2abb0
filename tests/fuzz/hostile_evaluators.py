"""Survival time of hostile evaluators: `python -m tests.fuzz.hostile_evaluators [--deadline 5]`, or `make hostile`.

Each act starts at the 40th step of a game in a worker under a study's limits, except the deadline. The time is from the
start of the act until its parent continues. The exit code is 1 if that exceeds the deadline by more than a second, or
if a process survives.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.candidate_batch import play
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.workers.limits import EvaluatorFailed, WorkerLimits
from hl_dsl.synth.workers.process_tree import find_marked
from hl_dsl.synth.workers.worker import MARK
from hl_dsl.synth.workers.worker_executor import WorkerExecutor
from tests.support import hostile_workers
from tests.support.study_runs import LEAN

ACTS = (
    hostile_workers.loops,
    hostile_workers.leaks,
    hostile_workers.asks_for_too_much,
    hostile_workers.forks,
    hostile_workers.segfaults,
    hostile_workers.leaves,
    hostile_workers.raises,
)


def lived(evaluator: WorkerExecutor, act, file: Path) -> tuple[float, EvaluatorFailed, int]:
    """Seconds from the act to its end, its failure, and the number of surviving processes."""
    program = Program.parse(LEAN)
    arguments = ([program.flow], program.card, EpisodeSettings("standard", (0, 1, 2, 3)))
    hooks, resources = ExecutionHooks(), Resources()
    evaluator.run(play, *arguments, hooks=hooks, resources=resources)  # its start does not count
    assert evaluator.worker is not None
    mark = evaluator.worker._mark
    try:
        evaluator.run(
            partial(hostile_workers.playing, partial(hostile_workers.timed, act, str(file)), "0123456789abcdef"),
            *arguments,
            hooks=hooks,
            resources=resources,
        )
    except EvaluatorFailed as failure:
        return time.monotonic() - float(file.read_text()), failure, len(find_marked(MARK, mark))
    raise AssertionError(f"{act.__name__} did no harm")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deadline", type=float, default=5.0)
    given = parser.parse_args()
    evaluator, failed = WorkerExecutor(WorkerLimits(seconds=given.deadline)), 0
    with tempfile.TemporaryDirectory() as folder:
        for act in ACTS:
            seconds, failure, left = lived(evaluator, act, Path(folder) / "started")
            failed += seconds > given.deadline + 1 or left > 0
            print(
                f"{act.__name__:<18} {seconds:5.2f} s, {left} processes left, "
                f"{failure.steps} steps charged: {failure.reason}",
                flush=True,
            )
    evaluator.close()
    print(f"deadline {given.deadline:g} s; load {os.getloadavg()[0]:.1f}; {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
