"""The decoder grammar of an environment: its names, the operators and the types put into the language's grammar."""

from __future__ import annotations

from hl_dsl.cards import Card
from hl_dsl.grammar.decoder.grammar_for_decoding import Words, decoder_grammar
from hl_dsl.grammar.tree.plan_settings import SETTINGS
from hl_dsl.language.symbols import action_type
from hl_dsl.operators import OPERATORS


def card_grammar(card: Card) -> str:
    """A grammar in Lark's notation for language models that are held to one: programs for the card's environment."""
    return decoder_grammar(card_words(card))


def card_words(card: Card) -> Words:
    """All that a program for this environment can name without defining it."""
    actions = card.action.names or ()
    return Words(
        environment=card.environment,
        observations={name: field.size for name, field in card.fields.items()},
        actions=actions,
        values=("action", "mode"),
        types=("real", "int", "bool", *(["action"] if action_type(card).is_enumeration else []), "mode"),
        settings=tuple(SETTINGS) if card.model is not None else (),
        functions={row.name: row.arity for row in OPERATORS.values() if row.syntax.kind == "call" and not row.internal},
    )
