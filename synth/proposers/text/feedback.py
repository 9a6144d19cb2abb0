"""What a proposer that reads is told: the parts of a prompt, from what the study knows."""

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
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial

LAST_TICKS = 24


def parts_of(
    situation: SearchContext, parent: Structure, refused: GateResult | None, budget: Budget | None, told: int
) -> PromptParts:
    """`refused`: the proposal before, where it is to be mended. `told`: how many programs were proposed since the
    situation was taken."""
    ranked = situation.archive.ranked()
    others = [one for one in ranked[2:] if one is not parent]
    return PromptParts(
        card=situation.gates.card,
        protocol=situation.protocol,
        parent=_shown(parent),
        best=tuple(_shown(one) for one in ranked[:2]),
        different=_shown(_different(parent, others, situation.archive.behaviours)) if others else None,
        worst=_worst(situation, parent),
        counterexample=None if refused is None else _counterexample(refused),
        refusal="" if refused is None else _refusal(refused),
        failed=tuple(_failed(one) for one in _in_vain(situation.recent)),
        budget=_left(budget, situation.most, told),
    )


def _shown(structure: Structure) -> ShownProgram:
    return ShownProgram(structure.checked.program.text, structure.best.score, f"trial {structure.best.trial}")


def _different(parent: Structure, others: Sequence[Structure], behaviours: Mapping[str, Hashable]) -> Structure:
    """The best of the others that behaves unlike the parent (see behaviour.py). Where none does, among the best eight the one
    whose size differs most from the parent's: the likeliest to be another idea."""
    own = behaviours.get(parent.key)
    unlike = next((one for one in others if own is not None and behaviours.get(one.key) not in (None, own)), None)
    return (
        unlike
        if unlike is not None
        else max(others[:8], key=lambda one: (abs(one.size - parent.size), -one.best.trial))
    )


def _refusal(refused: GateResult) -> str:
    proposal = refused.proposal
    if type(proposal) is not Rejected:
        return ""
    return f"Your last program stopped at the gate `{proposal.rejection.gate}`:\n\n{proposal.text.rstrip()}\n\n{proposal.rejection.reason}"


def _in_vain(recent: Sequence[Trial]) -> list[Trial]:
    tried = [
        trial for trial in reversed(recent) if not trial.accepted and trial.kind is TrialKind.SEARCH and trial.change
    ]
    return tried[:MOST_FAILED]


def _failed(trial: Trial) -> FailedDirection:
    reason = trial.reason.splitlines()[0] if trial.reason else ""
    return FailedDirection(trial.change, f"{trial.gate}: {reason}")


def _left(budget: Budget | None, most: int | None, told: int) -> BudgetLeft:
    if budget is None:
        return BudgetLeft()
    return BudgetLeft(
        budget.steps_left,
        None if most is None else most - told,
        budget.tokens_left,
        budget.cost_left,
        budget.seconds_left,
    )


# tables


def _counterexample(refused: GateResult) -> Table | None:
    if refused.proof is None:
        return None
    for result in refused.proof.results:
        if result.trace:
            rows = [_flat(entry) for entry in result.trace]
            return _table(f"{result.status}: {result.id}. {result.claim}", rows[-LAST_TICKS:])
    return None


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in entry.items():
        if name == "out_of_range":
            continue
        row.update(value if isinstance(value, dict) else {name: value})
    return row


def _worst(situation: SearchContext, parent: Structure) -> Table | None:
    """The end of the parent's worst development episode."""
    episodes = situation.episodes(parent)
    if not episodes:
        return None
    seed = min(episodes, key=lambda one: (episodes[one][0], one))
    value, recording = episodes[seed]
    return replace(episode_table(parent.checked.flow, seed, value, recording), pictures=recording.pictures)


def episode_table(flow: Dataflow, seed: int, value: float, recording: Recording, last: int = LAST_TICKS) -> Table:
    """The last ticks of a recorded episode, as the interpreter sees them."""
    rows = _last_ticks(flow, recording, last)
    return _table(f"seed {seed}: return {value:g} after {len(recording):,} ticks; its last {len(rows)} ticks", rows)


def _last_ticks(flow: Dataflow, recording: Recording, last: int) -> list[dict[str, Any]]:
    first = max(0, len(recording) - last)
    # What remembers must see the episode from its beginning; nothing else need.
    rows = []
    for tick, frame, shown in replayed(flow, recording, 0 if flow.memories else first, len(recording)):
        if tick >= first:
            rows.append({"tick": tick, **_flat(describe_tick(flow, shown)), "reward": float(frame.reward[0])})
    return rows


def _table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return Table(title, columns, tuple(tuple(_text(row.get(name, "")) for name in columns) for row in rows))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
