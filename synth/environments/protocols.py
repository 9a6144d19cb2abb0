"""Evaluation protocols: a name stands for every option of the simulator that changes what is measured.

The Atari protocols differ only in how much chance they let in. Environments of other families have one protocol,
`standard`: their own rules and defaults. `deterministic` is not another name for it, because it would promise one
trajectory where those environments draw their start at random.
"""

from __future__ import annotations

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

ATARI_PROTOCOLS: dict[str, dict] = {
    "deterministic": _ATARI,
    "noop": {**_ATARI, "noop_max": 30},
    "sticky": {**_ATARI, "noop_max": 30, "repeat_action_probability": 0.25},
}

SAYS = {
    "deterministic": "no chance at all: every episode of one policy is the same",
    "noop": "each episode starts after 0 to 29 idle frames",
    "sticky": "as noop, and each frame repeats the action before with probability 0.25",
    "standard": "the environment's own rules; each seed starts differently",
}


def protocol_options(card: Card, protocol: str) -> dict:
    """Every option `protocol` states for the environment of `card`, ready for a record. Raises HLError."""
    if protocol not in card.protocols:
        raise HLError(
            f"`{card.environment}` has no protocol `{protocol}`",
            f"its protocols: {', '.join(f'{name} ({SAYS[name]})' for name in card.protocols)}",
        )
    if protocol in ATARI_PROTOCOLS:
        return dict(ATARI_PROTOCOLS[protocol])
    return {"max_episode_steps": card.max_episode_steps}


def draws_at_random(options: dict) -> bool:
    """Whether an episode under `options` depends on its seed at all."""
    return options.get("noop_max") != 1 or options.get("repeat_action_probability") != 0.0
