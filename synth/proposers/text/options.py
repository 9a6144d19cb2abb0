"""What proposers can be told, from the command line or from Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hl_dsl.synth.proposers.text.prices import Prices
from hl_dsl.synth.proposers.text.retries import RetryPolicy

from hl_dsl.cards import Card
from hl_dsl.language.environment_grammar import card_grammar


@dataclass(frozen=True)
class ProposerOptions:
    """`repairs`: how often a text that stopped at the parse, the check or the proof goes back to whoever wrote it. `images`:
    whether the prompt has frames of the parent's worst episode, for models that take them.

    For `openai`: `model`, `base_url` (None: OPENAI_BASE_URL, else the SDK's own), `api_key` (None: OPENAI_API_KEY),
    `max_output_tokens` for each call, `timeout` in seconds for each attempt, `patience` between attempts, `prices`, and
    `grammar`, which makes the decoder grammar, in Lark's syntax, of an environment's card (where it gives None, no rung that
    needs one is tried). For `command`: `command`, a command line, or `profile`, the name of a ready one; `timeout` is the
    agent's deadline, `fence` keeps it from writing outside its folder where the system can. For `replay`: `replayed`, the
    folder of a run.
    """

    repairs: int = 2
    images: bool = True
    model: str | None = None
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    max_output_tokens: int = 8_192
    timeout: float = 600.0
    patience: RetryPolicy = RetryPolicy()
    prices: Prices = Prices()
    grammar: Callable[[Card], str | None] = card_grammar
    command: str | None = None
    profile: str | None = None
    fence: bool = True
    replayed: Path | None = None
