"""`hl synth --show-prompt`: what a language model would be asked first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hl_dsl.cli.output import show


def show_prompt(file: Path, protocol: str | None, left: dict[str, Any], as_json: bool) -> None:
    """Prints the first prompt; it takes no step and makes no call. `left`: fields of `BudgetLeft`. Raises HLError."""
    from hl_dsl.synth.first_prompt import first_prompt
    from hl_dsl.synth.prompt_parts import BudgetLeft

    prompt = first_prompt(file, protocol, BudgetLeft(**left))
    show({"schema": "hl.prompt/1", "stable": prompt.stable, "variable": prompt.variable, "characters": len(prompt.text)}, prompt.text, as_json)
