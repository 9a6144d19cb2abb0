"""Environment cards: what a policy can observe and do in each environment, as TOML data.

No simulator is needed to read one.
"""

from __future__ import annotations

from hl_dsl.cards.model import ActionSpace, BadCard, Card, Field, Model, UnknownEnvironment
from hl_dsl.cards.reader import known_environments, load_card

__all__ = ["ActionSpace", "BadCard", "Card", "Field", "Model", "UnknownEnvironment", "known_environments", "load_card"]
