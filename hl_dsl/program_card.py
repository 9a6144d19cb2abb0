"""Environment card of a program."""

from __future__ import annotations

from pathlib import Path

from hl_dsl.base.diagnostics import Diagnostic, ProgramError, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.cards import Card, CardResolver, UnknownEnvironment
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration
from hl_dsl.program_files import SUFFIX


def cards_for(source: SourceText) -> CardResolver:
    """The default search path of a source's card: the folder of its file, if it has one, and the user's folders."""
    if source.name.endswith((SUFFIX, ".json")):
        return CardResolver.for_policy(Path(source.name))
    return CardResolver.of_user()


def find_card(syntax: PolicyDeclaration, source: SourceText, cards: CardResolver) -> Card:
    """Returns the card that the program names. Raises `ProgramError` (HL600) if there is no such card."""
    try:
        return cards.load(syntax.environment)
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
    return f"no card for it; `hl env {environment} --save` makes one if a simulator has it"
