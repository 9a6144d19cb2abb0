"""Interface of program writers: a prompt goes in, the text of a program comes out."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hl_dsl.synth.candidates.calls import NO_CHARGE, Charge
from hl_dsl.synth.proposers.prompt.prompt_parts import PromptParts
from hl_dsl.synth.rollouts.picture import Picture

OnTokens = Callable[[int], None]  # takes the number of tokens received so far


@dataclass(frozen=True)
class Prompt:
    """A prompt for a writer.

    `stable` is the same at every call of a study, so that a server can cache it; `variable` follows it. `parts` are the
    records both were built from. `variable_without_pictures` replaces `variable` if pictures are not sent.
    """

    stable: str
    variable: str
    pictures: tuple[Picture, ...] = ()
    parts: PromptParts | None = None
    variable_without_pictures: str = ""

    def without_pictures(self) -> Prompt:
        """The same prompt as text only."""
        return replace(self, variable=self.variable_without_pictures, pictures=()) if self.pictures else self

    @property
    def digest(self) -> str:
        """Hash of the prompt's text."""
        return hashlib.sha256(f"{self.stable}\0{self.variable}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Usage:
    """Tokens as a server counted them; `cached_input` of the `input` tokens were cached by the server."""

    input: int
    output: int
    cached_input: int = 0

    @property
    def total(self) -> int:
        """Input and output tokens."""
        return self.input + self.output


@dataclass(frozen=True)
class Answer:
    """The text of one program.

    `comment` is what the writer said in addition to the program. `truncated` is true if the server cut the text off
    at the limit of output tokens. `charge` is None if the server reported no usage. `details` go into the ledger
    unchanged.
    """

    text: str
    charge: Charge | None = None
    usage: Usage | None = None
    comment: str = ""
    truncated: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


class CallFailed(Exception):
    """An attempt that returned no text.

    Args:
        reason: Message for the user and the ledger.
        can_retry: True if another attempt may succeed.
        wait: Seconds that the server asks to wait before the next attempt.
        request_changed: True if the writer changed its request. The next attempt is then made at once and does not
            count as a retry.
        charge: Cost of the attempt. None if unknown; the account then charges the whole reservation.
        details: Further fields of the ledger event.
    """

    def __init__(
        self,
        reason: str,
        *,
        can_retry: bool = False,
        wait: float | None = None,
        request_changed: bool = False,
        charge: Charge | None = NO_CHARGE,
        details: Mapping[str, Any] | None = None,
    ):
        super().__init__(reason)
        self.reason, self.can_retry, self.wait, self.request_changed = reason, can_retry, wait, request_changed
        self.charge = charge
        self.details = dict(details or {})


class Writer(ABC):
    """Writes programs. `name` is the proposer's name; `model` names the language model or agent."""

    name: str
    model: str | None

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Settings that must be equal for a study to be resumed."""

    @abstractmethod
    def most(self, prompt: Prompt) -> Charge:
        """Returns an upper bound on the cost of one attempt."""

    @abstractmethod
    def describe_attempt(self) -> dict[str, Any]:
        """Returns the fields that the ledger records about the attempt before it is made."""

    @abstractmethod
    def write(self, prompt: Prompt, timeout: float, on_tokens: OnTokens) -> Answer:
        """Makes one attempt, which ends within about `timeout` seconds.

        Raises:
            CallFailed: No text was returned.
        """

    def learn(self, calls: Sequence[Mapping[str, Any]]) -> None:  # noqa: B027 (optional to override)
        """Restores the writer's state from the recorded calls of a study that is resumed."""
