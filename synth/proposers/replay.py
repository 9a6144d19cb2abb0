"""`replay`: the proposals of a recorded run, in its order."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from hl_dsl.synth.candidates.proposer import Candidate, ProposerStopped, Provenance, Rejected, SearchContext
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.text_gates import through_gates
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import LEDGER
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of

from hl_dsl.base.errors import HLError


class ReplayProposer:
    """Proposes in each generation what the recorded run proposed in it; the verdicts are this run's own. Nothing is paid.
    Raises HLError where there is no such run."""

    def __init__(self, options: ProposerOptions):
        if options.replayed is None:
            raise HLError("the proposer `replay` needs a run to play back", "name its folder: --replay RUN")
        folder = Path(options.replayed)
        events = Ledger(folder / LEDGER).read()
        trials = {trial.index: trial for trial in trials_of(events) if trial.kind is TrialKind.SEARCH}
        generations = [event for event in events if event.get("event") == "generation"]
        if not generations:
            raise HLError(f"there is no search to play back in {folder}", "give the folder of a run of `hl synth`")
        self._generations: list[list[tuple[dict[str, Any], Trial | None]]] = [
            [(one, trials.get(one["index"])) for one in event["proposals"]] for event in generations
        ]
        self._turns = [event.get("turn", 0) for event in generations]
        told = "\0".join("" if trial is None else trial.program for one in self._generations for _, trial in one)
        self.settings = {"replayed_run": hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]}

    def propose(self, situation: SearchContext) -> list[Candidate | Rejected]:
        if situation.generation >= len(self._generations):
            raise ProposerStopped("the recorded run has no more proposals")
        situation.archive.turn = self._turns[situation.generation]
        proposals: list[Candidate | Rejected] = []
        taken: dict[str, int] = {}
        for named, trial in self._generations[situation.generation][: situation.most]:
            if trial is None:
                break  # the recorded run was cut here, and did not come back
            index = situation.next_index + len(proposals)
            provenance = Provenance("replay", trial.model)
            verdict = through_gates(
                trial.program, situation, index, trial.change, named["origin"], trial.parent_hashes, provenance, taken
            )
            proposals.append(
                replace(verdict.proposal, brief=True)
                if named.get("brief") and isinstance(verdict.proposal, Candidate)
                else verdict.proposal
            )
        if not proposals:
            raise ProposerStopped("the recorded run has no more proposals")
        return proposals
