"""The first prompt of a study, before anything was played."""

from __future__ import annotations

from pathlib import Path

from hl_dsl.synth.environments.protocols import protocol_options
from hl_dsl.synth.proposers.prompt.prompt import BuiltPrompt, build_prompt
from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft, PromptParts, ShownProgram
from hl_dsl.synth.rollouts.last_frames import Announced, announced

from hl_dsl.program import Program


def first_prompt(path: Path | str, protocol: str | None, budget: BudgetLeft) -> tuple[BuiltPrompt, Announced | None]:
    """What a proposer that reads would be asked first about the program at `path`, and what pictures go with it once that was
    played. Takes no environment step and makes no call. Raises HLError: the program's file, an unknown protocol."""
    program = Program.load(path)
    program.flow  # a program that does not check has nothing to be asked about
    protocol = protocol or program.card.protocols[0]
    protocol_options(program.card, protocol)
    built = build_prompt(
        PromptParts(program.card, protocol, ShownProgram(program.source.text or program.text), budget=budget)
    )
    return built, announced(program.card, protocol)
