"""Text of a trial's program, also if the ledger has only its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hl_dsl.cards import CardResolver
from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.program import Program
from hl_dsl.synth.candidates.parameter_values import syntax_with
from hl_dsl.synth.evaluation.policy_header import without_measured
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial


def text_of(trial: Trial, trials: Sequence[Trial], cards: CardResolver | None = None) -> str:
    """A trial's program: its own text, or that of the program it tuned, with its parameters as defaults.

    Empty if the ledger has neither.

    Raises:
        HLError: This version cannot read the tuned program.
    """
    if trial.program or trial.kind is not TrialKind.TUNE:
        return trial.program
    start = next(
        (parent.program for parent in trials if parent.program and parent.program_hash in trial.parent_hashes), ""
    )
    if not start:
        return ""
    return text_with(Program.parse(start, cards=cards), trial.parameters)


def text_with(program: Program, values: Mapping[str, int | float | bool]) -> str:
    """A program's text with other defaults, without its header, which describes another program."""
    return without_measured(format_policy(syntax_with(program.syntax, program.flow, values)))
