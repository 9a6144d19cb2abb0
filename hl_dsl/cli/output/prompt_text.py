"""Output of `hl synth --show-prompt`: the first prompt for a language model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.cli.output.documents import note, show

if TYPE_CHECKING:
    from hl_dsl.synth.rollouts.last_frames import PictureFormat


def show_first_prompt(file: Path, protocol: str | None, left: dict[str, Any], images: bool, as_json: bool) -> None:
    """Prints the first prompt, and on stderr which images go with it. Takes no step and makes no call.

    Args:
        file: The initial program.
        protocol: The protocol; None: the environment's first.
        left: Fields of `BudgetLeft`.
        images: Whether the prompt may have images.
        as_json: Whether the prompt is printed as JSON.

    Raises:
        HLError: The program or the protocol is invalid.
    """
    from hl_dsl.synth.proposers.prompt.first_prompt import first_prompt
    from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft

    prompt, picture_format = first_prompt(file, protocol, BudgetLeft(**left))
    document = {
        "schema": "hl.prompt/1",
        "stable": prompt.stable,
        "variable": prompt.variable,
        "characters": len(prompt.text),
        "images": asdict(picture_format) if images and picture_format is not None else None,
    }
    show(document, prompt.text, as_json)
    note(_images_text(picture_format, images))


def _images_text(picture_format: PictureFormat | None, images: bool) -> str:
    if not images:
        return "images: none (--no-images)"
    if picture_format is None:
        return "images: none; this environment cannot be rendered here"
    return (
        f"images: the trace of the program's worst seed comes with up to {picture_format.most} frames, one every"
        f" {picture_format.every} ticks and the last: PNG, {picture_format.width} x {picture_format.height} pixels,"
        f" about {picture_format.bytes:,} bytes each (at most {picture_format.most_bytes:,})"
    )
