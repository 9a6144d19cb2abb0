"""What proposers propose: the one interface between a search and whoever has the ideas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hl_dsl.synth.candidates.archive import Archive, Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate, Gates, Rejection
from hl_dsl.synth.mutation import Subject
from hl_dsl.synth.runs.trial import Trial

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card

if TYPE_CHECKING:
    from hl_dsl.synth.proposers.text.call_account import Calls
    from hl_dsl.synth.proposers.text.options import ProposerOptions
    from hl_dsl.synth.rollouts.episode import Recording
    from hl_dsl.synth.runs.budget import Budget


class ProposerStopped(Exception):
    """A proposer has nothing more to give: its budget is spent, or whoever it asks does not answer. The message is the
    run's stop reason."""


class ProposerFailed(ProposerStopped):
    """Whoever is asked does not answer. Where no proposal came before, the run has failed."""


@dataclass(frozen=True)
class Provenance:
    """Where a proposal came from, when it was not the study's own search. `tokens` and `cost` are those of all attempts
    that were made to get it; None: not known."""

    proposer: str
    model: str | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A program that passed every gate in front of the environment. `index` is its trial's number in the run. `brief`: it is one
    of many points that are compared with each other, and is played on the smoke seeds alone."""

    index: int
    checked: CheckedCandidate
    proof: str
    change: str
    origin: str
    parents: tuple[str, ...]
    values: dict[str, float]
    provenance: Provenance | None = None
    brief: bool = False


@dataclass(frozen=True)
class Rejected:
    """A proposal that stopped at a gate in front of the environment. `checked` is None where it stopped at the check."""

    index: int
    checked: CheckedCandidate | None
    text: str
    rejection: Rejection
    change: str
    origin: str
    parents: tuple[str, ...]
    provenance: Provenance | None = None


@dataclass(frozen=True)
class SearchContext:
    """What a proposer may know: the elites, the gates, how the start was done, and how many lanes are free.

    `recall(candidate)` gives a rejection where the candidate would play episodes that are known; `subject(structure)`
    the structure with what its episodes show; `ended_dry(structure)` whether its episode ended because no reward came
    any more. At most `most` proposals may be made. `next_index` is the number of the next trial; `credit` counts, for
    each kind of change, candidates played and accepted.

    For proposers that read: `recent` are the latest trials, `episodes(structure)` the recorded episodes of its best
    version with their returns, by seed, and `calls` the account on which they ask.
    """

    archive: Archive
    gates: Gates
    recall: Callable[[CheckedCandidate], Rejection | None]
    subject: Callable[[Structure], Subject]
    ended_dry: Callable[[Structure], bool]
    run_seed: int
    next_index: int
    slots: int
    most: int | None
    credit: dict[str, tuple[int, int]]
    protocol: str = ""
    generation: int = 0
    recent: Sequence[Trial] = ()
    episodes: Callable[[Structure], dict[int, tuple[float, Recording]]] = lambda structure: {}
    calls: Calls | None = None
    steps_left: int | None = None


class Proposer(Protocol):
    """Fills the free slots of a generation. Everything it draws comes from the run's seed and the trials' numbers."""

    def propose(self, situation: SearchContext) -> list[Candidate | Rejected]:
        """Proposals in the order of their numbers, without gaps; at most `situation.slots` of them candidates."""


def proposer_named(name: str, options: ProposerOptions | None = None) -> Proposer:
    """`name` may be several with commas between them, which then take turns. Raises HLError for a proposer that does not
    exist, and for options that it cannot work with."""
    from hl_dsl.synth.proposers.round_robin import RoundRobin
    from hl_dsl.synth.proposers.text.options import ProposerOptions

    options = options or ProposerOptions()
    found = [_one(part.strip(), options) for part in name.split(",")]
    return found[0] if len(found) == 1 else RoundRobin(found)


def refuse_unlimited(proposer: Proposer, budget: Budget) -> None:
    """Raises HLError where the budget has a limit that this proposer cannot keep."""
    getattr(proposer, "refuse_unlimited", lambda budget: None)(budget)


def refuse_too_small(proposer: Proposer, card: Card, protocol: str, text: str, budget: Budget) -> None:
    """Raises HLError where the budget does not reach for this proposer's first call, about the program `text`."""
    getattr(proposer, "refuse_too_small", lambda *about: None)(card, protocol, text, budget)


def takes_pictures(proposer: Proposer) -> bool:
    """Whether this proposer reads frames of episodes."""
    return getattr(proposer, "takes_pictures", False)


def settings_of(proposer: Proposer) -> dict[str, Any] | None:
    """What must agree for a run to go on with this proposer; None where its name says it all."""
    return getattr(proposer, "settings", None)


def _one(name: str, options: ProposerOptions) -> Proposer:
    from hl_dsl.synth.proposers import registry

    makers: dict[str, Callable[[ProposerOptions], Proposer]] = {"local": _local, **registry.TEXT_PROPOSERS}
    if name not in makers:
        raise HLError(f"there is no proposer `{name}`", f"proposers: {', '.join(makers)}")
    return makers[name](options)


def _local(options: ProposerOptions) -> Proposer:
    from hl_dsl.synth.proposers.local.local_proposer import LocalProposer

    return LocalProposer()
