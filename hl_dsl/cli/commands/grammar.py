"""`hl grammar`: the grammar for constrained decoding of programs for one environment."""

from __future__ import annotations

from typing import Annotated

import typer

from hl_dsl.cli.output.documents import Json, show


def grammar(
    environment: Annotated[
        str,
        typer.Argument(metavar="ENV-ID", help="An environment with a card, such as Breakout-v5.", show_default=False),
    ],
    json: Json = False,
) -> None:
    """Print a grammar for constrained decoding, in Lark's notation. Takes no environment step."""
    from hl_dsl.cards import load_card
    from hl_dsl.language.environment_grammar import card_grammar

    card = load_card(environment)
    text = card_grammar(card)
    show(
        {"schema": "hl.grammar/1", "environment": card.environment, "syntax": "lark", "grammar": text},
        text.rstrip(),
        json,
    )
