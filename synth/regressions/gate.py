"""The gate of golden cases: what would be accepted in a search must pass them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.proposer import Candidate
from hl_dsl.synth.regressions.case import EpisodeCase, Regression, TraceCase
from hl_dsl.synth.regressions.play import CaseSettings, batches, episode_of
from hl_dsl.synth.regressions.verdicts import CaseResult, broken, of_episode, of_trace
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode import Recording

from hl_dsl.cards import Card

_KEY = "case "


def recording_key(case: str) -> str:
    """Under what name the episode of a case is kept, where others are kept by their seeds."""
    return _KEY + case


class CaseGate:
    """What became of the cases in one generation. Replayed ones come first: they cost nothing."""

    def __init__(self, cases: Sequence[Regression], card: Card):
        self._card = card
        self._traced = [one for one in cases if type(one) is TraceCase]
        self._played = [one for one in cases if type(one) is EpisodeCase]
        self._outcomes: dict[int, list[CaseResult]] = {}
        self._episodes: dict[int, dict[str, Episode]] = {}

    def replay(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Replays the kept runs; the candidates that go on."""
        for one in candidates:
            self._outcomes[one.index] = [of_trace(case, one.checked.flow) for case in self._traced]
        return self.going_on(candidates)

    def batches(self) -> Iterator[tuple[CaseSettings, list[EpisodeCase], list[int]]]:
        return batches(self._played)

    def take(
        self, candidates: Sequence[Candidate], cases: Sequence[EpisodeCase], episodes: Sequence[Sequence[Episode]]
    ) -> None:
        """Judges the episodes of a batch, a list for each candidate."""
        for one, every in zip(candidates, episodes):
            for case in cases:
                episode = episode_of(case, every)
                self._outcomes[one.index].append(of_episode(case, episode, self._card))
                self._episodes.setdefault(one.index, {})[case.name] = episode

    def going_on(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those that have broken nothing so far."""
        return [one for one in candidates if broken(self._outcomes[one.index]) is None]

    def pending(self, index: int) -> bool:
        """Whether the candidate's verdict still hangs on cases."""
        outcomes = self._outcomes.get(index, [])
        return len(outcomes) < len(self._traced) + len(self._played) and broken(outcomes) is None

    def reason(self, index: int) -> str | None:
        """Why a candidate is rejected; None where it passed."""
        found = broken(self._outcomes.get(index, []))
        if found is None:
            return None
        return f"case {found.name}: {found.detail if found.passed is False else 'the budget was spent before its episode ended'}"

    def steps(self, index: int) -> int:
        """The environment steps that a candidate's cases took; cases that share an episode share its steps."""
        return sum(one.length for one in {id(one): one for one in self._episodes.get(index, {}).values()}.values())

    def all_steps(self) -> int:
        return sum(self.steps(index) for index in self._episodes)

    def told(self, index: int) -> dict[str, dict]:
        """The outcomes as the ledger keeps them."""
        return {one.name: one.to_json() for one in self._outcomes.get(index, [])}

    def recordings(self, index: int) -> tuple[dict[str, Recording], dict[str, str]]:
        """The episodes of the cases, and how they ended, by `recording_key`."""
        episodes = {
            recording_key(name): one for name, one in self._episodes.get(index, {}).items() if one.recording is not None
        }
        return {key: one.recording for key, one in episodes.items()}, {key: one.status for key, one in episodes.items()}


def first_broken(told: Mapping[str, Mapping]) -> str | None:
    """Which case a trial on record broke."""
    return next((name for name, kept in told.items() if not kept["passed"]), None)


def keeps_cases(
    cases: Sequence[Regression], candidate: CheckedCandidate, recalled: Callable[[CheckedCandidate, str], bool]
) -> bool:
    """Whether a program passes all cases as far as that is known without a step: runs are replayed, episodes `recalled`."""
    return all(
        of_trace(case, candidate.flow).passed if type(case) is TraceCase else recalled(candidate, case.name)
        for case in cases
    )
