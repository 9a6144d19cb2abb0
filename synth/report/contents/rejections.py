"""Where candidates stopped."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.runs.trial import GATES

_MEANS = {
    "parse": "the text does not parse",
    "duplicate": "seen before, or acts as one that was",
    "check": "names, types or shape",
    "prove": "not proved",
    "smoke": "too weak on the first seeds",
    "development": "no better on the development seeds",
    "regression": "breaks a golden case",
}
RACING = "racing"
LEFT_EARLY = ("pruned:", "left:")  # how the reason starts if an episode was pruned (`left:` in earlier ledgers)
CLEARLY_WORSE = "is clearly worse than the best"  # what it says of a candidate that was played on no more seeds
_EXAMPLES = 3


def rejections(run: ReportedRun) -> list[dict[str, Any]]:
    """For each gate, in order, how many candidates stopped there and the commonest reasons. What was given up early, being clearly
    worse, is counted under "racing" and not under the gate whose seeds it played."""
    reasons: dict[str, Counter] = {gate: Counter() for gate in (*GATES[:-1], RACING)}
    steps: Counter = Counter()
    for trial in run.candidates:
        if not trial.accepted:
            gate = RACING if trial.reason.startswith(LEFT_EARLY) or CLEARLY_WORSE in trial.reason else trial.gate
            reasons[gate][trial.reason.partition("\n")[0]] += 1
            steps[gate] += trial.environment_steps
    means = _MEANS | {RACING: "given up early, clearly worse than the best"}
    order = list(GATES[:-1])
    order.insert(order.index("development"), RACING)
    return [
        {
            "gate": gate,
            "means": means.get(gate, ""),
            "count": reasons[gate].total(),
            "environment_steps": steps[gate],
            "reasons": [{"reason": reason, "count": count} for reason, count in reasons[gate].most_common(_EXAMPLES)],
        }
        for gate in order
    ]
