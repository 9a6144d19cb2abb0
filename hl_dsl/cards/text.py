"""Text of a card for people and language models."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.cards.model import Card


def card_lines(card: Card) -> list[str]:
    """What a policy can observe, with ranges and units, what it can do, and how long an episode is."""
    lines = [f"{card.environment}: {card.says}", "", "A policy can observe"]
    rows = [
        (
            field.name,
            field.base if field.size is None else f"{field.base}[{field.size}]",
            range_text(field.low, field.high),
            field.unit,
            field.says,
        )
        for field in card.fields.values()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for *cells, says in rows:
        lines.append("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths)) + f"  {says}")
    lines += ["", "and do"]
    action = card.action
    if action.names is not None:
        lines.append(f"  one of {', '.join(action.names)}")
    else:
        lines.append(
            f"  {action.size} number{'s' if action.size > 1 else ''} "
            f"in {range_text(action.low, action.high)} ({action.dtype})"
        )
    solved = f" Solved at a mean return of {card.solved:g}." if card.solved is not None else ""
    clock = f" of {card.time_step:g} s" if card.time_step is not None else ""
    ahead = (
        [] if card.model is None else [f"The model {card.model.file} can be stepped ahead of it: {card.model.says}."]
    )
    return lines + [
        "",
        f"Protocols: {', '.join(card.protocols)}. "
        f"An episode has at most {card.max_episode_steps:,} steps{clock}.{solved}",
        *ahead,
    ]


def range_text(low: Sequence[float], high: Sequence[float]) -> str:
    """From the least to the most."""
    return f"{min(low):.6g} to {max(high):.6g}"
