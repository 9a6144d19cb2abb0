"""Proposer that requests program texts from a writer, applies the gates, and requests repairs of rejected texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card
from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.proposer import Candidate, Proposer, ProposerStopped, Provenance, Rejected, SearchContext
from hl_dsl.synth.environments.random_numbers import generator
from hl_dsl.synth.proposers.prompt.prompt import build_prompt
from hl_dsl.synth.proposers.prompt.prompt_parts import PromptParts, ShownProgram
from hl_dsl.synth.proposers.prompt.truncation import truncate
from hl_dsl.synth.proposers.text.calls import Calls
from hl_dsl.synth.proposers.text.feedback import build_parts
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.retries import request_text
from hl_dsl.synth.proposers.text.text_gates import (
    MOST_CHANGE_CHARACTERS,
    GateResult,
    ProposedText,
    apply_gates,
    first_comment,
)
from hl_dsl.synth.proposers.text.writer import Answer, Prompt, Writer
from hl_dsl.synth.runs.budget import Budget


class TextProposer(Proposer):
    """Proposes one program a generation, so that each is written with all earlier results.

    If the parse, the check or the proof rejects the text, the writer repairs it up to `options.repairs` times. Each
    text is a trial.
    """

    def __init__(self, writer: Writer, options: ProposerOptions):
        self.writer, self.options = writer, options
        self._has_learned = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """Number of repairs, and the writer's settings."""
        return {"repairs": self.options.repairs, **self.writer.settings}

    @property
    def takes_pictures(self) -> bool:
        """True if the options allow pictures in prompts."""
        return self.options.images

    def check_budget(self, budget: Budget) -> None:
        """Raises HLError if the budget limits an amount that is unknown before a call is made."""
        most = self.writer.most(Prompt("", ""))
        for limit, known, unit, hint in (
            (budget.tokens, most.tokens, "tokens", "limit its programs, steps or time"),
            (budget.cost, most.cost, "cost", "give the model's prices, or limit tokens, programs or time"),
        ):
            if limit is not None and known is None:
                raise HLError(
                    f"the {unit} of a call of `{self.writer.name}` cannot be known before it is made, "
                    "so a budget for it cannot be kept",
                    hint,
                )

    def check_first_call(self, card: Card, protocol: str, text: str, budget: Budget) -> None:
        """Raises HLError if the first call may cost more than the budget.

        The prompt of the first call also holds results of the initial program, so it is longer than the one tested
        here.
        """
        parts = PromptParts(card, protocol, ShownProgram(text))
        built = build_prompt(parts)
        most = self.writer.most(Prompt(built.stable, built.variable, (), parts))
        for limit, needed, unit, form in (
            (budget.tokens, most.tokens, "tokens", ",d"),
            (budget.cost, most.cost, "money", ".4f"),
        ):
            if limit is not None and needed is not None and needed > limit:
                raise HLError(
                    f"a budget of {limit:,} {unit} is less than the first call of `{self.writer.name}` may cost, "
                    f"{format(needed, form)}",
                    "increase it, or lower --max-output-tokens: a call is made only if the budget covers its maximum",
                )

    def propose(self, context: SearchContext) -> list[Candidate | Rejected]:
        """Returns one text and its repairs.

        Raises:
            ProposerStopped: The first text was not obtained.
        """
        if context.calls is None or context.budget is None:
            raise ProposerStopped(f"{self.writer.name} needs an account of calls and a budget")
        calls = Calls(context.calls, context.budget, context.report)
        if not self._has_learned:
            self._has_learned = True
            self.writer.learn([event for event in context.calls.settled if event["proposer"] == self.writer.name])
        parent = context.archive.choose(generator(context.run_seed, context.next_index, "parent"))
        if parent is None:
            raise ProposerStopped("no program was accepted, so there is none to improve")
        proposals: list[Candidate | Rejected] = []
        rejected: GateResult | None = None
        proposed_hashes: dict[str, int] = {}
        while len(proposals) <= self.options.repairs and len(proposals) != context.most:
            index = context.next_index + len(proposals)
            try:
                answer = self._answer(context, calls, parent, rejected, index)
            except ProposerStopped:
                if proposals:
                    break  # evaluate these proposals; the next generation stops for the same reason
                raise
            proposed = self._proposed(answer, calls, index, parent, is_repair=rejected is not None)
            result = apply_gates(proposed, context, proposed_hashes)
            if answer.truncated:
                result = _with_truncation_note(result)
            proposals.append(result.proposal)
            if not result.is_repairable:
                break
            rejected = result
        return proposals

    def _answer(
        self, context: SearchContext, calls: Calls, parent: Structure, rejected: GateResult | None, index: int
    ) -> Answer:
        """The recorded answer for a trial, else a new one."""
        recorded = calls.recorded_answer(index, self.writer)
        if recorded is not None:
            return recorded
        parts = build_parts(context, parent, rejected, index - context.next_index)
        built = build_prompt(parts)
        prompt = Prompt(built.stable, built.variable, built.pictures, parts, built.variable_without_pictures)
        return request_text(index, self.writer, prompt, calls, self.options.retry_policy, self.options.timeout)

    def _proposed(
        self, answer: Answer, calls: Calls, index: int, parent: Structure, *, is_repair: bool
    ) -> ProposedText:
        writer = self.writer
        charge = calls.charged(index)
        return ProposedText(
            answer.text,
            index,
            _change(answer, writer),
            f"{writer.name} repair" if is_repair else writer.name,
            (parent.checked.hash,),
            Provenance(writer.name, writer.model, charge.tokens, charge.cost),
        )


def _change(answer: Answer, writer: Writer) -> str:
    """Description of the change: the text's first comment, else what the writer said in addition to the program."""
    comment = first_comment(answer.text)
    change = " ".join(answer.comment.split()) if comment is None else comment
    return truncate(change or f"written by {writer.model or writer.name}", MOST_CHANGE_CHARACTERS)


def _with_truncation_note(result: GateResult) -> GateResult:
    proposal = result.proposal
    if not isinstance(proposal, Rejected):
        return result
    note = "the answer was truncated at the limit of output tokens: write a shorter program"
    rejection = replace(proposal.rejection, reason=f"{note}\n{proposal.rejection.reason}")
    return GateResult(replace(proposal, rejection=rejection), result.proof)
