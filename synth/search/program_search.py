"""`hl synth` as a kind of study: a search for programs by a proposer, with an archive of structures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hl_dsl.synth.candidates.archive import ScoredParameters, Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.candidates.proposer import Proposer
from hl_dsl.synth.proposers.registry import proposer_named
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.regressions.gate import passes_known_cases
from hl_dsl.synth.rollouts.episode import RecordingDetail
from hl_dsl.synth.rollouts.last_frames import can_be_drawn
from hl_dsl.synth.runs.call_totals import call_totals
from hl_dsl.synth.runs.run_result import INTERRUPTED, StudyResult
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.search.best_text import best_text
from hl_dsl.synth.search.search_record import StudyRecord
from hl_dsl.synth.search.search_state import StudyState
from hl_dsl.synth.search.selection import ArchiveSelection, SelectionRule
from hl_dsl.synth.search.simplify import simplified
from hl_dsl.synth.search.study_kind import QUICK_SEEDS, Ending, StudyInputs, StudyKind
from hl_dsl.synth.search.trial_maker import TrialMaker


class ProgramSearch(StudyKind):
    """A search for better programs.

    Args:
        inputs: What the study works on. Its settings name the proposer.
        options: Options of proposers that use models or agents.

    Raises:
        HLError: Unknown proposer, or a budget that it cannot keep, and as `StudyKind`.
    """

    def __init__(self, inputs: StudyInputs, options: ProposerOptions | None = None):
        super().__init__(inputs)
        self._options = options
        self._first_proposer = proposer_named(self.settings.proposer, options)
        self._is_first_used = False
        self._first_proposer.check_budget(self.budget)

    def check_start(self) -> None:
        """Raises NotProved or HLError if a new run cannot succeed, before its folder is created."""
        super().check_start()
        program = self.program
        self._first_proposer.check_first_call(program.card, self.settings.protocol or "", program.text, self.budget)

    def recording_detail(self) -> RecordingDetail:
        """Pictures are recorded if the proposer uses frames, and the environment has some."""
        has_pictures = self._first_proposer.takes_pictures and can_be_drawn(self.program.card)
        return RecordingDetail.PICTURES if has_pictures else RecordingDetail.STEPS

    def document(self) -> dict[str, Any]:
        """What `run.json` records."""
        return self.settings.document(self.program, self.inputs.cases, self._first_proposer.settings)

    def new_proposer(self) -> Proposer:
        """A proposer that has seen no trial."""
        if not self._is_first_used:
            self._is_first_used = True
            return self._first_proposer
        return proposer_named(self.settings.proposer, self._options)

    def new_state(self) -> StudyState:
        """The state before the first trial."""
        return StudyState(self.program.card, tuple(self.settings.seeds), QUICK_SEEDS, self.settings.no_reward_steps)

    def trial_maker(self) -> TrialMaker:
        """Makes the trials of the study."""
        proposer = self.settings.proposer
        return TrialMaker(
            self.program,
            self.settings.protocol or "",
            self.settings.run_seed,
            "local" if "," in proposer else proposer,
        )

    def selection(self, state: StudyState, proposer: Proposer) -> SelectionRule:
        """Selection by comparison with the archive."""
        return ArchiveSelection(state)

    def generation_details(self, state: StudyState, proposer: Proposer) -> Mapping[str, Any]:
        """The rotation of the seeds."""
        return {"turn": state.archive.seed_rotation}

    def improved(self, state: StudyState, record: StudyRecord) -> None:
        """Replaces the best program by the smallest one that acts the same on its episodes.

        This costs no environment step.
        """
        best = state.archive.best
        if best is None:
            return
        score, cases = best.best.score, self.inputs.cases

        def acts_the_same(candidate: CheckedCandidate) -> bool:
            known = state.cached_returns(candidate)
            if known is None or sum(value for _, value, _ in known) / len(known) < score:
                return False
            return passes_known_cases(cases, candidate, state.is_case_passed)

        smaller = simplified(best.checked, state.gates, acts_the_same)
        if smaller is not best.checked:
            record.record_simplified(self.trial_maker().simplified(best, smaller, state.cached_returns(smaller) or []))
            state.archive.add(ScoredParameters(best.best.trial, values_of(smaller.flow), score), smaller)

    def best_text(self, state: StudyState, best: Structure, proof: str | None) -> str:
        """The best program under a header that says how it was found."""
        seeds, settings = state.seeds, self.settings
        shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"mean of seeds {seeds[0]}..{seeds[-1]}"
        limit = "" if settings.max_steps is None else f" or {settings.max_steps:,} in all"
        lines = [
            f"Found by hl synth from {self.program.name} (run seed {settings.run_seed}): {best.best.score:g} under "
            f"{settings.protocol}, {shown},",
            f"after {state.steps_spent:,} environment steps; episodes ended after {settings.no_reward_steps:,} steps "
            f"without reward{limit}.",
        ]
        return best_text(best.checked.program, lines + ([] if proof is None else [f"Proof: {proof}."]))

    def result(self, state: StudyState, best: Structure, ending: Ending) -> StudyResult:
        """The result of the search. The best program is proved in full, unless the study was interrupted."""
        proof = None if ending.reason == INTERRUPTED else self.full_proof(best.checked.program)
        return StudyResult(
            self.inputs.folder,
            self.program.name,
            self.settings.protocol or "",
            self.best_text(state, best, None if proof is None else proof.summary),
            best.checked.hash,
            best.best.score,
            state.archive.first or 0.0,
            state.seeds,
            proof is not None,
            "screened by the search's own gates" if proof is None else proof.summary,
            state.next_index,
            state.stopped_at[Gate.ACCEPTED],
            {str(gate): count for gate, count in state.stopped_at.items()},
            state.steps_spent,
            ending.lost_steps,
            self.budget.seconds,
            ending.reason,
            call_totals(ending.events),
            ending.has_failed,
        )
