"""An open study: generations are proposed, evaluated and recorded, until it is finished.

The state is a function of the recorded trials, and random numbers derive from the study's seed and the trials' numbers.
So a study that was interrupted continues with the same result as without the interruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.candidates.proposer import Candidate, ProposerFailed, ProposerStopped, Rejected, SearchContext
from hl_dsl.synth.proposers.text.call_account import LedgerCallAccount
from hl_dsl.synth.runs.budget_report import budget_event
from hl_dsl.synth.runs.run_result import INTERRUPTED, NotWritten
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.search.completed_trial import BUDGET_SPENT, CompletedTrial
from hl_dsl.synth.search.generation_run import GenerationRun, GenerationServices, StudyInterrupted
from hl_dsl.synth.search.search_record import RecordedGeneration, StudyRecord
from hl_dsl.synth.search.selection import CandidateResult
from hl_dsl.synth.search.study_kind import QUICK_SEEDS, Ending, StudyKind

_MOST_IDLE = 20  # generations in a row without a step, after which a study ends


class OpenStudy:
    """A study between its opening and its end, in one process.

    Args:
        kind: The study's inputs and steps.
        record: Its record, in a folder that this process holds.
    """

    def __init__(self, kind: StudyKind, record: StudyRecord):
        inputs = kind.inputs
        self.kind, self.record, self.budget = kind, record, kind.budget
        self.state = kind.new_state()
        self.proposer = kind.new_proposer()
        self.calls = LedgerCallAccount(record.folder.ledger, self.budget, record.events)
        self.services = GenerationServices(
            kind.program.card,
            kind.settings.episodes(),
            inputs.cases,
            kind.resources,
            self.budget,
            record,
            kind.trial_maker(),
            self._report_steps,
            kind.recording_detail(),
            inputs.play,
        )
        self._spent_limit: int | None = None  # the budget of steps that the last generation was cut by

    def run(self, generations: Sequence[RecordedGeneration]) -> Any:
        """Replays the recorded generations, then evaluates new ones until a budget is spent or the proposer stops.

        Raises:
            HLError: The run differs from its record, or it stopped before an episode ended.
            NotWritten: The result could not be recorded.
        """
        self.record.folder.ledger.append(budget_event(self.budget))
        reason, has_failed = INTERRUPTED, False
        try:
            reason = self._run(generations)
        except StudyInterrupted:
            reason = self.budget.stop_reason() or INTERRUPTED if self.budget.out_of_time else INTERRUPTED
        except ProposerStopped as stopped:
            reason = str(stopped)
            has_failed = isinstance(stopped, ProposerFailed) and self.state.next_index <= 1
        except KeyboardInterrupt:
            reason = INTERRUPTED
        finally:
            self.kind.release_executor()
        return self.finish(reason, has_failed)

    def _run(self, generations: Sequence[RecordedGeneration]) -> str:
        for number, recorded in enumerate(generations):
            self.kind.report({"event": "replay", "generation": number, "of": len(generations)})
            if recorded.is_open and (reason := self.stop_reason()) is not None:
                return reason
            self.step(recorded)
        self._write_best()
        while (reason := self.stop_reason()) is None:
            self.step()
        return reason

    def replay(self, generations: Sequence[RecordedGeneration]) -> None:
        """Replays the recorded generations; evaluates the initial program if there are none."""
        for recorded in generations:
            self.step(recorded)
        if not generations:
            self.step()

    def stop_reason(self) -> str | None:
        """Why no further generation can be evaluated; None if one can."""
        state, budget = self.state, self.budget
        if state.refused_start is not None:
            return state.refused_start
        if state.idle_generations >= _MOST_IDLE:
            return "nothing new was found to try"
        if state.next_generation and state.archive.best is None:
            return state.recent[-1].reason
        if budget.steps is not None:
            is_cut = self._spent_limit is not None and budget.steps <= self._spent_limit
            if is_cut or budget.steps - budget.steps_spent < min(len(state.seeds), QUICK_SEEDS):
                return f"the budget of {budget.steps:,} environment steps is spent"
        return budget.stop_reason()

    def step(self, recorded: RecordedGeneration | None = None) -> None:
        """Proposes, evaluates and records one generation. `recorded`: the generation in the ledger, if it is replayed.

        Raises:
            StudyInterrupted: An interrupt, or the end of the time budget.
            ProposerStopped: The proposer makes no more proposals.
        """
        state = self.state
        steps_left = self.budget.steps_left if recorded is None else recorded.reserved_steps
        limit = None if steps_left is None else steps_left + state.steps_spent
        most = None if recorded is None else len(recorded.proposals)
        proposals = [self.kind.start] if state.next_generation == 0 else self._proposals(steps_left, most)
        rejected = {
            proposal.index: CompletedTrial(
                self.services.trials.rejected(proposal), proposal.operator, proposal.checked, {}, {}
            )
            for proposal in proposals
            if isinstance(proposal, Rejected)
        }
        rejections = [trial.trial for trial in rejected.values()]
        if recorded is None:
            details = self.kind.generation_details(state, self.proposer)
            self.record.start_generation(state.next_generation, proposals, steps_left, rejections, details)
            completed: dict[int, CompletedTrial] = {}
        else:
            completed = self.record.resume_generation(recorded, proposals, rejections)
        selection = self.kind.selection(state, self.proposer)
        candidates = [proposal for proposal in proposals if isinstance(proposal, Candidate)]
        if len(completed) < len(candidates):
            limit = self.budget.steps
            results = [
                CandidateResult(one, recorded=completed[one.index].trial if one.index in completed else None)
                for one in candidates
            ]
            steps_before = sum(trial.trial.environment_steps for trial in completed.values())
            completed |= GenerationRun(self.services, selection, results, steps_before).run()
        trials = [(completed | rejected)[proposal.index] for proposal in proposals]
        is_cut = any(BUDGET_SPENT in trial.trial.reason for trial in trials)
        self._spent_limit = limit if is_cut and not selection.withheld_steps else None
        self._settle(trials, is_new=recorded is None)

    def _proposals(self, steps_left: int | None, most: int | None) -> list[Candidate | Rejected]:
        state, settings = self.state, self.kind.settings
        slots = settings.lanes
        if steps_left is not None:
            # Near the end fewer are evaluated, so that their episodes end.
            slots = max(1, min(slots, steps_left // (state.longest * len(state.seeds))))
        context = SearchContext(
            archive=state.archive,
            gates=state.gates,
            recall=state.cached_rejection,
            subject=state.subject,
            ended_without_reward=state.ended_without_reward,
            run_seed=settings.run_seed,
            next_index=state.next_index,
            slots=slots,
            most=self.budget.programs_left if most is None else most,
            operator_stats=dict(state.operator_stats),
            protocol=settings.protocol or "",
            generation=state.next_generation,
            recent=tuple(state.recent),
            episodes=state.episodes,
            calls=self.calls,
            budget=self.budget,
            report=self.kind.report,
            steps_left=steps_left,
        )
        return self.proposer.propose(context)

    def _settle(self, trials: Sequence[CompletedTrial], is_new: bool) -> None:
        """Takes the trials of a generation into the state, and reports it."""
        state = self.state
        before = None if state.archive.best is None else state.archive.best.best.score
        state.settle(trials)
        self.kind.observe(self.proposer, [trial.trial for trial in trials])
        best = state.archive.best
        is_better = best is not None and (before is None or best.best.score > before)
        if is_better and before is not None:
            self.kind.improved(state, self.record)
        self.budget.steps_spent = state.steps_spent
        self.budget.programs_proposed = state.next_index
        best = state.archive.best
        if best is not None and is_better:
            if is_new:
                self._write_best()
            text = best.checked.program.text
            self.kind.report({"event": "best", "score": best.best.score, "trial": best.best.trial, "text": text})
        self._report_generation()

    def _write_best(self) -> None:
        best = self.state.archive.best
        if best is not None:
            self.record.write_best(self.kind.best_text(self.state, best, None))

    def _report_generation(self) -> None:
        state, best = self.state, self.state.archive.best
        self.kind.report(
            {
                "event": "generation",
                "generation": state.next_generation,
                "env_steps": state.steps_spent,
                "budget_steps": self.budget.steps,
                "programs": state.next_index,
                "best": None if best is None else best.best.score,
                "accepted": state.stopped_at[Gate.ACCEPTED],
                "stopped_at": dict(state.stopped_at),
                "seconds": self.budget.seconds,
                **self.kind.progress(state, self.proposer),
            }
        )

    def _report_steps(self, env_steps: int) -> None:
        """Reports the environment steps so far while a generation is evaluated."""
        steps, budget = self.state.steps_spent + env_steps, self.budget
        self.kind.report(
            {"event": "steps", "env_steps": steps, "budget_steps": budget.steps, "seconds": budget.seconds}
        )

    def finish(self, reason: str, has_failed: bool = False) -> Any:
        """Records why the study ended, and its best program.

        Returns:
            The result of the study.

        Raises:
            HLError: The initial program was rejected, or no episode ended.
            NotProved: The best program is not proved in full.
            NotWritten: The result could not be recorded.
        """
        record, best = self.record, self.state.archive.best
        if best is None:
            record.stop(reason, {})
            raise self._no_result(reason)
        ending = Ending(reason, record.lost_steps, record.folder.ledger.read(), has_failed)
        result = self.kind.result(self.state, best, ending)
        self.kind.report({"event": "stop", "reason": reason, "score": result.score})
        try:
            record.write_best(result.best_text)
            record.stop(reason, {"best": result.program_hash, "score": result.score, "env_steps": result.env_steps})
            self.kind.recorded()
        except HLError as problem:
            raise NotWritten(result, problem) from problem
        return result

    def _no_result(self, reason: str) -> HLError:
        if self.state.refused_start is not None:
            return HLError(
                f"the initial program was rejected: {reason}",
                "fix it and start a new run; `hl regress` shows more",
            )
        return HLError(
            f"the run stopped before its first episode ended: {reason}",
            "fix what failed, and start a new run"
            if self.state.has_failed_start
            else "give it a larger budget, or continue it with --resume",
        )
