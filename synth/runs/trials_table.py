"""Output of `hl trials`: a run's trials as a table, its totals, and the lineage of its best program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.json_values import plain
from hl_dsl.base.text import counted
from hl_dsl.synth.runs.budget_report import budget_lines, budget_rows
from hl_dsl.synth.runs.call_totals import call_totals, calls_line
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.lineage import Ancestor, lineage
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.runs.trial import Trial, proof_summary, trial_name, trial_summary
from hl_dsl.synth.runs.trial_statistics import Cumulative, cumulative, main_setting, run_best, stop_event, totals

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

SCHEMA = "hl.trials/2"
ROWS = 40


@dataclass(frozen=True)
class _LedgerContents:
    """A ledger's trials with what is computed from its other events. `torn_bytes`: bytes of an incomplete last line."""

    path: Path
    trials: list[Trial]
    best: Trial | None
    stop_reason: str | None
    torn_bytes: int
    calls: dict[str, Any] | None
    budgets: list[dict[str, Any]]


def show_trials(run: Path | str, as_json: bool = False, rows: int | None = ROWS) -> dict[str, Any] | Group:
    """Returns the trials of a run folder, or of one `.jsonl` file. Only reads.

    Args:
        run: The folder or the file.
        as_json: Whether to return a document of the schema `hl.trials/2`, which has all trials, instead of text for a
            rich console.
        rows: Most trials in the table, the latest accepted and the latest of all; None for all.

    Raises:
        HLError: There is no ledger.
        LedgerDamaged: A line of it is damaged.
        LedgerUnreadable: It cannot be read.
    """
    ledger = Ledger(ledger_path(Path(run)))
    events = ledger.read()
    trials = [Trial.from_event(event) for event in events if event.get("event") == "trial"]
    contents = _LedgerContents(
        path=ledger.path,
        trials=trials,
        best=run_best(events, trials),
        stop_reason=stop_event(events).get("reason"),
        torn_bytes=len(ledger.torn),
        calls=call_totals(events),
        budgets=budget_rows(events),
    )
    return _as_json(contents) if as_json else _as_text(contents, rows)


def ledger_path(run: Path) -> Path:
    """Returns the ledger of a run folder, or the `.jsonl` file itself. Raises HLError if it does not exist."""
    path = run if run.suffix == ".jsonl" else run / "trials.jsonl"
    try:
        if path.exists():
            return path
    except OSError:
        pass
    raise HLError(
        f"there are no trials at {run}: {path} does not exist",
        "give the folder of a run, such as one that `hl synth` wrote",
    )


def _as_json(contents: _LedgerContents) -> dict[str, Any]:
    trials = contents.trials
    chain = lineage(trials, contents.best)
    setting = main_setting(trials)
    return plain(
        {
            "schema": SCHEMA,
            "ledger": contents.path,
            "environment": setting[0] if setting else None,
            "protocol": setting[1] if setting else None,
            "trials": [_row(entry, position) for position, entry in enumerate(cumulative(trials))],
            "totals": totals(trials, contents.calls),
            "budgets": contents.budgets,
            "stop_reason": contents.stop_reason,
            "best": _best(chain[-1].trial) if chain else None,
            "lineage": [_ancestor(ancestor) for ancestor in chain],
            "torn_bytes": contents.torn_bytes,
        }
    )  # type: ignore[return-value]  # a mapping becomes a dict


def _row(entry: Cumulative, position: int) -> dict[str, Any]:
    """Returns all fields of a trial except its text, with its name, its status and the totals up to it."""
    row = entry.trial.to_event() | {"name": trial_name(entry.trial, position), "status": entry.trial.status}
    del row["event"], row["program"]
    row.update(sequence=entry.trial.sequence, time=entry.trial.time)
    row.update(total_steps=entry.total_steps, total_episodes=entry.total_episodes, best_so_far=entry.best)
    return row


def _best(trial: Trial) -> dict[str, Any]:
    return {
        "sequence": trial.sequence,
        "index": trial.index,
        "program_name": trial.program_name,
        "program_hash": trial.program_hash,
        "mean": trial.mean,
        "min": trial.min,
        "max": trial.max,
        "seeds": trial.seeds,
        "returns": trial.returns,
        "parameters": trial.parameters,
        "program": trial.program,
    }


def _ancestor(ancestor: Ancestor) -> dict[str, Any]:
    trial = ancestor.trial
    return {
        "sequence": trial.sequence,
        "index": trial.index,
        "program_hash": trial.program_hash,
        "mean": trial.mean,
        "change": trial.change,
        "proposer": trial.proposer,
        "crossed_with": ancestor.crossed_with,
        "missing_parent": ancestor.missing_parent,
    }


