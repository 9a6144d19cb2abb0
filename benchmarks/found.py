"""Keeps the best program of a run of `hl synth` as a policy: `python -m benchmarks.found RUN POLICY`.

The policy gets its file's name; what the run came to goes into the ledger beside it, as one event. `make scores` then plays
it on held-out seeds.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from hl_dsl.format import format_policy
from hl_dsl.program import Program
from hl_dsl.synth.evaluation import ledger_beside
from hl_dsl.synth.ledger import Ledger
from hl_dsl.synth.trials import cumulative, trials_of


def keep(run: Path, policy: Path) -> None:
    """Writes the policy and the event."""
    settings = json.loads((run / "run.json").read_text(encoding="utf-8"))
    program = Program.load(run / "best.hl")
    trials = [trial for trial in trials_of(Ledger(run / "trials.jsonl").read()) if trial.kind == "search"]
    steps = [(entry.total_steps, entry.best) for entry in cumulative(trials) if entry.best is not None]
    best = steps[-1][1]
    seeds = settings["seeds"]
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"development seeds {seeds[0]}..{seeds[-1]}"
    text = format_policy(replace(program.syntax, name=policy.stem))
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#")]
    policy.write_text(f"# Found by `hl synth` from start.hl (run seed {settings['run_seed']}, {shown}).\n" + "".join(lines), encoding="utf-8")
    ledger_beside(policy).append({
        "event": "search", "program_hash": Program.load(policy).hash, "run_seed": settings["run_seed"], "proposer": settings["proposer"],
        "protocol": settings["protocol"], "seeds": seeds, "score": best, "steps_to_score": next(at for at, score in steps if score == best),
        "environment_steps": sum(trial.environment_steps for trial in trials), "programs": len(trials)})
    print(f"{policy}: {best:g}")


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
