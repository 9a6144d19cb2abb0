"""Interface between a study and its proposers: proposals, search context, and the base class `Proposer`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hl_dsl.cards import Card
from hl_dsl.synth.candidates.archive import Archive, Structure
from hl_dsl.synth.candidates.calls import CallAccount
from hl_dsl.synth.candidates.gates import CheckedCandidate, Gates, Rejection
from hl_dsl.synth.mutation import Subject
from hl_dsl.synth.runs.trial import Trial

if TYPE_CHECKING:
    from hl_dsl.synth.rollouts.episode import Recording
    from hl_dsl.synth.runs.budget import Budget


class ProposerStopped(Exception):
    """The proposer makes no more proposals; the message is the study's stop reason."""


class ProposerFailed(ProposerStopped):
    """The model or agent of a proposer does not answer. If no proposal was made before, the study has failed."""


@dataclass(frozen=True)
class Provenance:
    """Origin of a proposal that was not made by the study's own search.

    `tokens` and `cost` are sums over all attempts for this proposal; None if unknown.
    """

    proposer: str
    model: str | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A program that passed every gate before the environment.

    `index` is the number of its trial. `brief` is true for one of many parameter samples that are compared with each
    other; it is evaluated on the quick seeds only.
    """

    index: int
    checked: CheckedCandidate
    proof: str
    change: str
    operator: str
    parents: tuple[str, ...]
    values: dict[str, float]
    provenance: Provenance | None = None
    brief: bool = False


@dataclass(frozen=True)
class Rejected:
    """A proposal that a gate before the environment rejected. `checked` is None if it was rejected by the check."""

    index: int
    checked: CheckedCandidate | None
    text: str
    rejection: Rejection
    change: str
    operator: str
    parents: tuple[str, ...]
    provenance: Provenance | None = None


@dataclass(frozen=True)
class SearchContext:
    """Input of a proposer: archive, gates, results of earlier trials, and the number of free lanes.

    `recall(candidate)` returns a rejection if the candidate would play episodes whose results are known.
    `subject(structure)` returns the structure with the observations of its episodes.
    `ended_without_reward(structure)` is true if its episode ended because no reward occurred. At most `most`
    proposals may be made (None: no limit). `next_index` is the number of the next trial. `operator_stats` counts, for
    each kind of change, candidates evaluated and accepted.

    For proposers that use language models or agents: `recent` are the latest trials, `episodes(structure)` the recorded
    episodes of its best version with their returns, by seed. `calls` is the account of paid calls, `budget` the study's
    budget, and `report` takes progress events. `steps_left` are the environment steps that the generation may take.
    """

    archive: Archive
    gates: Gates
    recall: Callable[[CheckedCandidate], Rejection | None]
    subject: Callable[[Structure], Subject]
    ended_without_reward: Callable[[Structure], bool]
    run_seed: int
    next_index: int
    slots: int
    most: int | None
    operator_stats: dict[str, tuple[int, int]]
    protocol: str = ""
    generation: int = 0
    recent: Sequence[Trial] = ()
    episodes: Callable[[Structure], dict[int, tuple[float, Recording]]] = lambda structure: {}
    calls: CallAccount | None = None
    budget: Budget | None = None
    report: Callable[[dict[str, Any]], None] = lambda event: None
    steps_left: int | None = None


class Proposer(ABC):
    """Fills the free lanes of a generation. All its random draws derive from the study's seed and the trial numbers."""

    @property
    def takes_pictures(self) -> bool:
        """True if this proposer uses frames of recorded episodes."""
        return False

    @property
    def settings(self) -> Mapping[str, Any] | None:
        """Settings that must be equal for a study to be resumed; None if the proposer's name identifies it."""
        return None

    def check_budget(self, budget: Budget) -> None:  # noqa: B027 (optional to override)
        """Raises HLError if the budget has a limit that this proposer cannot keep."""

    def check_first_call(self, card: Card, protocol: str, text: str, budget: Budget) -> None:  # noqa: B027 (optional)
        """Raises HLError if the budget does not cover this proposer's first call, about the program `text`."""

    @abstractmethod
    def propose(self, context: SearchContext) -> list[Candidate | Rejected]:
        """Returns proposals in the order of their numbers, without gaps; at most `context.slots` are candidates.

        Raises:
            ProposerStopped: No more proposals can be made.
        """
