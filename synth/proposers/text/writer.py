"""Text in, text out: what a study asks of whoever writes programs for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from hl_dsl.synth.proposers.prompt.prompt_parts import PromptParts
from hl_dsl.synth.rollouts.picture import Picture

OnTokens = Callable[[int], None]


@dataclass(frozen=True)
class Prompt:
    """`stable` is the same at every call of a study, so that a server can keep it; `variable` follows it. `parts` are what
    both were made of. `bare` is what `variable` is where the pictures are left out."""

    stable: str
    variable: str
    pictures: tuple[Picture, ...] = ()
    parts: PromptParts | None = None
    bare: str = ""

    def without_pictures(self) -> Prompt:
        return replace(self, variable=self.bare, pictures=()) if self.pictures else self

    @property
    def digest(self) -> str:
        """Names the prompt's texts."""
        return hashlib.sha256(f"{self.stable}\0{self.variable}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Usage:
    """Tokens as a server counted them; `cached_input` of the input came from its cache."""

    input: int
    output: int
    cached_input: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True)
class Charge:
    """Tokens and money; None: not known. `estimated`: it is the most that the call may have taken, not what it took."""

    tokens: int | None = None
    cost: float | None = None
    estimated: bool = False


NOTHING = Charge(0, 0.0)


@dataclass(frozen=True)
class Answer:
    """The text of one program, and what was `said` beside it. `truncated`: it was cut off at the limit of tokens.
    `charge` None: nothing was said about usage. `more` goes into the ledger as it is."""

    text: str
    charge: Charge | None = None
    usage: Usage | None = None
    said: str = ""
    truncated: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


class CallFailed(Exception):
    """An attempt that brought no text. `again`: another attempt may do better, after `wait` seconds if the server names
    any. `change`: another way of asking was found, so the next attempt is made at once and is not counted as a retry.
    `charge`: what it cost; None: that is not known, so the whole reservation is charged."""

    def __init__(
        self,
        reason: str,
        *,
        again: bool = False,
        wait: float | None = None,
        change: bool = False,
        charge: Charge | None = NOTHING,
        more: Mapping[str, Any] | None = None,
    ):
        super().__init__(reason)
        self.reason, self.again, self.wait, self.change, self.charge = reason, again, wait, change, charge
        self.more = dict(more or {})


class Writer(Protocol):
    """Whoever writes programs. `name` is the proposer's, `model` says which model or agent."""

    name: str
    model: str | None

    @property
    def settings(self) -> dict[str, Any]:
        """What must agree for a run to go on."""

    def most(self, prompt: Prompt) -> Charge:
        """The most that one attempt may take."""

    def about(self) -> dict[str, Any]:
        """What the ledger should know of the attempt before it is made."""

    def ask(self, prompt: Prompt, timeout: float, on_tokens: OnTokens) -> Answer:
        """One attempt, over within about `timeout` seconds. `on_tokens` is told how many tokens have come. Raises CallFailed."""

    def learn(self, calls: list[Mapping[str, Any]]) -> None:
        """Takes up what the ledger tells of earlier attempts, when a run goes on."""
