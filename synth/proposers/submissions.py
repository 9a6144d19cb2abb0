"""`mcp`: programs that an external client submits, one at a time, to an interactive study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.synth.candidates.proposer import Candidate, Proposer, ProposerStopped, Provenance, Rejected, SearchContext
from hl_dsl.synth.proposers.text.text_gates import MOST_CHANGE_CHARACTERS, ProposedText, apply_gates, first_comment

NAME = "mcp"
EVENT = "submission"


class Submissions(Proposer):
    """Proposes the program that was submitted under the number of the next trial.

    The study writes a submitted text to the ledger before it checks it. A resumed study therefore evaluates the
    submission at which it was interrupted.
    """

    def __init__(self) -> None:
        self._texts: dict[int, tuple[str, str]] = {}

    def learn(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Adds the submissions in a ledger's events."""
        self._texts |= {
            event["index"]: (event["text"], event["change"]) for event in events if event.get("event") == EVENT
        }

    def has(self, index: int) -> bool:
        """True if a program was submitted for trial `index`."""
        return index in self._texts

    def propose(self, context: SearchContext) -> list[Candidate | Rejected]:
        """Returns the submission for the next trial.

        Raises:
            ProposerStopped: No program was submitted for it.
        """
        index = context.next_index
        if index not in self._texts:
            raise ProposerStopped("no program was submitted; use `hl open` or `hl mcp` to submit programs")
        text, change = self._texts[index]
        best = context.archive.best
        parents = () if best is None else (best.checked.hash,)
        submitted = ProposedText(text, index, change or _change_in(text), NAME, parents, Provenance(NAME))
        return [apply_gates(submitted, context, {}).proposal]


def submission(index: int, text: str, change: str) -> dict[str, Any]:
    """Returns the ledger event of a submitted text."""
    return {"event": EVENT, "index": index, "text": text, "change": " ".join(change.split())[:MOST_CHANGE_CHARACTERS]}


def _change_in(text: str) -> str:
    comment = first_comment(text)
    return "submitted" if comment is None else comment[:MOST_CHANGE_CHARACTERS]
