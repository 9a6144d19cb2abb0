"""Text of a probe of an environment for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hl_dsl.base.text import counted
from hl_dsl.cards.text import card_lines, range_text

if TYPE_CHECKING:
    from hl_dsl.cards import Card
    from hl_dsl.synth.environments.probe import Probe

_MOST_COLUMNS = 16  # columns that are listed, the busiest first


def probe_text(probe: Probe, ledger: Path | None, saved: Path | None) -> str:
    """Returns the card and the measurements of a probe, and the card to save if the environment has none.

    Args:
        probe: The probe's result.
        ledger: Where the probe is recorded; None if it is not.
        saved: Where a new card was written; None if none was.
    """
    parts = [card_lines(probe.card), _measurements(probe)]
    if ledger is not None:
        parts[-1].append(f"Recorded in {ledger}.")
    if saved is not None:
        parts.append(
            [f"This environment had no card. Its new card is {saved}: rename or split its observations there."]
        )
    elif not probe.carded:
        from hl_dsl.cards.reader import file_name
        from hl_dsl.cards.writer import card_text

        place = f"cards/{file_name(probe.card.environment)}"
        parts.append(
            [
                f"This environment has no card yet. Write it with --save, or put this into {place}:",
                "",
                card_text(probe.card).rstrip(),
            ]
        )
    return "\n\n".join("\n".join(lines) for lines in parts)


def _measurements(probe: Probe) -> list[str]:
    ended = ""
    if probe.episodes:
        lengths, returns = range_text(probe.lengths, probe.lengths), range_text(probe.returns, probe.returns)
        ended = f" (lengths {lengths}, returns {returns})"
    lives = f"; lives {probe.lives[0]} at the start, {probe.lives[1]} at least" if probe.lives else ""
    kind = "memory" if probe.source == "ram" else "observation"
    steps, episodes = counted(probe.env_steps, "environment step"), counted(probe.episodes, "episode")
    names = {item.column: _name(probe.card, probe.source, item.column) for item in probe.changing}
    width = max(map(len, names.values()), default=0)
    lines = [
        f"Measured with random actions, {probe.protocol}: {steps}, {episodes} ended{ended}",
        f"  reward {probe.reward_low:g} to {probe.reward_high:g}, not zero on {probe.rewarded:.1%} of steps{lives}",
        f"  {len(probe.changing)} of {len(probe.columns)} columns of the {kind} changed; the busiest:",
    ]
    for item in probe.changing[:_MOST_COLUMNS]:
        bounds = f"{item.low:g} to {item.high:g}, changed on {item.changes:.0%} of steps"
        lines.append(f"    {names[item.column]:<{width}}  {bounds}")
    return lines


def _name(card: Card, source: str, column: int) -> str:
    """The name of a column in a policy: of its smallest field, if it has one."""
    names = [
        (len(field.index), field.name if field.size is None else f"{field.name}[{field.index.index(column)}]")
        for field in card.fields.values()
        if field.source == source and column in field.index
    ]
    return min(names)[1] if names else f"column {column}"
