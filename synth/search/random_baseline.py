"""What chance alone comes to: a program's parameters drawn at random, with no search at all.

A search is worth its name where it does better than this at equal steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from hl_dsl.synth.candidates.parameter_sampling import anywhere
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.random_numbers import generator
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.pruning import default_no_reward_steps
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program


@dataclass(frozen=True)
class RandomBaselineResult:
    """`scores[i]` is the mean return of draw i, `values[i]` its parameters. Draws that the step budget cut are left out."""

    values: tuple[dict[str, float], ...]
    scores: tuple[float, ...]
    env_steps: int

    @property
    def median(self) -> float:
        return median(self.scores)

    @property
    def best(self) -> float:
        return max(self.scores)

    def __str__(self) -> str:
        return f"{len(self.scores)} random draws: median {self.median:g}, best {self.best:g}, {self.env_steps:,} environment steps"


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
    """Plays `draws` random settings of the parameters, each anywhere in its range, on every seed, in one batch.

    `no_reward_steps`: None is what a study takes. Raises HLError for a program without parameters or a budget that lets no draw
    end, and NotProved.
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
        values.append({one.name: anywhere(one, random) for one in parameters})
    lanes = tuple(one for _ in values for one in seeds)
    columns = {one.name: [drawn[one.name] for drawn in values for _ in seeds] for one in parameters}
    rollout = evaluate(
        ProgramBatch([Member(program.flow, len(lanes), columns)]),
        program.card,
        EpisodeSettings(protocol, lanes, None, no_reward_steps or default_no_reward_steps(program.card)),
        Resources(num_threads, num_envs=len(lanes)),
        step_budget=step_budget,
    )
    count = len(seeds)
    ended = [draw for draw in range(draws) if all(rollout.finished[draw * count : (draw + 1) * count])]
    if not ended:
        raise HLError("no draw came to its end within the budget", "give it more steps")
    scores = tuple(sum(rollout.returns[draw * count : (draw + 1) * count]) / count for draw in ended)
    return RandomBaselineResult(tuple(values[draw] for draw in ended), scores, rollout.env_steps)