def _as_text(contents: _LedgerContents, rows: int | None) -> Group:
    from rich.console import Group
    from rich.text import Text

    trials = contents.trials
    if not trials:
        return Group(Text(f"{contents.path}: no trials yet"))
    parts: list[Any] = [
        _title(_setting_text(contents.path, main_setting(trials))),
        _trial_table(trials, rows),
        Text(_totals_line(trials)),
        Text(_gates_line(trials), style="dim"),
    ]
    budgets = budget_lines(contents.budgets)
    parts += [] if contents.calls is None else [Text(calls_line(contents.calls))]
    parts += [Text(f"budgets: {'; '.join(budgets)}")] if budgets else []
    if contents.stop_reason:
        parts.append(Text(f"stopped: {contents.stop_reason}"))
    if contents.torn_bytes:
        text = f"the last line is incomplete after a crash ({contents.torn_bytes} bytes) and is omitted"
        parts.append(Text(text, style="yellow"))
    chain = lineage(trials, contents.best)
    parts += (
        [Text(""), _title(_lineage_title(chain)), _lineage_table(chain)]
        if chain
        else [Text("no accepted trial has a score yet")]
    )
    return Group(*parts)


def _title(text: str) -> Text:
    """Returns a line of its own: rich breaks a table's title at the width of the table."""
    from rich.text import Text

    return Text(text, style="italic")


def _trial_table(trials: list[Trial], rows: int | None) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    setting = main_setting(trials)
    shown = _shown_positions(trials, rows)
    hidden = len(trials) - len(shown)
    caption = f"{hidden:,} more, not shown; --json has all" if hidden else None
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left")
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("steps so far", justify="right", no_wrap=True)
    table.add_column("gate", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("accepted", no_wrap=True)
    table.add_column("change", overflow="fold")
    for position, entry in enumerate(cumulative(trials)):
        if position in shown:
            trial = entry.trial
            cells = (
                trial_name(trial, position),
                f"{entry.total_steps:,}",
                trial.kind if trial.gate is Gate.NONE else trial.gate,
                _score(trial, setting),
                "yes" if trial.accepted else "",
                trial_summary(trial),
            )
            # Text, not markup: a change such as `ram[101]` would be read as a tag.
            table.add_row(*(Text(cell) for cell in cells), style=None if trial.accepted else "dim")
    return table


def _shown_positions(trials: list[Trial], rows: int | None) -> set[int]:
    """Returns the positions of the trials to show: half for the latest accepted, the rest for the latest of all."""
    if rows is None or len(trials) <= rows:
        return set(range(len(trials)))
    accepted = [position for position, trial in enumerate(trials) if trial.accepted]
    shown = set(accepted[-max(1, rows // 2) :])
    latest = (position for position in reversed(range(len(trials))) if position not in shown)
    return shown | {next(latest) for _ in range(max(0, rows - len(shown)))}


def _setting_text(path: Path, setting: tuple[str, str] | None) -> str:
    return str(path) + ("" if setting is None else f": {setting[0]}, {setting[1] or 'its own protocol'}")


def _score(trial: Trial, setting: tuple[str, str] | None) -> str:
    if trial.score is None:
        return "-"
    is_other = (trial.environment, trial.protocol) != setting
    return f"{trial.score:,.1f}" + (f" ({trial.protocol or trial.environment})" if is_other else "")


def _totals_line(trials: Sequence[Trial]) -> str:
    total = totals(trials)
    parts = [
        counted(total["trials"], "trial"),
        counted(total["environment_steps"], "environment step"),
        counted(total["episodes"], "episode"),
        f"{total['accepted']:,} accepted",
        f"{total['rejected']:,} rejected",
        f"{total['cpu_seconds']:,.1f} s CPU",
    ]
    parts += [f"{total['simplified']:,} simplified"] if total["simplified"] else []
    parts += [f"{counted(total['planning_steps'], 'model step')} of planning"] if total["planning_steps"] else []
    parts += [f"{total['tokens']:,} tokens"] if total["tokens"] is not None else []
    parts += [f"cost {total['cost']:,.4f}"] if total["cost"] is not None else []
    return ", ".join(parts)


def _gates_line(trials: Sequence[Trial]) -> str:
    by_gate = totals(trials)["by_gate"]
    stopped = ", ".join(f"{gate} {count:,}" for gate, count in by_gate.items() if count and gate != Gate.ACCEPTED)
    return f"rejected at: {stopped}" if stopped else "nothing was rejected"


def _lineage_title(chain: list[Ancestor]) -> str:
    last = chain[-1].trial
    proof = f" (proof: {proof_summary(last.proof)})" if last.proof else ""
    return f"Lineage of the best program{proof}"


def _lineage_table(chain: list[Ancestor]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("program", no_wrap=True)
    table.add_column("change", overflow="fold")
    for position, ancestor in enumerate(chain):
        trial = ancestor.trial
        change = trial.change or ("start" if position == 0 else trial.program_name)
        if ancestor.crossed_with:
            change += f" (crossed with {', '.join(name[:8] for name in ancestor.crossed_with)})"
        if ancestor.missing_parent:
            change += f" (parent {ancestor.missing_parent[:8]} is not in this ledger)"
        score = "-" if trial.score is None else f"{trial.score:,.1f}"
        table.add_row(*(Text(cell) for cell in (trial_name(trial, position), score, trial.program_hash[:8], change)))
    return table
