"""Evaluation protocols: a name for every option of the simulator that changes what is measured.

The Atari protocols differ only in their randomness. Environments of other families have one protocol, `standard`: their
own rules and defaults. It is not called `deterministic`, which would promise one trajectory where those environments
draw their start at random.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card

# One tick is one frame of the console, in its own 210 x 160 colours, and a return is the game's own score.
_ATARI = {
    "frame_skip": 1,
    "stack_num": 1,
    "img_height": 210,
    "img_width": 160,
    "gray_scale": False,
    "use_inter_area_resize": True,
    "max_episode_steps": 108000,
    "use_fire_reset": True,
    "reward_clip": False,
    "episodic_life": False,
    "zero_discount_on_life_loss": False,
    "full_action_space": False,
    "mode": -1,
    "difficulty": -1,
    "noop_max": 1,
    "repeat_action_probability": 0.0,
}
_DETERMINISTIC = "deterministic"

ATARI_PROTOCOLS = MappingProxyType(
    {
        _DETERMINISTIC: _ATARI,
        "noop": {**_ATARI, "noop_max": 30},
        "sticky": {**_ATARI, "noop_max": 30, "repeat_action_probability": 0.25},
    }
)

SAYS = MappingProxyType(
    {
        _DETERMINISTIC: "no randomness: every episode of one policy is the same",
        "noop": "each episode starts after 0 to 29 idle frames",
        "sticky": "as noop, and each frame repeats the previous action with probability 0.25",
        "standard": "the environment's own rules; each seed starts differently",
    }
)


def protocol_options(card: Card, protocol: str) -> dict[str, Any]:
    """Every option `protocol` states for the environment of `card`, ready for a record. Raises HLError."""
    if protocol not in card.protocols:
        raise HLError(
            f"`{card.environment}` has no protocol `{protocol}`",
            f"its protocols: {', '.join(f'{name} ({SAYS[name]})' for name in card.protocols)}",
        )
    if protocol in ATARI_PROTOCOLS:
        return dict(ATARI_PROTOCOLS[protocol])
    return {"max_episode_steps": card.max_episode_steps}


def draws_at_random(card: Card, protocol: str) -> bool:
    """Whether an episode under `protocol` depends on its seed. Raises HLError if the card has no such protocol."""
    options = protocol_options(card, protocol)
    if protocol in ATARI_PROTOCOLS:
        return options["noop_max"] != 1 or options["repeat_action_probability"] != 0.0
    return card.capabilities.draws_at_random
