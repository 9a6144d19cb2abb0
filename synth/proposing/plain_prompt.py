"""A prompt of its parts, without frills."""

from __future__ import annotations

from typing import Iterator

from hl_dsl.synth.prompt_parts import PromptParts, Shown, Table
from hl_dsl.synth.proposing.writer import Prompt


def plain_prompt(parts: PromptParts) -> Prompt:
    """See `PromptParts`."""
    stable = "\n\n".join(_stable(parts))
    pictures = tuple(one for table in (parts.worst, parts.counterexample) if table is not None for one in table.pictures)
    return Prompt(stable, "\n\n".join(_variable(parts)), pictures, parts)


def _stable(parts: PromptParts) -> Iterator[str]:
    yield (f"You improve a controller for {parts.card.environment}, written in the language HL, under the protocol `{parts.protocol}`. "
           f"{parts.task} Answer with one whole program. Begin it with one comment line that says what you changed and why.")
    if parts.language is not None:
        yield parts.language


def _variable(parts: PromptParts) -> Iterator[str]:
    yield _program("The program to improve", parts.parent)
    for one in parts.best:
        if one.text != parts.parent.text:
            yield _program("One of the best programs so far", one)
    if parts.different is not None:
        yield _program("A program of another kind", parts.different)
    if parts.worst is not None:
        yield _ticks("Where it does worst", parts.worst)
    if parts.failed:
        yield "Tried in vain:\n" + "\n".join(f"- {one.change}: {one.reason}" for one in parts.failed)
    left = [f"{value:,} {name}" for name, value in (
        ("environment steps", parts.budget.environment_steps), ("programs", parts.budget.programs), ("tokens", parts.budget.tokens)) if value is not None]
    if left:
        yield "Left to spend: " + ", ".join(left)
    if parts.refusal:
        yield parts.refusal
    if parts.counterexample is not None:
        yield _ticks("The counterexample", parts.counterexample)


def _program(what: str, shown: Shown) -> str:
    score = "" if shown.score is None else f" (score {shown.score:g})"
    return f"{what}{score}:\n```\n{shown.text.rstrip()}\n```"


def _ticks(what: str, table: Table) -> str:
    return "\n".join([f"{what}: {table.title}", " | ".join(table.columns), *(" | ".join(row) for row in table.rows)])
