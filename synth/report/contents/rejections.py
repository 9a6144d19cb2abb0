"""Rejected candidates by gate."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.runs.statuses import Gate

_MEANS = {
    Gate.PARSE: "the text does not parse",
    Gate.DUPLICATE: "same as an earlier program, or plays the same episodes",
    Gate.CHECK: "names, types or shape",
    Gate.PROVE: "not proved",
    Gate.QUICK_SEEDS: "too weak on the first seeds",
    Gate.PRUNED: "stopped early: return clearly below the best program's",
    Gate.ALL_SEEDS: "not better than the best program on the development seeds",
    Gate.REGRESSION: "breaks a golden case",
}
_EXAMPLES = 3  # reasons shown for each gate


def rejections(run: ReportedRun) -> list[dict[str, Any]]:
    """Returns, for each gate in order, the number of its candidates, their steps and most frequent reasons."""
    reasons: dict[Gate, Counter[str]] = {gate: Counter() for gate in _MEANS}
    steps: Counter[Gate] = Counter()
    for trial in run.candidates:
        if not trial.accepted:
            reasons[trial.gate][trial.reason.partition("\n")[0]] += 1
            steps[trial.gate] += trial.environment_steps
    return [
        {
            "gate": gate,
            "means": meaning,
            "count": reasons[gate].total(),
            "environment_steps": steps[gate],
            "reasons": [{"reason": reason, "count": count} for reason, count in reasons[gate].most_common(_EXAMPLES)],
        }
        for gate, meaning in _MEANS.items()
    ]
