"""`replay`: the proposals of a recorded study, in the recorded order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.candidates.proposer import Candidate, Proposer, ProposerStopped, Provenance, Rejected, SearchContext
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.text_gates import ProposedText, apply_gates
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import LEDGER
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of


class ReplayProposer(Proposer):
    """Proposes in each generation what the recorded study proposed in it.

    The gates and the evaluation are those of the new study. No model is called.

    Raises:
        HLError: The options name no recorded study, or the folder does not hold one.
    """

    def __init__(self, options: ProposerOptions):
        if options.replayed is None:
            raise HLError("the proposer `replay` needs a recorded run", "name its folder: --replay RUN")
        folder = Path(options.replayed)
        events = Ledger(folder / LEDGER).read()
        trials = {trial.index: trial for trial in trials_of(events) if trial.kind is TrialKind.SEARCH}
        generations = [event for event in events if event.get("event") == "generation"]
        if not generations:
            raise HLError(f"{folder} does not hold a recorded search", "give the folder of a run of `hl synth`")
        self._generations: list[list[tuple[dict[str, Any], Trial | None]]] = [
            [(proposal, trials.get(proposal["index"])) for proposal in event["proposals"]] for event in generations
        ]
        self._turns = [event.get("turn", 0) for event in generations]
        programs = "\0".join(
            "" if trial is None else trial.program for generation in self._generations for _, trial in generation
        )
        self._digest = hashlib.sha256(programs.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def settings(self) -> Mapping[str, Any]:
        """Digest of the recorded programs."""
        return {"replayed_run": self._digest}

    def propose(self, context: SearchContext) -> list[Candidate | Rejected]:
        """Returns the recorded proposals of the generation.

        Raises:
            ProposerStopped: The recorded study has no such generation.
        """
        if context.generation >= len(self._generations):
            raise ProposerStopped("the recorded run has no more proposals")
        context.archive.seed_rotation = self._turns[context.generation]
        proposals: list[Candidate | Rejected] = []
        proposed: dict[str, int] = {}
        for recorded, trial in self._generations[context.generation][: context.most]:
            if trial is None:
                break  # the recorded study was interrupted here and not resumed
            text = ProposedText(
                trial.program,
                context.next_index + len(proposals),
                trial.change,
                recorded["origin"],
                trial.parent_hashes,
                Provenance("replay", trial.model),
            )
            proposal = apply_gates(text, context, proposed).proposal
            if recorded.get("brief") and isinstance(proposal, Candidate):
                proposal = replace(proposal, brief=True)
            proposals.append(proposal)
        if not proposals:
            raise ProposerStopped("the recorded run has no more proposals")
        return proposals
