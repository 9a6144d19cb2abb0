"""Gates for proposed texts: a text becomes a candidate, or is rejected with a message for its writer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.base.source import SourceText
from hl_dsl.grammar.parser import parse
from hl_dsl.synth.candidates.gates import CheckedCandidate, Rejection
from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.candidates.proposer import Candidate, Provenance, Rejected, SearchContext
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.verify import Proof

MOST_REASON_CHARACTERS = 6_000
MOST_CHANGE_CHARACTERS = 200
NAME = "proposal.hl"
REPAIRABLE_GATES = (Gate.PARSE, Gate.CHECK, Gate.PROVE)


@dataclass(frozen=True)
class ProposedText:
    """A text and its origin.

    `index` is the number of its trial, `change` one line about the change, `parents` are program hashes.
    """

    text: str
    index: int
    change: str
    operator: str
    parents: tuple[str, ...]
    provenance: Provenance | None


@dataclass(frozen=True)
class GateResult:
    """A proposal, with the proof if the proof rejected it."""

    proposal: Candidate | Rejected
    proof: Proof | None = None

    @property
    def is_repairable(self) -> bool:
        """True if the rejection message is enough for the writer to repair the program."""
        return isinstance(self.proposal, Rejected) and self.proposal.rejection.gate in REPAIRABLE_GATES


def apply_gates(proposed: ProposedText, context: SearchContext, proposed_hashes: dict[str, int]) -> GateResult:
    """Applies the gates before the environment: parse, check, duplicate, proof, known behaviour.

    Takes no environment step. `proposed_hashes` maps the hash of each earlier proposal of this generation to its trial
    number; this proposal is added to it.
    """
    checked = _check(proposed.text, context)
    if isinstance(checked, Rejection):
        return GateResult(_rejected(proposed, None, checked))
    gates = context.gates
    program_hash = gates.recognise(checked)
    if isinstance(program_hash, str) and program_hash in proposed_hashes:
        first = proposed_hashes[program_hash]
        program_hash = Rejection(Gate.DUPLICATE, f"the same program as trial {first}", program_hash, first)
    if isinstance(program_hash, Rejection):
        return GateResult(_rejected(proposed, checked, program_hash))
    proposed_hashes[program_hash] = proposed.index
    proof_summary = gates.prove(checked)
    if isinstance(proof_summary, Rejection):
        proof = gates.proof(checked.flow)
        rejection = replace(proof_summary, reason=truncate_reason(proof.render(checked.program.source)))
        return GateResult(_rejected(proposed, checked, rejection), proof)
    known = context.recall(checked)
    if known is not None:
        return GateResult(_rejected(proposed, checked, known))
    return GateResult(
        Candidate(
            proposed.index,
            checked,
            proof_summary,
            proposed.change,
            proposed.operator,
            proposed.parents,
            values_of(checked.flow),
            proposed.provenance,
        )
    )


def _rejected(proposed: ProposedText, checked: CheckedCandidate | None, rejection: Rejection) -> Rejected:
    return Rejected(
        proposed.index,
        checked,
        proposed.text,
        rejection,
        proposed.change,
        proposed.operator,
        proposed.parents,
        proposed.provenance,
    )


def _check(text: str, context: SearchContext) -> CheckedCandidate | Rejection:
    source = SourceText(text, NAME)
    try:
        policy = parse(source)
    except HLError as error:
        return Rejection(Gate.PARSE, truncate_reason(_message_with_hint(error)))
    except RecursionError:
        return Rejection(Gate.PARSE, "the text is nested too deeply")
    required = context.gates.card.environment
    if policy.environment != required:
        return Rejection(Gate.CHECK, f'the program is for "{policy.environment}"; it must be for "{required}"')
    return context.gates.check(policy, source)


def _message_with_hint(error: HLError) -> str:
    return error.message + (f"\n  = {error.hint}" if error.hint and not isinstance(error, ProgramError) else "")


def first_comment(text: str) -> str | None:
    """Returns the comment in a program's first line; None if that line is not a comment."""
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("#").strip() if first.startswith("#") else None


def truncate_reason(text: str) -> str:
    """Returns at most `MOST_REASON_CHARACTERS` of a text, with a note on how many characters are omitted."""
    if len(text) <= MOST_REASON_CHARACTERS:
        return text
    return text[:MOST_REASON_CHARACTERS] + f"\n… ({len(text) - MOST_REASON_CHARACTERS:,} more characters)"
