"""Feedback of a study for writers: the parts of a prompt, built from the search context."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.proposer import Rejected, SearchContext
from hl_dsl.synth.proposers.prompt.prompt import MOST_FAILED
from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft, FailedDirection, PromptParts, ShownProgram, Table
from hl_dsl.synth.proposers.text.text_gates import GateResult
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.trace import describe_tick, replayed
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial

LAST_TICKS = 24  # rows of a table of an episode
_MOST_COMPARED = 8  # best structures among which one of another size is chosen


def build_parts(
    context: SearchContext, parent: Structure, rejected: GateResult | None, proposed_count: int
) -> PromptParts:
    """Builds the parts of a prompt.

    Args:
        context: State of the search.
        parent: Structure that the writer improves.
        rejected: The previous proposal, if the writer repairs it.
        proposed_count: Number of programs proposed since `context` was made.
    """
    ranked = context.archive.ranked()
    others = [structure for structure in ranked[2:] if structure is not parent]
    different = different_structure(parent, others, context.archive.behaviours) if others else None
    return PromptParts(
        card=context.gates.card,
        protocol=context.protocol,
        parent=_shown(parent),
        best=tuple(_shown(structure) for structure in ranked[:2]),
        different=None if different is None else _shown(different),
        worst=_worst_episode(context, parent),
        counterexample=None if rejected is None else _counterexample(rejected),
        rejection="" if rejected is None else _rejection_text(rejected),
        failed=tuple(failed_direction(trial) for trial in _failed_trials(context.recent)),
        budget=_budget_left(context, proposed_count),
    )


def _shown(structure: Structure) -> ShownProgram:
    return ShownProgram(structure.checked.program.text, structure.best.score, f"trial {structure.best.trial}")


def different_structure(
    parent: Structure, others: Sequence[Structure], behaviours: Mapping[str, Hashable]
) -> Structure:
    """Returns the best of the other structures whose behaviour differs from the parent's (see `behaviour.py`).

    If none differs, returns the structure among the best eight whose size differs most from the parent's.
    """
    own = behaviours.get(parent.key)
    for structure in others:
        if own is not None and behaviours.get(structure.key) not in (None, own):
            return structure
    return max(
        others[:_MOST_COMPARED], key=lambda structure: (abs(structure.size - parent.size), -structure.best.trial)
    )


def _rejection_text(rejected: GateResult) -> str:
    proposal = rejected.proposal
    if not isinstance(proposal, Rejected):
        return ""
    rejection = proposal.rejection
    return f"The gate `{rejection.gate}` rejected your last program:\n\n{proposal.text.rstrip()}\n\n{rejection.reason}"


def _failed_trials(recent: Sequence[Trial]) -> list[Trial]:
    failed = [
        trial for trial in reversed(recent) if not trial.accepted and trial.kind is TrialKind.SEARCH and trial.change
    ]
    return failed[:MOST_FAILED]


def failed_direction(trial: Trial) -> FailedDirection:
    """Returns the change of a rejected trial and the first line of the reason."""
    reason = trial.reason.splitlines()[0] if trial.reason else ""
    return FailedDirection(trial.change, f"{trial.gate}: {reason}")


def _budget_left(context: SearchContext, proposed_count: int) -> BudgetLeft:
    budget = context.budget
    if budget is None:
        return BudgetLeft()
    return BudgetLeft(
        budget.steps_left,
        None if context.most is None else context.most - proposed_count,
        budget.tokens_left,
        budget.cost_left,
        budget.seconds_left,
    )


# tables


def _counterexample(rejected: GateResult) -> Table | None:
    if rejected.proof is None:
        return None
    for result in rejected.proof.results:
        if result.trace:
            rows = [_flat(entry) for entry in result.trace]
            return _table(f"{result.status}: {result.id}. {result.claim}", rows[-LAST_TICKS:])
    return None


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in entry.items():
        if name == "out_of_range":
            continue
        row.update(value if isinstance(value, dict) else {name: value})
    return row


def _worst_episode(context: SearchContext, parent: Structure) -> Table | None:
    """The end of the parent's worst episode on the development seeds."""
    episodes = context.episodes(parent)
    if not episodes:
        return None
    seed = min(episodes, key=lambda seed: (episodes[seed][0], seed))
    value, recording = episodes[seed]
    return replace(episode_table(parent.checked.flow, seed, value, recording), pictures=recording.pictures)


def episode_table(flow: Dataflow, seed: int, value: float, recording: Recording, last: int = LAST_TICKS) -> Table:
    """Returns the last ticks of a recorded episode, as the interpreter evaluates them.

    Args:
        flow: Program that is evaluated on the recorded observations.
        seed: Seed of the episode.
        value: Return of the episode.
        recording: Recorded observations and rewards.
        last: Number of ticks.
    """
    rows = _last_ticks(flow, recording, last)
    return _table(f"seed {seed}: return {value:g} after {len(recording):,} ticks; its last {len(rows)} ticks", rows)


def _last_ticks(flow: Dataflow, recording: Recording, last: int) -> list[dict[str, Any]]:
    first = max(0, len(recording) - last)
    # A program with memory must be evaluated from the start of the episode; others need the last ticks only.
    rows = []
    for tick, frame, result in replayed(flow, recording, 0 if flow.memories else first, len(recording)):
        if tick >= first:
            rows.append({"tick": tick, **_flat(describe_tick(flow, result)), "reward": float(frame.reward[0])})
    return rows


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return Table(title, columns, tuple(tuple(_text(row.get(name, "")) for name in columns) for row in rows))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
