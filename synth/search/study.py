"""A study: from one program to a better one, within a budget, every trial on record.

A generation is proposed from what all generations before it came to, passes the gates, is played side by side, and is
settled. What is known is a function of the settled trials, and random numbers come from the run's seed and the trials'
numbers, so a run that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from hl_dsl.synth.candidates.archive import ScoredParameters, Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.parameter_values import structure_hash, values_of
from hl_dsl.synth.candidates.proposer import (
    Candidate,
    ProposerFailed,
    ProposerStopped,
    Rejected,
    SearchContext,
)
from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.seed_ranges import refuse_other_seeds
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.proposers.registry import proposer_named
from hl_dsl.synth.proposers.text.call_account import LedgerCallAccount
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.regressions.gate import passes_known_cases
from hl_dsl.synth.rollouts.candidate_batch import BatchResult
from hl_dsl.synth.rollouts.executor import Executor
from hl_dsl.synth.rollouts.last_frames import can_be_drawn
from hl_dsl.synth.rollouts.pruning import default_no_reward_steps
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.budget_report import budget_event
from hl_dsl.synth.runs.call_totals import call_totals
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.run_result import INTERRUPTED, NotWritten, StudyResult
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.search.generation import GenerationRunner, Stopped, rejected_trial, simplified_trial
from hl_dsl.synth.search.search_record import StudyRecord, best_text
from hl_dsl.synth.search.search_state import CompletedTrial, StudyState
from hl_dsl.synth.search.simplify import simplified
from hl_dsl.synth.workers.worker_executor import WorkerExecutor

from hl_dsl.base.errors import HLError
from hl_dsl.cases.documents import content_hash
from hl_dsl.cases.records import StoredCase
from hl_dsl.program import Program

DEVELOPMENT_SEEDS = tuple(range(8))
SMOKE_SEEDS = 2
LANES = 8
_MOST_IDLE = 20  # generations without anything to play, and then the search is at its end

OnEvent = Callable[[dict[str, Any]], None]


class Study:
    """A search from `program` under `protocol`, recorded in `run_folder`.

    `seeds` are the development seeds (one, where the protocol leaves nothing to chance). `no_reward_steps` ends a search
    episode after that many steps without any reward (default: `default_no_reward_steps`), `max_steps` after that many. `lanes`
    candidates play side by side. `options` are the proposer's. What is accepted passes all `cases`, the program that the
    search begins from included. `evaluator` says where they play (default: in a worker process, `Isolated()`), `play` takes
    the place of `playing.play`. Raises HLError: seeds or a protocol that are not for it, a folder in use, a folder that holds
    another run.
    """

    def __init__(
        self,
        program: Program,
        protocol: str,
        run_folder: Path | str,
        budget: Budget,
        seed: int = 0,
        proposer: str = "local",
        seeds: Sequence[int] = DEVELOPMENT_SEEDS,
        no_reward_steps: int | None = None,
        max_steps: int | None = None,
        lanes: int = LANES,
        num_threads: int = 0,
        on_event: OnEvent | None = None,
        options: ProposerOptions | None = None,
        cases: Sequence[StoredCase] = (),
        evaluator: Executor | None = None,
        play: Callable[..., BatchResult] | None = None,
    ):
        refuse_other_seeds(seeds, "a search")
        self.program, self.protocol, self.budget, self.seed = program, protocol, budget, seed
        self.proposer_name, self.options = proposer, options
        self.proposer = proposer_named(proposer, options)
        self.proposer.check_budget(budget)
        self._proposed = False
        self.lanes, self.max_steps, self.cases = lanes, max_steps, tuple(cases)
        self.no_reward_steps = no_reward_steps or default_no_reward_steps(program.card)
        self.seeds = tuple(seeds) if draws_at_random(program.card, protocol) else tuple(seeds)[:1]
        self.resources, self.play = Resources(num_threads, executor=evaluator or WorkerExecutor()), play
        self._owns_executor = evaluator is None
        self.path = Path(run_folder)
        self._tell = on_event or (lambda event: None)

    def run(self) -> StudyResult:
        """Starts the run. Raises HLError where the folder already holds one, NotProved where the program is not, NotWritten
        where it came to its end, but not all of it could be written."""
        self._start  # proved before the folder is touched
        self.proposer.check_first_call(self.program.card, self.protocol, self.program.text, self.budget)
        with RunFolder(self.path) as folder, StudyRecord(folder) as record:
            record.start(self.settings())
            folder.write_card(self.program.card)
            return self._go(record, [])

    def resume(self) -> StudyResult:
        """Goes on with the folder's run. Raises HLError where there is none, or it is a run of something else, and as `run`."""
        with RunFolder(self.path) as folder, StudyRecord(folder) as record:
            return self._go(record, record.resume(self.settings()))

    @cached_property
    def pictures(self) -> bool:
        """Whether frames are kept: somebody reads them, and there are some."""
        return self.proposer.takes_pictures and can_be_drawn(self.program.card)

    def settings(self) -> dict[str, Any]:
        """What the run is; most of it must agree for a run to go on."""
        return {
            "kind": "synth",
            "environment": self.program.card.environment,
            "protocol": self.protocol,
            "run_seed": self.seed,
            "proposer": self.proposer_name,
            "seeds": list(self.seeds),
            "no_reward_steps": self.no_reward_steps,
            "max_steps": self.max_steps,
            "lanes": self.lanes,
            "proposer_settings": self.proposer.settings,
            "program_hash": self.program.hash,
            "program": self.program.source.text or self.program.text,
            "regressions": {one.name: content_hash(one) for one in self.cases} or None,
        }

    # a run that is open, and whose generations somebody else asks for

    def open(self, record: StudyRecord, generations: list) -> None:
        """Plays the first program, or takes in what is on record. Raises NotProved before any step."""
        self._start
        self._begin(record)
        for known in generations or [None]:
            self._generation(record, known)

    def step(self, record: StudyRecord) -> None:
        """One generation."""
        self._generation(record, None)

    def release_executor(self) -> None:
        """Ends the study's own worker; an executor of the caller is kept for the next study."""
        executor = self.resources.executor
        if self._owns_executor:
            executor.close()
        else:
            executor.release()

    def close(self, record: StudyRecord, reason: str) -> StudyResult:
        """The end of an open run, as `run` ends."""
        return self._finish(record, reason)

    # the loop

    def _begin(self, record: StudyRecord) -> None:
        self.state = StudyState(self.program.card, self.seeds, SMOKE_SEEDS, self.no_reward_steps)
        self.judge = GenerationRunner(self, record)
        self.calls = LedgerCallAccount(record.folder.ledger, self.budget, record.events)

    def _go(self, record: StudyRecord, generations: list) -> StudyResult:
        if self._proposed:  # it remembers
            self.proposer = proposer_named(self.proposer_name, self.options)
        self._proposed = True
        self._begin(record)
        record.folder.ledger.append(budget_event(self.budget))
        reason, failed = INTERRUPTED, False
        try:
            for number, known in enumerate(generations):
                self._tell({"event": "replay", "generation": number, "of": len(generations)})
                if len(known["trials"]) < len(known["proposals"]) and (reason := self._stop_reason()) is not None:
                    return self._finish(record, reason)
                self._generation(record, known)
            while (reason := self._stop_reason()) is None:
                self._generation(record, None)
        except Stopped:
            reason = self.budget.stop_reason() if self.budget.out_of_time else INTERRUPTED
        except ProposerStopped as stopped:
            reason, failed = str(stopped), type(stopped) is ProposerFailed and self.state.next_index <= 1
        except KeyboardInterrupt:
            reason = INTERRUPTED
        finally:
            self.release_executor()
        return self._finish(record, reason, failed)

    def _stop_reason(self) -> str | None:
        if self.state.refused_start is not None:
            return self.state.refused_start
        if self.state.idle_generations >= _MOST_IDLE:
            return "nothing new was found to try"
        if self.state.next_generation and self.state.archive.best is None:
            return self.state.recent[-1].reason
        left = self.budget.steps_left
        if left is not None and left < min(len(self.state.seeds), SMOKE_SEEDS):
            return f"the budget of {self.budget.steps:,} environment steps is spent"
        return self.budget.stop_reason()

    def _generation(self, record: StudyRecord, known) -> None:
        """Proposes, plays what the ledger does not tell yet, settles."""
        state = self.state
        left = self.budget.steps_left if known is None else known["reserved_steps"]
        most = None if known is None else len(known["proposals"])
        proposals = [self._start] if state.next_generation == 0 else self._proposals(left, most)
        settled = record.known(known, proposals) if known is not None else {}
        rejected = [rejected_trial(one, self) for one in proposals if type(one) is Rejected]
        if known is None:
            record.begin(state.next_generation, proposals, left, rejected, state.archive.turn)
        else:
            record.complete(known, rejected)
        waiting = [one for one in proposals if type(one) is Candidate and one.index not in settled]
        if waiting:
            already = sum(one.trial.environment_steps for one in settled.values())
            settled.update(self.judge.play(waiting, already))
        for one in proposals:
            if type(one) is Rejected:
                settled[one.index] = CompletedTrial(rejected_trial(one, self), one.origin, one.checked, {}, {})
        best = state.archive.best
        before = None if best is None else best.best.score
        state.settle([settled[one.index] for one in proposals])
        if before is not None and state.archive.best.best.score > before:
            self._simplify(record)
        self._spent(record)
        self._announce(record, before)

    def _spent(self, record: StudyRecord) -> None:
        self.budget.steps_spent = self.state.steps_spent
        self.budget.programs_proposed = self.state.next_index

    @cached_property
    def _start(self) -> Candidate:
        """The program as it came. Raises NotProved."""
        proof = self.program.prove()
        if not proof.passed:
            raise NotProved(self.program, proof)
        checked = CheckedCandidate(self.program, structure_hash(self.program.flow))
        return Candidate(0, checked, proof.summary, "", "start", (), values_of(self.program.flow))

    def _proposals(self, steps_left: int | None, most: int | None = None) -> list[Candidate | Rejected]:
        state = self.state
        slots = self.lanes
        if steps_left is not None:
            # Near the end fewer are played, so that they come to their ends.
            slots = max(1, min(slots, steps_left // (self.judge.longest * len(state.seeds))))
        situation = SearchContext(
            state.archive,
            state.gates,
            state.recalled,
            state.subject,
            state.ended_dry,
            self.seed,
            state.next_index,
            slots,
            self.budget.programs_left if most is None else most,
            dict(state.credit),
            self.protocol,
            state.next_generation,
            tuple(state.recent),
            state.episodes,
            self.calls,
            self.budget,
            self._tell,
        )
        return self.proposer.propose(situation)

    def _announce(self, record: StudyRecord, before: float | None) -> None:
        best = self.state.archive.best
        if best is not None and (before is None or best.best.score > before):
            record.write_best(best_text(best.checked.program, self._header(best, None)))
            self._tell(
                {"event": "best", "score": best.best.score, "trial": best.best.trial, "text": best.checked.program.text}
            )
        self._tell(
            {
                "event": "generation",
                "generation": self.state.next_generation,
                "env_steps": self.state.steps_spent,
                "budget_steps": self.budget.steps,
                "programs": self.state.next_index,
                "best": None if best is None else best.best.score,
                "accepted": self.state.stopped_at[Gate.ACCEPTED],
                "stopped_at": dict(self.state.stopped_at),
                "seconds": self.budget.seconds,
            }
        )

    def tell_steps(self, env_steps: int) -> None:
        """Called while a generation plays."""
        steps = self.state.steps_spent + env_steps
        self._tell(
            {"event": "steps", "env_steps": steps, "budget_steps": self.budget.steps, "seconds": self.budget.seconds}
        )

    def _simplify(self, record: StudyRecord) -> None:
        """Leaves out of the best program what its episodes do not need, and goes on from what is left. Costs no step."""
        state, best = self.state, self.state.archive.best

        def same(candidate: CheckedCandidate) -> bool:
            known = state.recalled_returns(candidate)
            if known is None or sum(value for _, value, _ in known) / len(known) < best.best.score:
                return False
            return passes_known_cases(self.cases, candidate, state.recalled_case)

        smaller = simplified(best.checked, state.gates, same)
        if smaller is not best.checked:
            record.simplified(simplified_trial(self, best, smaller, state.recalled_returns(smaller)))
            state.archive.add(ScoredParameters(best.best.trial, values_of(smaller.flow), best.best.score), smaller)

    # the end

    def _header(self, best: Structure, proof: str | None) -> list[str]:
        seeds = self.state.seeds
        shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"mean of seeds {seeds[0]}..{seeds[-1]}"
        most = "" if self.max_steps is None else f" or {self.max_steps:,} in all"
        lines = [
            f"Found by hl synth from {self.program.name} (run seed {self.seed}): {best.best.score:g} under {self.protocol}, {shown},",
            f"after {self.state.steps_spent:,} environment steps; episodes ended after {self.no_reward_steps:,} steps without reward{most}.",
        ]
        return lines + ([] if proof is None else [f"Proof: {proof}."])

    def _finish(self, record: StudyRecord, reason: str, failed: bool = False) -> StudyResult:
        state = self.state
        best = state.archive.best
        if best is None:
            record.stop(reason, {})
            if state.refused_start is not None:
                raise HLError(
                    f"the program that the search begins from is no good: {reason}",
                    "mend it first, and start a new run; `hl regress` shows more",
                )
            raise HLError(
                f"the run stopped before its first episode ended: {reason}",
                "mend what failed, and start a new run"
                if self.judge.failures
                else "give it a larger budget, or go on with it by --resume",
            )
        program = best.checked.program
        proof = None
        if reason != INTERRUPTED:
            proof = program.prove()
            if not proof.passed:
                raise NotProved(program, proof)
        summary = "screened by the search's own gates" if proof is None else proof.summary
        text = best_text(program, self._header(best, None if proof is None else proof.summary))
        result = StudyResult(
            self.path,
            self.program.name,
            self.protocol,
            text,
            program.hash,
            best.best.score,
            state.archive.first,
            state.seeds,
            proof is not None,
            summary,
            state.next_index,
            state.stopped_at[Gate.ACCEPTED],
            dict(state.stopped_at),
            state.steps_spent,
            record.lost_steps,
            self.budget.seconds,
            reason,
            call_totals(record.folder.ledger.read()),
            failed,
        )
        self._tell({"event": "stop", "reason": reason, "score": result.score})
        try:
            record.write_best(text)
            record.stop(reason, {"best": result.program_hash, "score": result.score, "env_steps": result.env_steps})
        except HLError as problem:
            raise NotWritten(result, problem) from problem
        return result
