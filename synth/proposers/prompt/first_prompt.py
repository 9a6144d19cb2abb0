"""The first prompt of a study, before any program is evaluated."""

from __future__ import annotations

from pathlib import Path

from hl_dsl.program import Program
from hl_dsl.synth.environments.protocols import protocol_options
from hl_dsl.synth.proposers.prompt.prompt import BuiltPrompt, build_prompt
from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft, PromptParts, ShownProgram
from hl_dsl.synth.rollouts.last_frames import PictureFormat, picture_format


def first_prompt(
    path: Path | str, protocol: str | None, budget: BudgetLeft
) -> tuple[BuiltPrompt, PictureFormat | None]:
    """Returns the first prompt about the program at `path`, and the pictures that it will hold later.

    The pictures exist after the program's first evaluation. This function takes no environment step and makes no call.
    `protocol` None means the first protocol of the environment.

    Raises:
        HLError: The program cannot be read or has errors, or the protocol is unknown.
    """
    program = Program.load(path)
    _ = program.flow  # raises ProgramError: a program with errors has no prompt
    protocol = protocol or program.card.protocols[0]
    protocol_options(program.card, protocol)
    built = build_prompt(
        PromptParts(program.card, protocol, ShownProgram(program.source.text or program.text), budget=budget)
    )
    return built, picture_format(program.card, protocol)
