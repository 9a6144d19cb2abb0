"""`hl trials`: a run's trials as a table, its totals, and the lineage of its best program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.synth.runs.budget_report import budget_lines, budget_rows
from hl_dsl.synth.runs.call_totals import call_totals, calls_line
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.lineage import Ancestor, lineage
from hl_dsl.synth.runs.statuses import GATES, Gate, TrialKind
from hl_dsl.synth.runs.trial import (
    Cumulative,
    Trial,
    cumulative,
    main_setting,
    proof_summary,
    run_best,
    stop_event,
    trials_of,
    violations,
)

from hl_dsl.base.errors import HLError
from hl_dsl.base.json_values import plain
from hl_dsl.base.text import counted

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

SCHEMA = "hl.trials/2"
ROWS = 40


def show_trials(run: Path | str, as_json: bool = False, rows: int | None = ROWS) -> dict[str, Any] | Group:
    """The trials of a run folder (or of one `.jsonl` file): a plain dict with `"schema": "hl.trials/2"` where
    `as_json`, else something to hand to a rich console. The table shows accepted and late trials first, at most
    `rows` of them (None: all), and says how many it leaves out; the dict holds all.

    Only reads. Raises HLError where there is no ledger, LedgerDamaged and LedgerUnreadable.
    """
    path = ledger_path(Path(run))
    ledger = Ledger(path)
    events = ledger.read()
    trials = trials_of(events)
    stopped = stop_event(events).get("reason")
    calls, budgets = call_totals(events), budget_rows(events)
    if as_json:
        return _as_json(path, trials, run_best(events, trials), stopped, len(ledger.torn), calls, budgets)
    return _as_text(
        path, trials, run_best(events, trials), stopped, len(ledger.torn), rows, calls, budget_lines(budgets)
    )


def ledger_path(run: Path) -> Path:
    """The ledger of a run folder, or the `.jsonl` file itself. Raises HLError where there is none."""
    path = run if run.suffix == ".jsonl" else run / "trials.jsonl"
    try:
        if path.exists():
            return path
    except OSError:
        pass
    raise HLError(
        f"there are no trials at {run}: {path} does not exist",
        "Give the folder of a run, such as one `hl synth` wrote.",
    )


def totals(trials: Sequence[Trial], calls: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the trials cost together, and how many candidates stopped at each gate. With the totals of `calls`, tokens and
    cost are those of all calls, also of ones that brought no trial."""
    # What nobody proposed passed no gate: a search's own count of what it accepted leaves it out as well.
    simplified = sum(trial.kind == TrialKind.SIMPLIFY for trial in trials)
    gates = Counter(trial.gate for trial in trials if trial.kind != TrialKind.SIMPLIFY)
    candidates = len(trials) - simplified - gates[Gate.NONE]
    tokens = [trial.tokens for trial in trials if trial.tokens is not None]
    cost = [trial.cost for trial in trials if trial.cost is not None]
    return {
        "trials": len(trials),
        "environment_steps": sum(trial.environment_steps for trial in trials),
        "planning_steps": sum(trial.planning.get("steps", 0) for trial in trials),
        "episodes": sum(trial.episodes for trial in trials),
        "accepted": gates[Gate.ACCEPTED],
        "rejected": candidates - gates[Gate.ACCEPTED],
        "simplified": simplified,
        "not_candidates": gates[Gate.NONE],
        "by_gate": {gate: gates[gate] for gate in GATES},
        "cpu_seconds": sum(trial.cpu_seconds for trial in trials),
        "wall_seconds": sum(trial.wall_seconds for trial in trials),
        "tokens": calls["tokens"] if calls else sum(tokens) if tokens else None,
        "cost": calls["cost"] if calls else sum(cost) if cost else None,
        "calls": calls,
    }


