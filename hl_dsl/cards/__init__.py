"""Environment cards: what a policy can observe and do in each environment, as TOML data.

No simulator is needed to read one; `packaged` holds the cards in `data/`, `resolver` searches the others.
"""

from __future__ import annotations

from hl_dsl.cards.capabilities import Capabilities, Rendering
from hl_dsl.cards.model import ActionSpace, BadCard, Card, Field, Model, UnknownEnvironment
from hl_dsl.cards.resolver import CardResolver, known_environments, load_card

__all__ = [
    "ActionSpace",
    "BadCard",
    "Capabilities",
    "Card",
    "CardResolver",
    "Field",
    "Model",
    "Rendering",
    "UnknownEnvironment",
    "known_environments",
    "load_card",
]
