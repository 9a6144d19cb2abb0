"""Settings of a study, as `run.json` records them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hl_dsl.cards import Card
from hl_dsl.cases.documents import content_hash
from hl_dsl.cases.records import StoredCase
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.seed_ranges import refuse_other_seeds
from hl_dsl.synth.rollouts.pruning import default_no_reward_steps

DEVELOPMENT_SEEDS = tuple(range(8))
LANES = 8
SEARCH, TUNING = "synth", "tune"


@dataclass(frozen=True)
class TuningSettings:
    """Settings of `hl tune` alone.

    Attributes:
        params: Names or patterns of the parameters that are tuned; None: all.
        population: Samples in a generation; None: CMA-ES's default.
        step_size: Initial step size of CMA-ES as a part of each range; None: its default.
        fitness: What is maximized over the seeds: `mean`, `min` or a weighted sum.
        race: Whether a generation is a successive halving over seeds.
        center: Whether only the center of a generation may be accepted.
        short: Phases of short episodes, such as `200:20`; None: whole episodes from the start.
    """

    params: tuple[str, ...] | None = None
    population: int | None = None
    step_size: float | None = None
    fitness: str = "mean"
    race: bool = False
    center: bool = False
    short: str | None = None


@dataclass(frozen=True)
class StudySettings:
    """Everything that a study's trajectory depends on in addition to its program, cases and budget.

    Attributes:
        protocol: Protocol of the episodes; None: the environment's first.
        seeds: Development seeds; only the first is used if the protocol draws nothing at random.
        run_seed: Seed of all random numbers of the study.
        max_steps: Steps after which an episode ends; None: the environment's own limit.
        no_reward_steps: Steps without reward after which an episode ends; None: the default of the kind of study.
        lanes: Candidates in a generation of a search.
        proposer: Name of the proposer of a search; several names, separated by commas, take turns.
        tuning: Settings of a tuning; None: the study is a search.
    """

    protocol: str | None = None
    seeds: Sequence[int] = DEVELOPMENT_SEEDS
    run_seed: int = 0
    max_steps: int | None = None
    no_reward_steps: int | None = None
    lanes: int = LANES
    proposer: str = "local"
    tuning: TuningSettings | None = None

    @property
    def kind(self) -> str:
        """The command that runs such a study: `synth` or `tune`."""
        return SEARCH if self.tuning is None else TUNING

    def resolved(self, card: Card) -> StudySettings:
        """The settings with the defaults that depend on the environment.

        Raises:
            HLError: The environment has no such protocol, or the seeds are not development seeds.
        """
        refuse_other_seeds(self.seeds, "a search" if self.tuning is None else "a tuning")
        protocol = self.protocol or card.protocols[0]
        seeds = tuple(self.seeds)
        no_reward_steps = self.no_reward_steps
        if no_reward_steps is None and self.tuning is None:
            no_reward_steps = default_no_reward_steps(card)
        return replace(
            self,
            protocol=protocol,
            seeds=seeds if draws_at_random(card, protocol) else seeds[:1],
            no_reward_steps=no_reward_steps,
        )

    def episodes(self) -> EpisodeSettings:
        """Protocol, seeds and limits of the episodes, once the settings are resolved."""
        return EpisodeSettings(self.protocol or "", tuple(self.seeds), self.max_steps, self.no_reward_steps)

    def document(
        self, program: Program, cases: Sequence[StoredCase], proposer_settings: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """What `run.json` records of a study of `program`; the study is only resumed if all of it is equal.

        Args:
            program: The initial program.
            cases: Golden cases that accepted programs pass.
            proposer_settings: Settings of the proposer; None if its name says everything.
        """
        common = {
            "kind": self.kind,
            "environment": program.card.environment,
            "protocol": self.protocol,
            "run_seed": self.run_seed,
            "seeds": list(self.seeds),
            "no_reward_steps": self.no_reward_steps,
            "max_steps": self.max_steps,
        }
        return {
            **common,
            **(self._search_items(proposer_settings) if self.tuning is None else _tuning_items(self.tuning)),
            "program_hash": program.hash,
            "program": program.source.text or program.text,
            "regressions": {case.name: content_hash(case) for case in cases} or None,
        }

    def _search_items(self, proposer_settings: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"proposer": self.proposer, "lanes": self.lanes, "proposer_settings": proposer_settings}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> StudySettings:
        """The settings that a `run.json` records; those of earlier versions can be read too."""
        tuning = None
        if document["kind"] == TUNING:
            params = document.get("params")
            tuning = TuningSettings(
                None if params is None else tuple(params),
                document.get("population"),
                document.get("step_size"),
                document.get("fitness") or "mean",
                bool(document.get("race")),
                bool(document.get("center")),
                document.get("short"),
            )
        return cls(
            document["protocol"],
            tuple(document["seeds"]),
            document["run_seed"],
            document.get("max_steps"),
            document.get("no_reward_steps", document.get("dry_steps")),
            document.get("lanes", LANES),
            document.get("proposer", "local"),
            tuning,
        )


def _tuning_items(tuning: TuningSettings) -> dict[str, Any]:
    return {
        "params": None if tuning.params is None else list(tuning.params),
        "population": tuning.population,
        "step_size": tuning.step_size,
        "fitness": tuning.fitness,
        "race": tuning.race or None,
        "center": tuning.center or None,
        "short": tuning.short,
    }
