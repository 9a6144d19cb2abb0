"""Environment cards: what a policy can observe and do in each environment, kept as data.

A card is loaded without starting a simulator, so checking and proving a policy needs none. Packaged cards are the
`.toml` files beside this module. For any other environment of EnvPool, and for a user's own, a probe writes one, and it
is found beside the policy, in the folder named by `HL_CARDS` or in `cards/` (see `hl_dsl.cards.reader` for the format).
"""

from __future__ import annotations

from hl_dsl.cards.model import ActionSpace, BadCard, Card, Field, Model, UnknownEnvironment
from hl_dsl.cards.reader import known_environments, load_card

__all__ = ["ActionSpace", "BadCard", "Card", "Field", "Model", "UnknownEnvironment", "known_environments", "load_card"]
