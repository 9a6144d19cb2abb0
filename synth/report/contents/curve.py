"""Score curve: scores of a run against the steps and tokens spent by then."""

from __future__ import annotations

import math
from typing import Any

from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.runs.call_totals import SETTLED
from hl_dsl.synth.runs.trial_statistics import counts_for_best


def score_points(run: ReportedRun) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns the scored candidates in the order of the ledger, and the totals at the end.

    Each point has the environment steps and tokens spent by then, and the best accepted score. `tokens` is None for a
    run without calls.
    """
    with_calls = any(event.get("event") == "call" for event in run.events)
    candidates = set(map(id, run.candidates))
    steps, tokens, best = 0, 0, None
    points = []
    for event, trial in run.entries:
        if event.get("event") == "call" and event.get("state") == SETTLED:
            tokens += event.get("tokens") or 0
        if trial is None:
            continue
        steps += trial.environment_steps
        comparable = id(trial) in candidates and (trial.environment, trial.protocol) == run.setting
        if not comparable or trial.score is None or not math.isfinite(trial.score):
            continue
        if counts_for_best(trial, run.setting) and (best is None or trial.score > best):
            best = trial.score
        points.append(
            {
                "trial": trial.index,
                "sequence": trial.sequence,
                "score": trial.score,
                "gate": trial.gate,
                "accepted": trial.accepted,
                "environment_steps": steps,
                "tokens": tokens if with_calls else None,
                "best_so_far": best,
            }
        )
    return points, {"environment_steps": steps, "tokens": tokens if with_calls else None}
