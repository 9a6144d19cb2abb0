"""Proof of the best program, recorded and made again."""

from __future__ import annotations

from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.runs.trial import Trial, proof_summary

_FIELDS = ("id", "kind", "name", "status", "claim", "method", "line", "detail")


def proof_of(trial: Trial, program: Program | None) -> dict[str, Any]:
    """Returns the recorded status of the proof, and the results of the proof as made again by this version.

    The proof takes no environment steps. `results` is None if this version cannot read the program.
    """
    recorded = proof_summary(trial.proof)
    if program is None:
        return {
            "recorded": recorded,
            "passed": None,
            "summary": "not proved again: this version cannot read the program",
            "results": None,
        }
    try:
        proof = program.prove().to_json()
    except HLError as error:
        return {"recorded": recorded, "passed": None, "summary": f"not proved again: {error.message}", "results": None}
    results = [{name: result[name] for name in _FIELDS} for result in proof["results"]]
    return {"recorded": recorded, "passed": proof["passed"], "summary": proof["summary"], "results": results}
