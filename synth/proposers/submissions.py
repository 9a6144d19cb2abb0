"""`mcp`: programs that somebody submits, one at a time, to a run that is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.synth.candidates.proposer import Candidate, ProposerStopped, Provenance, Rejected, SearchContext
from hl_dsl.synth.proposers.text.text_gates import LONGEST_CHANGE, first_comment, through_gates

NAME = "mcp"
EVENT = "submission"


class Submissions:
    """Proposes what was submitted under the number of the next trial. Texts are in the ledger before they are looked at, so
    a run that was cut short goes on with the one it was cut at."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[str, str]] = {}

    def learn(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Takes in the submissions of a ledger."""
        self._texts |= {one["index"]: (one["text"], one["change"]) for one in events if one.get("event") == EVENT}

    def has(self, index: int) -> bool:
        return index in self._texts

    def propose(self, situation: SearchContext) -> list[Candidate | Rejected]:
        index = situation.next_index
        if index not in self._texts:
            raise ProposerStopped("no program was submitted: `hl open` and `hl mcp` keep a run open for them")
        text, change = self._texts[index]
        best = situation.archive.best
        parents = () if best is None else (best.checked.hash,)
        return [
            through_gates(text, situation, index, change or _told(text), NAME, parents, Provenance(NAME), {}).proposal
        ]


def submission(index: int, text: str, change: str) -> dict[str, Any]:
    """The event that keeps a submitted text."""
    return {"event": EVENT, "index": index, "text": text, "change": " ".join(change.split())[:LONGEST_CHANGE]}


def _told(text: str) -> str:
    comment = first_comment(text)
    return "submitted" if comment is None else comment[:LONGEST_CHANGE]
