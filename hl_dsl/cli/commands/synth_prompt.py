"""`hl synth --show-prompt`: what a language model would be asked first."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.cli.output.documents import note, show

if TYPE_CHECKING:
    from hl_dsl.synth.rollouts.last_frames import Announced


def show_prompt(file: Path, protocol: str | None, left: dict[str, Any], images: bool, as_json: bool) -> None:
    """Prints the first prompt, and says on stderr what pictures go with it; it takes no step and makes no call. `left`: fields
    of `BudgetLeft`. Raises HLError."""
    from hl_dsl.synth.proposers.prompt.first_prompt import first_prompt
    from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft

    prompt, announced = first_prompt(file, protocol, BudgetLeft(**left))
    show(
        {
            "schema": "hl.prompt/1",
            "stable": prompt.stable,
            "variable": prompt.variable,
            "characters": len(prompt.text),
            "images": asdict(announced) if images and announced is not None else None,
        },
        prompt.text,
        as_json,
    )
    note(_words(announced, images))


def _words(announced: Announced | None, images: bool) -> str:
    if not images:
        return "images: none (--no-images)"
    if announced is None:
        return "images: none; this environment cannot be drawn here"
    return (
        f"images: the trace of the program's worst seed, once it was played, comes with up to {announced.most} frames, one of every {announced.every} "
        f"ticks and the last: PNG, {announced.width} x {announced.height} pixels, about {announced.bytes:,} bytes each (never more than {announced.most_bytes:,})"
    )
