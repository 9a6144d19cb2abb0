"""Options of the proposers, from the command line or from Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hl_dsl.cards import Card
from hl_dsl.language.environment_grammar import card_grammar
from hl_dsl.synth.proposers.text.prices import Prices
from hl_dsl.synth.proposers.text.retries import RetryPolicy


@dataclass(frozen=True)
class ProposerOptions:
    """Options of all proposers; each proposer reads its own.

    Attributes:
        repairs: How often a text that the parse, the check or the proof rejects is returned to its writer.
        images: True if the prompt holds frames of the parent's worst episode, for models that accept images.
        model: `openai`, `command`: name of the language model.
        base_url: `openai`: URL of the server; None: the variable OPENAI_BASE_URL, else the SDK's default.
        api_key: `openai`: key of the server; None: the variable OPENAI_API_KEY.
        max_output_tokens: `openai`: limit of each call.
        timeout: Seconds for each attempt; for `command` the deadline of the agent.
        retry_policy: `openai`, `command`: number of attempts and the waits between them.
        prices: `openai`: prices of the model's tokens.
        grammar: `openai`: returns the decoder grammar of an environment, in Lark's syntax. If it returns None, response
            formats that need a grammar are not used.
        command: `command`: command line of the agent.
        profile: `command`: name of a predefined command line.
        sandbox: `command`: restrict the agent's writes to its folder, if the system supports it.
        replayed: `replay`: folder of the recorded run.
    """

    repairs: int = 2
    images: bool = True
    model: str | None = None
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    max_output_tokens: int = 8_192
    timeout: float = 600.0
    retry_policy: RetryPolicy = RetryPolicy()
    prices: Prices = Prices()
    grammar: Callable[[Card], str | None] = card_grammar
    command: str | None = None
    profile: str | None = None
    sandbox: bool = True
    replayed: Path | None = None
