"""Verdicts on what was played: smoke seeds, development seeds, accepted or not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Sequence

from hl_dsl.compiler.ir import Dataflow
from hl_dsl.synth.archive import Structure
from hl_dsl.synth.defaults import values_of
from hl_dsl.synth.gates import Checked
from hl_dsl.synth.isolation.limits import EvaluatorFailed
from hl_dsl.synth.playing import CUT, FINISHED, LEFT, Episode, Played, play
from hl_dsl.synth.proposers import Candidate, Provenance, Rejected
from hl_dsl.synth.stopping import stopping
from hl_dsl.synth.study_state import Settled
from hl_dsl.synth.trials import Trial, cut_trial

if TYPE_CHECKING:
    from hl_dsl.synth.study import Study
    from hl_dsl.synth.study_record import StudyRecord


class Stopped(Exception):
    """A generation was cut by an interrupt or by the clock. What had finished is recorded."""


class Judge:
    """Plays candidates and says what became of them. `longest`: the longest of the best program's episodes."""

    def __init__(self, study: "Study", record: "StudyRecord"):
        self.study, self.record = study, record

    @property
    def longest(self) -> int:
        best = self.study.state.archive.best
        curves = [self.study.state.curve(seed) for seed in self.study.state.seeds] if best is not None else []
        return max((len(curve) for curve in curves if curve is not None), default=1)

    def play(self, candidates: Sequence[Candidate], already: int = 0) -> dict[int, Settled]:
        """The settled trials by number, each recorded. `already`: steps the generation took before an interrupt, on what
        is recorded. Raises Stopped."""
        state = self.study.state
        self.already, self.options, self.cpu_per_step, self.wall_per_step = already, {}, 0.0, 0.0
        self.failures: dict[int, EvaluatorFailed] = {}
        self.wasted = 0  # steps of batches that came to no result
        smoke = state.seeds[: state.smoke] if state.archive.best is not None else state.seeds
        rest = state.seeds[len(smoke) :]
        floor = state.floor(smoke)
        episodes = {one.index: [] for one in candidates}
        with stopping() as self.stopping:
            self._stage(candidates, smoke, episodes)
            passed = [one for one in candidates if one.index not in self.failures and _smoked(episodes[one.index], floor)] if rest else []
            if passed:
                self._stage(passed, rest, episodes)
            self.stopping.hold()
            self._charge_waste()
            return self._settle(candidates, episodes)

    def _stage(self, candidates: Sequence[Candidate], seeds: Sequence[int], episodes: dict[int, list[Episode]]) -> None:
        study = self.study
        before = self._taken(episodes)
        try:
            played = self._played([one.checked.flow for one in candidates], seeds, before)
        except EvaluatorFailed as failure:
            return self._after(failure, candidates, seeds, episodes)
        for one, found in zip(candidates, played.episodes):
            episodes[one.index] += found
        self._note(played)
        cut = any(one.status == CUT for every in played.episodes for one in every)
        if played.rollout.interrupted or cut and study.budget.out_of_time:
            self._stop(candidates, episodes)

    def _played(self, flows: list[Dataflow], seeds: Sequence[int], before: int) -> Played:
        study = self.study
        left = study.budget.steps_left
        return study.evaluator.run(
            study.play or play, flows, study.program.card, study.protocol, seeds, dry_steps=study.dry_steps, max_steps=study.max_steps,
            curves={seed: study.state.curve(seed) for seed in seeds}, step_budget=None if left is None else max(0, left - self.already - before),
            stop=lambda: study.budget.out_of_time, stopping=self.stopping, before_step=self.record.meter.after(before),
            on_progress=lambda steps: study.tell_steps(before + steps), num_threads=study.num_threads)

    def _taken(self, episodes: dict[int, list[Episode]]) -> int:
        """Steps of this generation so far."""
        return sum(one.length for every in episodes.values() for one in every) + self.wasted + sum(one.steps for one in self.failures.values())

    def _after(self, failure: EvaluatorFailed, candidates: Sequence[Candidate], seeds: Sequence[int], episodes: dict[int, list[Episode]]) -> None:
        """Goes on after an evaluator that came to no result: each program plays alone, and one that fails alone is judged."""
        if failure.outcome == "interrupted":
            self.wasted += failure.steps
            self._stop(candidates, episodes)
        if len(candidates) == 1:
            self.failures[candidates[0].index] = failure
            return
        self.wasted += failure.steps
        for one in candidates:
            self._stage([one], seeds, episodes)

    def _stop(self, candidates: Sequence[Candidate], episodes: dict[int, list[Episode]]) -> None:
        seeds = self.study.state.seeds
        whole = [one for one in candidates if len(episodes[one.index]) == len(seeds) and all(each.status != CUT for each in episodes[one.index])]
        self._settle(whole, episodes)
        lost = self._taken(episodes) - self.settled_steps
        self.record.lost(lost, cut_trial(self.study.settings(), lost, "steps of episodes that an interrupt cut"))
        raise Stopped

    def _charge_waste(self) -> None:
        """What batches wasted is charged to the programs that failed alone; where none did, it is listed as lost."""
        for number, (index, failure) in enumerate(sorted(self.failures.items())):
            share = self.wasted // (len(self.failures) - number)
            self.wasted -= share
            self.failures[index] = EvaluatorFailed(failure.outcome, failure.says, failure.steps + share)
        if self.wasted:
            self.record.lost(self.wasted, cut_trial(self.study.settings(), self.wasted, "steps of programs whose evaluator failed, and did not when each played alone"))
            self.wasted = 0

    def _note(self, played: Played) -> None:
        self.options = played.rollout.options
        steps = max(1, played.rollout.env_steps)
        self.cpu_per_step, self.wall_per_step = played.rollout.cpu_seconds / steps, played.rollout.wall_seconds / steps

    def _settle(self, candidates: Sequence[Candidate], episodes: dict[int, list[Episode]]) -> dict[int, Settled]:
        settled = {}
        for one in candidates:
            trial = self._trial(one, episodes[one.index])
            kept = {episode.seed: episode.recording for episode in episodes[one.index] if episode.recording is not None}
            statuses = {episode.seed: episode.status for episode in episodes[one.index]}
            settled[one.index] = Settled(trial, one.origin, one.checked, kept, statuses)
        self.settled_steps = sum(one.trial.environment_steps for one in settled.values())
        self.record.settle(list(settled.values()))
        return settled

    def _trial(self, one: Candidate, episodes: list[Episode]) -> Trial:
        study = self.study
        finished = [episode for episode in episodes if episode.status == FINISHED]
        failure = self.failures.get(one.index)
        steps = sum(episode.length for episode in episodes) + (failure.steps if failure else 0)
        gate, reason = self._verdict(one, episodes)
        return replace(
            _base(one, study), gate=gate, accepted=gate == "accepted", reason=reason, options=self.options if episodes else {},
            seeds=tuple(episode.seed for episode in finished), returns=tuple(episode.value for episode in finished),
            lengths=tuple(episode.length for episode in finished), distinct_trajectories=len({episode.digest for episode in finished}),
            environment_steps=steps, cpu_seconds=steps * self.cpu_per_step, wall_seconds=steps * self.wall_per_step,
            proof={"status": one.proof}, parameters=one.values,
            out_of_range={"all": sum(episode.out_of_range for episode in episodes)},
            assumption_violations=_counted(one.checked.flow.of_kind("assume"), [episode.assumption_violations for episode in episodes]),
            monitor_violations=_counted(one.checked.flow.of_kind("monitor"), [episode.monitor_violations for episode in episodes]))

    def _verdict(self, one: Candidate, episodes: list[Episode]) -> tuple[str, str]:
        """The gate and the reason. They hang on what was known when the generation began, not on its other trials."""
        state = self.study.state
        if one.index in self.failures:
            return "development" if episodes else "smoke", self.failures[one.index].says
        stage = "smoke" if len(episodes) <= state.smoke else "development"
        if any(episode.status == CUT for episode in episodes):
            return stage, "the budget was spent before its episode ended"
        if any(episode.status == LEFT for episode in episodes):
            return stage, "left: far behind the best program at the same tick"
        score = sum(episode.value for episode in episodes) / len(episodes)
        if len(episodes) < len(state.seeds):
            return "smoke", f"{score:g} on the smoke seeds is less than half way to the best"
        if state.archive.would_accept(one.checked.structure, score):
            return "accepted", ""
        return "development", f"{score:g} is no better than what is known"