def _as_json(
    path: Path,
    trials: list[Trial],
    best: Trial | None,
    stopped: str | None,
    torn_bytes: int,
    calls: dict[str, Any] | None,
    budgets: list[dict[str, Any]],
) -> dict[str, Any]:
    chain = lineage(trials, best)
    setting = main_setting(trials)
    document = {
        "schema": SCHEMA,
        "ledger": path,
        "environment": setting[0] if setting else None,
        "protocol": setting[1] if setting else None,
        "trials": [_row(entry, place) for place, entry in enumerate(cumulative(trials))],
        "totals": totals(trials, calls),
        "budgets": budgets,
        "stop_reason": stopped,
        "best": _best(chain[-1].trial) if chain else None,
        "lineage": [_ancestor(ancestor) for ancestor in chain],
        "torn_bytes": torn_bytes,
    }
    return plain(document)  # type: ignore[return-value]


def _row(entry: Cumulative, place: int) -> dict[str, Any]:
    """Everything about a trial but its text, which the ledger has; with the name it goes by and the totals after it."""
    row = entry.trial.to_event() | {"name": trial_name(entry.trial, place)}
    del row["event"], row["program"]
    row.update(sequence=entry.trial.sequence, time=entry.trial.time)
    row.update(total_steps=entry.total_steps, total_episodes=entry.total_episodes, best_so_far=entry.best)
    return row


def _best(trial: Trial) -> dict[str, Any]:
    names = (
        "sequence",
        "index",
        "program_name",
        "program_hash",
        "mean",
        "min",
        "max",
        "seeds",
        "returns",
        "parameters",
        "program",
    )
    return {name: getattr(trial, name) for name in names}


def _ancestor(ancestor: Ancestor) -> dict[str, Any]:
    names = ("sequence", "index", "program_hash", "mean", "change", "proposer")
    row = {name: getattr(ancestor.trial, name) for name in names}
    return row | {"crossed_with": ancestor.crossed_with, "missing_parent": ancestor.missing_parent}


def _as_text(
    path: Path,
    trials: list[Trial],
    best: Trial | None,
    stopped: str | None,
    torn_bytes: int,
    rows: int | None,
    calls: dict[str, Any] | None,
    budgets: list[str],
) -> Group:
    from rich.console import Group
    from rich.text import Text

    if not trials:
        return Group(Text(f"{path}: no trials yet"))
    parts: list[Any] = [
        _title(_setting_text(path, main_setting(trials))),
        _trial_table(trials, rows),
        Text(_totals_line(trials)),
        Text(_gates_line(trials), style="dim"),
    ]
    parts += [] if calls is None else [Text(calls_line(calls))]
    parts += [Text(f"budgets: {'; '.join(budgets)}")] if budgets else []
    if stopped:
        parts.append(Text(f"stopped: {stopped}"))
    if torn_bytes:
        parts.append(
            Text(f"the last line was cut short by a crash ({torn_bytes} bytes) and is left out", style="yellow")
        )
    chain = lineage(trials, best)
    parts += (
        [Text(""), _title(_lineage_text(chain)), _lineage_table(chain)]
        if chain
        else [Text("no accepted trial has a score yet")]
    )
    return Group(*parts)


def _title(text: str) -> Text:
    """A line of its own: a table would break its title at its own width."""
    from rich.text import Text

    return Text(text, style="italic")


def _trial_table(trials: list[Trial], rows: int | None) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    setting = main_setting(trials)
    shown = _chosen(trials, rows)
    left_out = len(trials) - len(shown)
    caption = f"{left_out:,} more, not shown; --json has all" if left_out else None
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left")
    for name, justify in (
        ("trial", "right"),
        ("steps so far", "right"),
        ("gate", "left"),
        ("score", "right"),
        ("accepted", "left"),
    ):
        table.add_column(name, justify=justify, no_wrap=True)
    table.add_column("what changed", overflow="fold")
    for place, entry in enumerate(cumulative(trials)):
        if place in shown:
            trial = entry.trial
            gate = trial.kind if trial.gate == Gate.NONE else trial.gate
            accepted = "yes" if trial.accepted else ""
            cells = (
                trial_name(trial, place),
                f"{entry.total_steps:,}",
                gate,
                _score(trial, setting),
                accepted,
                trial_summary(trial),
            )
            # Text, never markup: a change such as `ram[101]` would read as a tag.
            table.add_row(*(Text(cell) for cell in cells), style=None if trial.accepted else "dim")
    return table


