"""Accepted steps of a run: proposer, reason and diff of each accepted program."""

from __future__ import annotations

from typing import Any

from hl_dsl.synth.report.contents.program_text import display_text, unified_diff_lines
from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.runs.call_totals import ANSWERED
from hl_dsl.synth.runs.trial import Trial, proof_summary, violations


def first_of_each(run: ReportedRun) -> dict[str, Trial]:
    """Returns each program's trial by hash: its first accepted one, else its first."""
    known: dict[str, Trial] = {}
    for trial in run.candidates:
        if trial.program_hash and (
            trial.program_hash not in known or trial.accepted and not known[trial.program_hash].accepted
        ):
            known[trial.program_hash] = trial
    return known


def accepted_steps(run: ReportedRun) -> list[dict[str, Any]]:
    """Returns one entry for each accepted program, in the order of the ledger.

    `diff` is against the first parent; None if there is no parent or the ledger does not hold it.
    """
    programs = first_of_each(run)
    comments = _comments(run)
    steps = []
    for trial in programs.values():
        if trial.accepted:
            parent = programs.get(trial.parent_hashes[0]) if trial.parent_hashes else None
            steps.append(_step(trial, parent, programs, comments.get(trial.index, "")))
    return sorted(steps, key=lambda step: step["sequence"] or 0)


def _step(trial: Trial, parent: Trial | None, programs: dict[str, Trial], said: str) -> dict[str, Any]:
    text = display_text(trial.program)
    others = [name_of(programs[parent]) if parent in programs else parent for parent in trial.parent_hashes[1:]]
    diff = (
        None
        if parent is None
        else unified_diff_lines(display_text(parent.program), text, name_of(parent), name_of(trial))
    )
    return {
        "name": name_of(trial),
        "trial": trial.index,
        "sequence": trial.sequence,
        "kind": trial.kind,
        "program_hash": trial.program_hash,
        "parent": None if parent is None else name_of(parent),
        "parent_hashes": list(trial.parent_hashes),
        "crossed_with": others,
        "score": trial.score,
        "proposer": trial.proposer,
        "model": trial.model,
        "change": trial.change,
        "reason": trial.reason,
        "said": said,
        "tokens": trial.tokens,
        "cost": trial.cost,
        "environment_steps": trial.environment_steps,
        "proof": proof_summary(trial.proof),
        "assumption_violations": violations(trial.assumption_violations),
        "monitor_violations": violations(trial.monitor_violations),
        "diff": diff,
        "program": text,
    }


def name_of(trial: Trial) -> str:
    """Returns a name such as `trial 12`; a trial without an index is named by its kind and sequence number."""
    return f"{trial.kind} {trial.sequence}" if trial.index is None else f"trial {trial.index}"


def _comments(run: ReportedRun) -> dict[int | None, str]:
    """Returns the comments of models and agents on their programs, by the trial's index."""
    return {
        event["trial"]: str(event.get("said") or "")
        for event in run.events
        if event.get("event") == "call" and event.get("outcome") == ANSWERED and "trial" in event
    }