def _smoked(episodes: list[Episode], floor: float | None) -> bool:
    if any(episode.status != FINISHED for episode in episodes):
        return False
    return floor is None or sum(episode.value for episode in episodes) / len(episodes) >= floor


def _counted(properties, rows: list[tuple[int, ...]]) -> dict[str, int]:
    return {item.name: sum(row[column] for row in rows) for column, item in enumerate(properties)}


def _base(one: Candidate | Rejected, study: "Study") -> Trial:
    checked = one.checked
    program = None if checked is None else checked.program
    origin = one.provenance or Provenance("local" if "," in study.proposer_name else study.proposer_name)
    return Trial(
        kind="search", program_name=study.program.name if program is None else program.name,
        program_hash="" if program is None else program.hash,
        program=one.text if type(one) is Rejected else program.source.text if one.index == 0 and program.source.text else program.text,
        parent_hashes=one.parents, proposer=origin.proposer, change=one.change, environment=study.program.card.environment,
        protocol=study.protocol, run_seed=study.seed, index=one.index,
        model=origin.model, tokens=origin.tokens, cost=origin.cost)


def rejected_trial(one: Rejected, study: "Study") -> Trial:
    """The record of a proposal that stopped in front of the environment."""
    return replace(_base(one, study), gate=one.rejection.gate, reason=one.rejection.reason)


def simplified_trial(study: "Study", best: Structure, smaller: Checked, known: list[tuple[int, float, int]]) -> Trial:
    """The record of a smaller program that plays the best one's episodes; they were recalled, so it cost nothing."""
    program = smaller.program
    return Trial(
        kind="simplify", program_name=program.name, program_hash=program.hash, program=program.text, parent_hashes=(best.checked.program.hash,),
        proposer="simplify", change=f"{len(best.checked.flow.nodes) - len(smaller.flow.nodes)} nodes left out", gate="accepted", accepted=True,
        reason=f"acts as trial {best.best.trial}", environment=study.program.card.environment, protocol=study.protocol,
        seeds=tuple(seed for seed, _, _ in known), returns=tuple(value for _, value, _ in known), lengths=tuple(length for _, _, length in known),
        parameters=values_of(smaller.flow), run_seed=study.seed)
