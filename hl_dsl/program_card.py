"""Environment card of a program."""

from __future__ import annotations

from pathlib import Path

from hl_dsl.base.diagnostics import Diagnostic, ProgramError, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.cards import Card, UnknownEnvironment, load_card
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration
from hl_dsl.program_files import SUFFIX


def find_card(syntax: PolicyDeclaration, source: SourceText) -> Card:
    """Returns the card that the program names. Raises `ProgramError` (HL600) if there is no such card."""
    try:
        return load_card(syntax.environment, Path(source.name) if source.name.endswith((SUFFIX, ".json")) else None)
    except UnknownEnvironment as error:
        span = syntax.environment_span
        near = error.suggestions[0] if error.suggestions else None
        repair = Repair(Span(span.start, span.end), f'"{near}"', f'did you mean "{near}"?') if near else None
        raise ProgramError(
            source,
            [
                Diagnostic(
                    "HL600",
                    f"unknown environment `{syntax.environment}`",
                    span,
                    _label(syntax.environment),
                    expected=tuple(f'"{name}"' for name in error.suggestions[:3]),
                    repair=repair,
                )
            ],
        ) from None


def _label(environment: str) -> str:
    is_plain = environment.translate(str.maketrans("", "", "/-_:.")).isalnum()
    if not is_plain:
        return "no card for this environment"
    condition = "" if ":" in environment else " if EnvPool has it,"
    return f"no card for it;{condition} `hl env {environment} --save` makes one"
