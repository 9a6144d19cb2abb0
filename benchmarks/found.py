"""Copy of the best program of a run of `hl synth` to a policy file: `python -m benchmarks.found RUN POLICY`.

The policy is named after its file. The result of the run is appended as one event to the ledger next to it.
`make scores` then evaluates the policy on held-out seeds.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.program import Program
from hl_dsl.synth.evaluation.evaluate import policy_ledger
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trial import trials_of
from hl_dsl.synth.runs.trial_statistics import cumulative


def summary(run: Path, program_hash: str) -> dict[str, Any]:
    """Returns the result of a run as an event of a ledger."""
    settings = json.loads((run / "run.json").read_text(encoding="utf-8"))
    trials = [trial for trial in trials_of(Ledger(run / "trials.jsonl").read()) if trial.kind == "search"]
    steps = [(entry.total_steps, entry.best) for entry in cumulative(trials) if entry.best is not None]
    best = steps[-1][1]
    return {
        "event": "search",
        "program_hash": program_hash,
        "run_seed": settings["run_seed"],
        "proposer": settings["proposer"],
        "protocol": settings["protocol"],
        "seeds": settings["seeds"],
        "score": best,
        "steps_to_score": next(at for at, score in steps if score == best),
        "environment_steps": sum(trial.environment_steps for trial in trials),
        "programs": len(trials),
    }


def keep(run: Path, policy: Path) -> None:
    """Writes the policy and the event of its run."""
    event = summary(run, "")
    seeds = event["seeds"]
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"development seeds {seeds[0]}..{seeds[-1]}"
    text = format_policy(replace(Program.load(run / "best.hl").syntax, name=policy.stem))
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#")]
    policy.write_text(
        f"# Found by `hl synth` from start.hl (run seed {event['run_seed']}, {shown}).\n" + "".join(lines),
        encoding="utf-8",
    )
    policy_ledger(policy).append(event | {"program_hash": Program.load(policy).hash})
    print(f"{policy}: {event['score']:g}")


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
