"""Random baseline: samples a program's parameters uniformly, without search.

A search is useful only if it is better than this baseline at equal environment steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.candidates.parameter_sampling import anywhere
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.random_numbers import generator
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.pruning import default_no_reward_steps
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate


@dataclass(frozen=True)
class RandomBaselineResult:
    """Scores of random draws, without those that the step budget cut.

    Attributes:
        values: The parameters of each draw.
        scores: Its mean return over the seeds.
        env_steps: Environment steps of all draws.
    """

    values: tuple[dict[str, float], ...]
    scores: tuple[float, ...]
    env_steps: int

    @property
    def median(self) -> float:
        """The median score."""
        return median(self.scores)

    @property
    def best(self) -> float:
        """The best score."""
        return max(self.scores)

    def __str__(self) -> str:
        scores = f"median {self.median:g}, best {self.best:g}"
        return f"{len(self.scores)} random draws: {scores}, {self.env_steps:,} environment steps"


def random_constants(
    program: Program,
    protocol: str,
    seeds: Sequence[int] = (0,),
    draws: int = 24,
    seed: int = 0,
    no_reward_steps: int | None = None,
    step_budget: int | None = None,
    num_threads: int = 0,
) -> RandomBaselineResult:
    """Evaluates random parameters on every seed, in one batch.

    Args:
        program: The program.
        protocol: Protocol of the episodes.
        seeds: Seeds of the episodes.
        draws: Number of draws, each uniform in the parameters' ranges.
        seed: Seed of the draws.
        no_reward_steps: Steps without reward after which an episode ends; None: the default of a search.
        step_budget: Limit of environment steps; None: no limit.
        num_threads: Simulator threads; 0: one for each core.

    Raises:
        HLError: The program has no parameters, or no draw was finished within the budget.
        NotProved: The program is not proved.
    """
    parameters = program.flow.parameters
    if not parameters:
        raise HLError(f"{program.name} has no parameters to draw", "declare one: `param gain: real = 1 in [0, 10]`")
    proof = program.prove()
    if not proof.passed:
        raise NotProved(program, proof)
    values = []
    for draw in range(draws):
        random = generator(seed, draw, "null")
        values.append({parameter.name: anywhere(parameter, random) for parameter in parameters})
    lanes = tuple(lane_seed for _ in values for lane_seed in seeds)
    columns = {parameter.name: [drawn[parameter.name] for drawn in values for _ in seeds] for parameter in parameters}
    rollout = evaluate(
        ProgramBatch([Member(program.flow, len(lanes), columns)]),
        program.card,
        EpisodeSettings(protocol, lanes, None, no_reward_steps or default_no_reward_steps(program.card)),
        Resources(num_threads, num_envs=len(lanes)),
        step_budget=step_budget,
    )
    count = len(seeds)
    finished = [draw for draw in range(draws) if all(rollout.finished[draw * count : (draw + 1) * count])]
    if not finished:
        raise HLError("no draw was finished within the budget", "increase the budget of steps")
    scores = tuple(sum(rollout.returns[draw * count : (draw + 1) * count]) / count for draw in finished)
    return RandomBaselineResult(tuple(values[draw] for draw in finished), scores, rollout.env_steps)
