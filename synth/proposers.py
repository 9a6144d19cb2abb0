"""What proposers propose: the one interface between a search and whoever has the ideas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Protocol

from hl_dsl.diagnostics import HLError
from hl_dsl.synth.archive import Archive, Structure
from hl_dsl.synth.gates import Checked, Gates, Rejection
from hl_dsl.synth.mutation import Subject


@dataclass(frozen=True)
class Candidate:
    """A program that passed every gate in front of the environment. `index` is its trial's number in the run."""

    index: int
    checked: Checked
    proof: str
    change: str
    origin: str
    parents: tuple[str, ...]
    values: dict[str, float]


@dataclass(frozen=True)
class Rejected:
    """A proposal that stopped at a gate in front of the environment. `checked` is None where it stopped at the check."""

    index: int
    checked: Checked | None
    text: str
    rejection: Rejection
    change: str
    origin: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Situation:
    """What a proposer may know: the elites, the gates, how the start was done, and how many lanes are free.

    `recall(candidate)` gives a rejection where the candidate would play episodes that are known; `subject(structure)`
    the structure with what its episodes show; `ended_dry(structure)` whether its episode ended because no reward came
    any more. At most `most` proposals may be made. `next_index` is the number of the next trial; `credit` counts, for
    each kind of change, candidates played and accepted.
    """

    archive: Archive
    gates: Gates
    recall: Callable[[Checked], Rejection | None]
    subject: Callable[[Structure], Subject]
    ended_dry: Callable[[Structure], bool]
    run_seed: int
    next_index: int
    slots: int
    most: int | None
    credit: dict[str, tuple[int, int]]


class Proposer(Protocol):
    """Fills the free slots of a generation. Everything it draws comes from the run's seed and the trials' numbers."""

    def propose(self, situation: Situation) -> list[Candidate | Rejected]:
        """Proposals in the order of their numbers, without gaps; at most `situation.slots` of them candidates."""


def proposer_named(name: str) -> Proposer:
    """Raises HLError for a proposer that does not exist."""
    from hl_dsl.synth.local import LocalProposer

    known: dict[str, Callable[[], Proposer]] = {"local": LocalProposer}
    if name not in known:
        raise HLError(f"there is no proposer `{name}`", f"proposers: {', '.join(known)}")
    return known[name]()
