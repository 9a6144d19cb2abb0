"""From a text to a candidate: the gates in front of the environment, with all that they have to say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hl_dsl.grammar.parser import parse
from hl_dsl.synth.candidates.gates import CheckedCandidate, Rejection
from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.candidates.proposer import Candidate, Provenance, Rejected, SearchContext
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.verify import Proof

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.base.source import SourceText

LONGEST_REASON = 6_000  # characters
NAME = "proposal.hl"
LONGEST_CHANGE = 200  # characters
MENDABLE = (Gate.PARSE, Gate.CHECK, Gate.PROVE)


@dataclass(frozen=True)
class GateResult:
    """A proposal, and the proof where it stopped there."""

    proposal: Candidate | Rejected
    proof: Proof | None = None

    @property
    def mendable(self) -> bool:
        """Whether whoever wrote the text can mend it from what it is told."""
        return type(self.proposal) is Rejected and self.proposal.rejection.gate in MENDABLE


def through_gates(
    text: str,
    situation: SearchContext,
    index: int,
    change: str,
    origin: str,
    parents: tuple[str, ...],
    provenance: Provenance | None,
    taken: dict[str, int],
) -> GateResult:
    """Parse, check, duplicate, proof, known behaviour. Takes no environment step. `taken`: hashes of the proposals of this
    generation so far, which gets this one's."""
    more = (change, origin, parents)
    checked = _checked(text, situation)
    if isinstance(checked, Rejection):
        return GateResult(Rejected(index, None, text, checked, *more, provenance))
    gates = situation.gates
    found = gates.recognise(checked)
    if type(found) is str and found in taken:
        found = Rejection(Gate.DUPLICATE, f"the same program as trial {taken[found]}", found, taken[found])
    if isinstance(found, Rejection):
        return GateResult(Rejected(index, checked, text, found, *more, provenance))
    taken[found] = index
    proved = gates.prove(checked)
    if isinstance(proved, Rejection):
        proof = gates.proof(checked.flow)
        told = replace(proved, reason=shortened(proof.render(checked.program.source)))
        return GateResult(Rejected(index, checked, text, told, *more, provenance), proof)
    known = situation.recall(checked)
    if known is not None:
        return GateResult(Rejected(index, checked, text, known, *more, provenance))
    return GateResult(Candidate(index, checked, proved, *more, values_of(checked.flow), provenance))


def _checked(text: str, situation: SearchContext) -> CheckedCandidate | Rejection:
    source = SourceText(text, NAME)
    try:
        policy = parse(source)
    except HLError as error:
        return Rejection(Gate.PARSE, shortened(_in_full(error)))
    except RecursionError:
        return Rejection(Gate.PARSE, "the text is nested too deeply")
    wanted = situation.gates.card.environment
    if policy.environment != wanted:
        return Rejection(
            Gate.CHECK, f'the program is for "{policy.environment}", but a program for "{wanted}" is wanted'
        )
    return situation.gates.check(policy, source)


def _in_full(error: HLError) -> str:
    return error.message + (f"\n  = {error.hint}" if error.hint and not isinstance(error, ProgramError) else "")


def first_comment(text: str) -> str | None:
    """What a program says of itself in its first line; None where that is no comment."""
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("#").strip() if first.startswith("#") else None


def shortened(text: str) -> str:
    """The text, or its beginning where it is too long to be sent on."""
    return (
        text
        if len(text) <= LONGEST_REASON
        else text[:LONGEST_REASON] + f"\n… ({len(text) - LONGEST_REASON:,} more characters)"
    )
