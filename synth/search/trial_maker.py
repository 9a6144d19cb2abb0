"""Trials of a study: records of what was proposed, evaluated, simplified or lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.program import Program
from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.parameter_values import values_of
from hl_dsl.synth.candidates.proposer import Candidate, Provenance, Rejected
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial, wasted_trial
from hl_dsl.synth.search.selection import CandidateResult


@dataclass(frozen=True)
class Usage:
    """Options and cost of the batches that a generation was evaluated in. Times are CPU and wall seconds a step."""

    options: Mapping[str, Any]
    cpu_per_step: float = 0.0
    wall_per_step: float = 0.0


@dataclass(frozen=True)
class TrialMaker:
    """Makes the trials of a study.

    Attributes:
        program: The initial program.
        protocol: Protocol of the episodes.
        run_seed: Seed of the study.
        proposer: Name of the proposer, for proposals that do not name one.
        kind: Kind of the trials.
    """

    program: Program
    protocol: str
    run_seed: int
    proposer: str
    kind: TrialKind = TrialKind.SEARCH

    def rejected(self, rejected: Rejected) -> Trial:
        """Trial of a proposal that a gate before the environment rejected."""
        return replace(
            self._proposed(rejected, rejected.text), gate=rejected.rejection.gate, reason=rejected.rejection.reason
        )

    def evaluated(self, result: CandidateResult, gate: Gate, reason: str, usage: Usage, steps_of_cases: int) -> Trial:
        """Trial of an evaluated candidate.

        Args:
            result: Its episodes, and how its evaluation failed.
            gate: The gate at which it stopped.
            reason: Why.
            usage: What its batches cost.
            steps_of_cases: Environment steps of its golden cases.
        """
        candidate, episodes, flow = result.candidate, result.episodes, result.candidate.checked.flow
        finished = [episode for episode in episodes if episode.status == EpisodeStatus.FINISHED]
        steps = sum(episode.length for episode in episodes) + steps_of_cases
        steps += result.failure.steps if result.failure is not None else 0
        return replace(
            self._proposed(candidate, self.text(candidate, gate is Gate.ACCEPTED)),
            gate=gate,
            accepted=gate is Gate.ACCEPTED,
            reason=reason,
            options=dict(usage.options) if episodes else {},
            seeds=tuple(episode.seed for episode in finished),
            returns=tuple(episode.value for episode in finished),
            lengths=tuple(episode.length for episode in finished),
            distinct_trajectories=len({episode.digest for episode in finished}),
            environment_steps=steps,
            cpu_seconds=steps * usage.cpu_per_step,
            wall_seconds=steps * usage.wall_per_step,
            proof={"status": candidate.proof},
            parameters=candidate.values,
            **EpisodeCounts.total(episode.counts for episode in episodes).trial_fields(flow),
        )

    def text(self, candidate: Candidate, is_accepted: bool) -> str:
        """The text that a candidate's trial records."""
        source = candidate.checked.program.source.text
        return source if candidate.index == 0 and source else candidate.checked.program.text

    def simplified(self, best: Structure, smaller: CheckedCandidate, known: Sequence[tuple[int, float, int]]) -> Trial:
        """Trial of a smaller program that acts as the best one on its episodes, given as (seed, return, length).

        The episodes are cached, so it cost no environment step.
        """
        program = smaller.program
        return Trial(
            kind=TrialKind.SIMPLIFY,
            program_name=program.name,
            program_hash=smaller.hash,
            program=program.text,
            parent_hashes=(best.checked.hash,),
            proposer="simplify",
            change=f"{len(best.checked.flow.nodes) - len(smaller.flow.nodes)} nodes removed",
            gate=Gate.ACCEPTED,
            accepted=True,
            reason=f"acts as trial {best.best.trial}",
            environment=self.program.card.environment,
            protocol=self.protocol,
            seeds=tuple(seed for seed, _, _ in known),
            returns=tuple(value for _, value, _ in known),
            lengths=tuple(length for _, _, length in known),
            parameters=values_of(smaller.flow),
            run_seed=self.run_seed,
        )

    def lost(self, steps: int, reason: str) -> Trial:
        """Trial of environment steps that led to no verdict."""
        return wasted_trial(
            {
                "environment": self.program.card.environment,
                "protocol": self.protocol,
                "run_seed": self.run_seed,
            },
            steps,
            reason,
        )

    def _proposed(self, proposal: Candidate | Rejected, text: str) -> Trial:
        checked = proposal.checked
        provenance = proposal.provenance or Provenance(self.proposer)
        return Trial(
            kind=self.kind,
            program_name=self.program.name if checked is None else checked.base.name,
            program_hash="" if checked is None else checked.hash,
            program=text,
            parent_hashes=proposal.parents,
            proposer=provenance.proposer,
            change=proposal.change,
            environment=self.program.card.environment,
            protocol=self.protocol,
            run_seed=self.run_seed,
            index=proposal.index,
            model=provenance.model,
            tokens=provenance.tokens,
            cost=provenance.cost,
        )