def _chosen(trials: list[Trial], rows: int | None) -> set[int]:
    """The places of the trials to show: half for the latest accepted, the rest for the latest of all."""
    if rows is None or len(trials) <= rows:
        return set(range(len(trials)))
    accepted = [place for place, trial in enumerate(trials) if trial.accepted]
    chosen = set(accepted[-max(1, rows // 2) :])
    latest = (place for place in reversed(range(len(trials))) if place not in chosen)
    return chosen | {next(latest) for _ in range(max(0, rows - len(chosen)))}


def _setting_text(path: Path, setting: tuple[str, str] | None) -> str:
    return str(path) + ("" if setting is None else f": {setting[0]}, {setting[1] or 'its own protocol'}")


def trial_name(trial: Trial, place: int) -> str:
    """What a trial goes by: its number, or else its place in the ledger; with its kind where nobody proposed it, so that it has none."""
    if trial.kind == TrialKind.SIMPLIFY and trial.sequence is not None:
        return f"{TrialKind.SIMPLIFY} {trial.sequence}"
    return str(trial.index if trial.index is not None else trial.sequence if trial.sequence is not None else place + 1)


def _score(trial: Trial, setting: tuple[str, str] | None) -> str:
    if trial.score is None:
        return "-"
    other = (trial.environment, trial.protocol) != setting
    return f"{trial.score:,.1f}" + (f" ({trial.protocol or trial.environment})" if other else "")


def trial_summary(trial: Trial) -> str:
    """What was changed and, for a rejection, why it stopped; with what qualifies the proof."""
    parts = [trial.change or trial.program_name]
    if not trial.accepted and trial.reason:
        parts.append(trial.reason.partition("\n")[0])
    counted = (
        ("observations out of range", trial.out_of_range),
        ("assumption violated", trial.assumption_violations),
        ("monitor violated", trial.monitor_violations),
        ("proved invariant violated", trial.invariant_violations),
        ("planned futures that came to no number", trial.planning.get("diverged", 0)),
        ("ticks without a plan", trial.planning.get("blind", 0)),
    )
    parts += [f"{name}: {violations(counts):,}" for name, counts in counted if violations(counts)]
    return " · ".join(part for part in parts if part)


def _totals_line(trials: list[Trial]) -> str:
    total = totals(trials)
    text = (
        f"{counted(total['trials'], 'trial')}, {counted(total['environment_steps'], 'environment step')}, {counted(total['episodes'], 'episode')}, "
        f"{total['accepted']:,} accepted, {total['rejected']:,} rejected, {total['cpu_seconds']:,.1f} s CPU"
    )
    text += f", {total['simplified']:,} simplified" if total["simplified"] else ""
    text += f", {counted(total['planning_steps'], 'step')} of models to plan" if total["planning_steps"] else ""
    text += f", {total['tokens']:,} tokens" if total["tokens"] is not None else ""
    return text + (f", cost {total['cost']:,.4f}" if total["cost"] is not None else "")


def _gates_line(trials: list[Trial]) -> str:
    by_gate = totals(trials)["by_gate"]
    stopped = ", ".join(f"{gate} {count:,}" for gate, count in by_gate.items() if count and gate != Gate.ACCEPTED)
    return f"rejected at: {stopped}" if stopped else "nothing was rejected"


def _lineage_text(chain: list[Ancestor]) -> str:
    last = chain[-1].trial
    proof = f" (its proof: {proof_summary(last.proof)})" if last.proof else ""
    return f"How the best program came about{proof}"


def _lineage_table(chain: list[Ancestor]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name, justify in (("trial", "right"), ("score", "right"), ("program", "left")):
        table.add_column(name, justify=justify, no_wrap=True)
    table.add_column("what changed", overflow="fold")
    for place, ancestor in enumerate(chain):
        trial = ancestor.trial
        change = trial.change or ("start" if place == 0 else trial.program_name)
        if ancestor.crossed_with:
            change += f" (crossed with {', '.join(name[:8] for name in ancestor.crossed_with)})"
        if ancestor.missing_parent:
            change += f" (its parent {ancestor.missing_parent[:8]} is not in this ledger)"
        score = "-" if trial.score is None else f"{trial.score:,.1f}"
        table.add_row(*(Text(cell) for cell in (trial_name(trial, place), score, trial.program_hash[:8], change)))
    return table
