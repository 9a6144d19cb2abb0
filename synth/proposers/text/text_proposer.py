"""A proposer that has its texts written: asks, puts the text through the gates, and lets what stopped there be mended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.proposer import Candidate, ProposerStopped, Provenance, Rejected, SearchContext
from hl_dsl.synth.environments.random_numbers import generator
from hl_dsl.synth.proposers.prompt.prompt import build_prompt
from hl_dsl.synth.proposers.prompt.prompt_parts import PromptParts, ShownProgram
from hl_dsl.synth.proposers.prompt.truncation import clipped
from hl_dsl.synth.proposers.text.feedback import parts_of
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.retries import ask
from hl_dsl.synth.proposers.text.text_gates import LONGEST_CHANGE, GateResult, first_comment, through_gates
from hl_dsl.synth.proposers.text.writer import Answer, Prompt, Writer
from hl_dsl.synth.runs.budget import Budget

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card


class TextProposer:
    """One program a generation, so that each is written with all verdicts in view; up to `repairs` more where the text
    stops at the parse, the check or the proof. Each text is a trial."""

    def __init__(self, writer: Writer, options: ProposerOptions):
        self.writer, self.options = writer, options
        self._learned = False

    @property
    def settings(self) -> dict[str, Any]:
        return {"repairs": self.options.repairs, **self.writer.settings}

    @property
    def takes_pictures(self) -> bool:
        return self.options.images

    def refuse_unlimited(self, budget: Budget) -> None:
        """Raises HLError where the budget limits what is not known of a call before it is made."""
        most = self.writer.most(Prompt("", ""))
        for limit, known, what, way in (
            (budget.tokens, most.tokens, "tokens", "limit its programs, steps or time"),
            (budget.cost, most.cost, "cost", "give the model's prices, or limit tokens, programs or time"),
        ):
            if limit is not None and known is None:
                raise HLError(
                    f"the {what} of a call of `{self.writer.name}` cannot be known before it is made, so a budget of it would not hold",
                    way,
                )

    def refuse_too_small(self, card: Card, protocol: str, text: str, budget: Budget) -> None:
        """Raises HLError where the first call may take more than the budget; what the first program plays only adds to it."""
        parts = PromptParts(card, protocol, ShownProgram(text))
        built = build_prompt(parts)
        most = self.writer.most(Prompt(built.stable, built.variable, (), parts))
        for limit, wanted, what, form in (
            (budget.tokens, most.tokens, "tokens", ",d"),
            (budget.cost, most.cost, "money", ".4f"),
        ):
            if limit is not None and wanted is not None and wanted > limit:
                raise HLError(
                    f"a budget of {limit:,} {what} is less than the first call of `{self.writer.name}` may take, {format(wanted, form)}",
                    "give it more, or lower --max-output-tokens: a call is made only where the most it may take is left",
                )

    def propose(self, situation: SearchContext) -> list[Candidate | Rejected]:
        calls = situation.calls
        if calls is None:
            raise ProposerStopped(f"{self.writer.name} cannot ask without an account of calls")
        if not self._learned:
            self._learned = True
            self.writer.learn([one for one in calls.settled if one["proposer"] == self.writer.name])
        parent = situation.archive.choose(generator(situation.run_seed, situation.next_index, "parent"))
        proposals: list[Candidate | Rejected] = []
        refused: GateResult | None = None
        taken: dict[str, int] = {}
        while len(proposals) <= self.options.repairs and len(proposals) != situation.most:
            try:
                verdict = self._one(situation, parent, refused, situation.next_index + len(proposals), taken)
            except ProposerStopped:
                if proposals:
                    break  # what there is counts; the next generation meets the same obstacle
                raise
            proposals.append(verdict.proposal)
            if not verdict.mendable:
                break
            refused = verdict
        return proposals

    def _one(
        self, situation: SearchContext, parent: Structure, refused: GateResult | None, index: int, taken: dict[str, int]
    ) -> GateResult:
        calls, writer = situation.calls, self.writer
        answer = calls.answer(index, writer)
        if answer is None:
            parts = parts_of(situation, parent, refused, calls.budget, index - situation.next_index)
            built = build_prompt(parts)
            prompt = Prompt(built.stable, built.variable, built.pictures, parts, built.without_pictures)
            answer = ask(index, writer, prompt, calls, self.options.patience, self.options.timeout)
        charge = calls.charged(index)
        provenance = Provenance(writer.name, writer.model, charge.tokens, charge.cost)
        origin = writer.name if refused is None else f"{writer.name} repair"
        verdict = through_gates(
            answer.text,
            situation,
            index,
            _change(answer, writer),
            origin,
            (parent.checked.hash,),
            provenance,
            taken,
        )
        return _with_cut(verdict) if answer.truncated else verdict


def _change(answer: Answer, writer: Writer) -> str:
    """What the text says of itself: its first comment, else what was said beside it."""
    comment = first_comment(answer.text)
    told = " ".join(answer.said.split()) if comment is None else comment
    return clipped(told or f"written by {writer.model or writer.name}", LONGEST_CHANGE)


def _with_cut(verdict: GateResult) -> GateResult:
    proposal = verdict.proposal
    if type(proposal) is not Rejected:
        return verdict
    told = replace(
        proposal.rejection,
        reason=f"the answer was cut off at the limit of output tokens: write a shorter program\n{proposal.rejection.reason}",
    )
    return GateResult(replace(proposal, rejection=told), verdict.proof)
