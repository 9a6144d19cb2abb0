"""A probe as people read it."""

from __future__ import annotations

from pathlib import Path

from hl_dsl.base.text import counted
from hl_dsl.cards.text import card_lines, range_text

_MOST_COLUMNS = 16


def probe_text(found, ledger: Path | None, saved: Path | None) -> str:
    """What a probe found, and the card to save where the environment has none. `ledger`: where it was recorded."""
    parts = [card_lines(found.card), _measured_lines(found)]
    if ledger is not None:
        parts[-1].append(f"Recorded in {ledger}.")
    if saved is not None:
        parts.append(
            [f"This environment had no card. It was written to {saved}: rename or split its observations there."]
        )
    elif not found.carded:
        from hl_dsl.cards.reader import file_name
        from hl_dsl.cards.writer import card_text

        parts.append(
            [
                f"This environment has no card yet. Write it with --save, or put this into cards/{file_name(found.card.environment)}:",
                "",
                card_text(found.card).rstrip(),
            ]
        )
    return "\n\n".join("\n".join(lines) for lines in parts)


def _measured_lines(found) -> list[str]:
    ended = (
        f" (lengths {range_text(found.lengths, found.lengths)}, returns {range_text(found.returns, found.returns)})"
        if found.episodes
        else ""
    )
    lives = f"; lives {found.lives[0]} at the start, {found.lives[1]} at least" if found.lives else ""
    changing = found.changing
    names = {seen.column: _name(found.card, found.source, seen.column) for seen in changing}
    lines = [
        f"Measured with random actions, {found.protocol}: {counted(found.env_steps, 'environment step')}, {counted(found.episodes, 'episode')} ended{ended}",
        f"  reward {found.reward_low:g} to {found.reward_high:g}, not zero on {found.rewarded:.1%} of steps{lives}",
        f"  {len(changing)} of {len(found.columns)} columns of the {'memory' if found.source == 'ram' else 'observation'} changed; the busiest:",
    ]
    for seen in changing[:_MOST_COLUMNS]:
        lines.append(
            f"    {names[seen.column]:<{max(map(len, names.values()))}}  {seen.low:g} to {seen.high:g}, changed on {seen.changes:.0%} of steps"
        )
    return lines


def _name(card, source: str, column: int) -> str:
    """A column as a policy writes it: by a name of its own, where it has one."""
    found = [
        (len(field.index), field.name if field.size is None else f"{field.name}[{field.index.index(column)}]")
        for field in card.fields.values()
        if field.source == source and column in field.index
    ]
    return min(found)[1] if found else f"column {column}"
