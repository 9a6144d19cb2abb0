"""One generation: its samples are played, judged and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hl_dsl.synth.rollouts.interrupts import SignalInterrupt, defer_interrupts
from hl_dsl.synth.rollouts.pruning import rungs
from hl_dsl.synth.runs.run_result import INTERRUPTED
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.tuning.fitness import Fitness
from hl_dsl.synth.tuning.sample_runner import BudgetExhausted, SampleRunner, TuningInterrupted
from hl_dsl.synth.tuning.samples import Sample
from hl_dsl.synth.tuning.tuning_record import HELD, SPENT, TuningRecord

RACE_SEEDS = 2  # that every sample of a race plays


class Generations:
    """All that was played so far, by its values; `best` is what was accepted last. `race`: see `Tuning`."""

    def __init__(
        self,
        player: SampleRunner,
        book: TuningRecord,
        fitness: Fitness,
        seeds: Sequence[int],
        race: bool,
        tell: Callable[[dict[str, Any]], None],
    ):
        self.player, self.book, self.fitness, self.seeds, self.race, self.tell = (
            player,
            book,
            fitness,
            tuple(seeds),
            race,
            tell,
        )
        self.samples: dict[tuple, Sample] = {}
        self.best: Sample | None = None

    def play(
        self, every: Sequence[Mapping[str, float]], cap: int | None = None, center: Mapping[str, float] | None = None
    ) -> list[Sample]:
        """The samples with these values, each played once in a run, judged and written down. With a `center`, which is played
        beside them, that alone may be accepted. Raises Cut."""
        asked = [Sample(0, dict(values), cap, eligible=center is None) for values in every]
        if center is not None:
            asked.append(Sample(0, dict(center), cap))
        new: dict[tuple, Sample] = {}
        for one in asked:
            key = self.book.key(one)
            if key not in self.samples and key not in new:
                one.number, one.known = len(self.samples) + len(new), self.book.known(one.values, cap)
                new[key] = one
            elif key in new:
                new[key].eligible |= one.eligible
        if new:
            self._settle(new)
        return [self.samples[self.book.key(one)] for one in asked]

    def best_of(self, cap: int | None) -> Sample | None:
        """The best of whole episodes, or of those with a cap."""
        if cap is None:
            return self.best
        played = [
            one
            for one in self.samples.values()
            if one.cap == cap and one.score is not None and not one.dropped and one.eligible
        ]
        return max(played, key=lambda one: (one.score, -one.number), default=None)

    def _settle(self, new: dict[tuple, Sample]) -> None:
        samples, cut, before = list(new.values()), None, self.best
        with defer_interrupts() as stop:
            self.player.begin(self.book.sequence)
            try:
                self._refuse_overspending(samples)
                self._episodes(samples, stop)
            except TuningInterrupted as came:
                cut = came
            if cut is None or str(cut) != INTERRUPTED:
                try:
                    self._judge(samples, stop, cut)
                except TuningInterrupted as came:
                    cut = came
            stop.hold()
            self._leave_open(samples, cut)
            self.book.write(samples)
        self.samples.update((key, one) for key, one in new.items() if one.score is not None and one.gate != Gate.NONE)
        if self.best is not before:
            known = self.best.known is not None and self.best.known.accepted
            self.tell({"event": "best", "score": self.best.score, "values": self.best.values, "known": known})
        if cut is not None:
            raise cut

    def _refuse_overspending(self, samples: list[Sample]) -> None:
        """Raises Spent where a sample is to be played and no steps are left for it, or were not left for it before. What is on
        record stands then as it did when the steps were spent."""
        waiting = [one for one in samples if one.known is None]
        try:
            if any(self.book.was_cut(one, self.player.budget.steps) for one in waiting):
                raise self.player.spent()
            if waiting:
                self.player.refuse_overspending()
        except BudgetExhausted:
            for one in samples:
                if one.known is not None and one.known.gate != Gate.NONE and not self._is_whole(one):
                    one.dropped = True
                    self._score(one)
            raise

    def _episodes(self, samples: list[Sample], stop: SignalInterrupt) -> None:
        """Plays all seeds, or in a race only as many as a sample's rank calls for."""
        racing = self.race and len(samples) > 1
        going_on, played = samples, ()
        for number, seeds in enumerate(rungs(self.seeds, RACE_SEEDS) if racing else [self.seeds]):
            if number:
                going_on = self._better_half(going_on, played)
            played += tuple(seeds)
            missing = [one for one in going_on if not set(seeds) <= set(one.returns)]
            if missing:
                self.player.play(missing, seeds, stop)
        for one in samples:
            self._score(one)

    def _better_half(self, samples: list[Sample], seeds: Sequence[int]) -> list[Sample]:
        """Those that go on, by these seeds alone, though more of some may be on record; the others are left as they are."""
        for one in samples:
            one.score = self.fitness([one.returns[seed] for seed in seeds])
        ranked = sorted(samples, key=lambda one: (-one.score, one.number))
        kept = ranked[: (len(ranked) + 1) // 2]
        for one in ranked[len(kept) :]:
            one.dropped = True
        return sorted(kept, key=lambda one: one.number)

    def _score(self, one: Sample) -> None:
        returns = one.returns
        one.score = self.fitness([returns[seed] for seed in self.seeds if seed in returns])

    def _is_whole(self, one: Sample) -> bool:
        return set(self.seeds) <= set(one.returns)

    def _judge(self, samples: list[Sample], stop: SignalInterrupt, cut: TuningInterrupted | None) -> None:
        """Verdicts on what was played to its end: the best one of a generation is accepted where it is better than all before
        and breaks no case. Raises Cut."""
        whole = [one for one in samples if not one.dropped and self._is_whole(one)]
        for one in whole:
            self._score(one)
        dropped = [one for one in samples if one.dropped]
        for one in dropped:
            one.gate, one.reason = (
                Gate.PRUNED,
                f"{one.score:g} on {len(one.returns)} seeds: not in the better half of its generation",
            )
        if whole:
            worst = min(one.score for one in whole)
            for one in samples:
                one.told = None if one.score is None else min(one.score, worst) if one.dropped else one.score
            for one in whole:
                if one.cap is not None:
                    one.gate, one.reason = Gate.QUICK_SEEDS, f"in episodes of at most {one.cap} steps"
                else:
                    one.gate, one.reason = (
                        Gate.ALL_SEEDS,
                        "no better than the best so far" if one.eligible else "a sample: only a center is accepted",
                    )
            if whole[0].cap is None:
                self._accept(
                    [one for one in whole if one.eligible and (cut is None or not _passed_over(one))], worst, stop
                )

    def _accept(self, whole: list[Sample], worst: float, stop: SignalInterrupt) -> None:
        for one in sorted(whole, key=lambda one: (-one.score, one.number)):
            if self.best is not None and one.score <= self.best.score:
                return
            one.gate = one.reason = None  # open until its cases are played
            broken = self._breaks(one, stop)
            if broken is None:
                one.gate, one.reason, self.best = Gate.ACCEPTED, "", one
                return
            one.gate, one.reason = Gate.REGRESSION, broken
            one.told = worst  # so that the strategy leaves what breaks cases

    def _breaks(self, one: Sample, stop: SignalInterrupt) -> str | None:
        """Why a sample breaks a case, as it is on record or as it is played now."""
        if one.known is not None and one.known.gate in (Gate.ACCEPTED, Gate.REGRESSION):
            one.cases = one.known.cases
            return one.known.reason or None
        return self.player.passes(one, stop) if self.player.cases else None

    def _leave_open(self, samples: list[Sample], cut: TuningInterrupted | None) -> None:
        """What has no verdict because the run was cut."""
        for one in samples:
            if one.gate is None:
                finished = self._is_whole(one) and not one.case_steps
                spent = str(cut) != INTERRUPTED
                one.gate = Gate.NONE
                one.reason = HELD if finished and not spent else SPENT if isinstance(cut, BudgetExhausted) else str(cut)


def _passed_over(one: Sample) -> bool:
    """Whether it was judged before, and its cases were not asked for: one that was to come before it was cut."""
    return one.known is not None and one.known.gate in (Gate.ALL_SEEDS, Gate.PRUNED)
