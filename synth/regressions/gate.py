"""Regression gate of a study: a program is accepted only if it passes all cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hl_dsl.cards import Card
from hl_dsl.cases.records import CounterexampleCase, EpisodeCase, StoredCase
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.regressions.batches import batches, episode_of
from hl_dsl.synth.regressions.verdicts import CaseResult, check_counterexample, check_episode, first_failure
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus

_KEY_PREFIX = "case "


def recording_key(case: str) -> str:
    """Returns the key of a case's episode among recordings, whose other keys are seeds."""
    return _KEY_PREFIX + case


class CaseGate:
    """Results of the cases in one generation, by the trial number of the program.

    Counterexamples are replayed first, since they cost no environment step.
    """

    def __init__(self, cases: Sequence[StoredCase], card: Card):
        self._card = card
        self._counterexamples = [case for case in cases if isinstance(case, CounterexampleCase)]
        self._episode_cases = [case for case in cases if isinstance(case, EpisodeCase)]
        self._results: dict[int, list[CaseResult]] = {}
        self._episodes: dict[int, dict[str, Episode]] = {}

    def replay(self, index: int, flow: Dataflow) -> bool:
        """Replays the counterexamples on a program. Must be called before its episodes; true if it passes."""
        self._results[index] = [check_counterexample(case, flow) for case in self._counterexamples]
        return self.passes_so_far(index)

    def batches(self) -> Iterator[tuple[EpisodeSettings, list[EpisodeCase]]]:
        """Yields the settings of each batch of episodes, and the cases that it decides."""
        return batches(self._episode_cases)

    def record_episodes(self, index: int, cases: Iterable[EpisodeCase], episodes: Sequence[Episode]) -> None:
        """Records the results of a program's episodes in a batch."""
        for case in cases:
            episode = episode_of(case, episodes)
            self._results[index].append(check_episode(case, episode, self._card))
            self._episodes.setdefault(index, {})[case.name] = episode

    def passes_so_far(self, index: int) -> bool:
        """True if the program has failed no case so far."""
        return first_failure(self._results.get(index, [])) is None

    def is_pending(self, index: int) -> bool:
        """True if the program's acceptance depends on cases that have no result yet."""
        results = self._results.get(index, [])
        total = len(self._counterexamples) + len(self._episode_cases)
        return len(results) < total and first_failure(results) is None

    def rejection_reason(self, index: int) -> str | None:
        """Returns why a program is rejected; None if it passes."""
        failure = first_failure(self._results.get(index, []))
        if failure is None:
            return None
        detail = failure.detail if failure.passed is False else "the budget was spent before its episode ended"
        return f"case {failure.name}: {detail}"

    def steps(self, index: int) -> int:
        """Returns the environment steps of a program's cases; cases with the same episode share its steps."""
        distinct = {id(episode): episode for episode in self._episodes.get(index, {}).values()}
        return sum(episode.length for episode in distinct.values())

    def all_steps(self) -> int:
        """Returns the environment steps of all programs' cases."""
        return sum(self.steps(index) for index in self._episodes)

    def results_json(self, index: int) -> dict[str, dict[str, Any]]:
        """Returns the results as the ledger stores them."""
        return {result.name: result.to_json() for result in self._results.get(index, [])}

    def recordings(self, index: int) -> tuple[dict[str, Recording], dict[str, EpisodeStatus]]:
        """Returns the recordings of the cases' episodes and their statuses, by `recording_key`."""
        recordings, statuses = {}, {}
        for name, episode in self._episodes.get(index, {}).items():
            if episode.recording is not None:
                recordings[recording_key(name)] = episode.recording
                statuses[recording_key(name)] = episode.status
        return recordings, statuses


def first_failed_case(results: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Returns the name of the first case that a recorded trial failed."""
    return next((name for name, entry in results.items() if not entry["passed"]), None)


def passes_known_cases(
    cases: Sequence[StoredCase], candidate: CheckedCandidate, is_known: Callable[[CheckedCandidate, str], bool]
) -> bool:
    """Returns true if a program is known to pass all cases without an environment step.

    Args:
        cases: Cases that it must pass.
        candidate: The program.
        is_known: True if the program acts in a case's episode as a recorded program that passed it.
    """
    return all(
        check_counterexample(case, candidate.flow).passed
        if isinstance(case, CounterexampleCase)
        else is_known(candidate, case.name)
        for case in cases
    )
