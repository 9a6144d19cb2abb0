"""Simulated candidates: counts of work, pruning, and simulations that diverge."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.compiler.planner.candidate_rollouts import NO_SCORE, CandidateRollouts
from hl_dsl.compiler.planner.controller import PlannedPolicy, controller_for
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.program import Program
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from tests.support.planned_programs import planning_of, program, recorded


def test_model_steps_are_not_environment_steps():
    flow = program("horizon 3   candidates 4   prune 1000").flow
    _, _, rollout = recorded(controller_for(flow), 2, 7)
    assert rollout.env_steps == 14
    assert planning_of(rollout) == (PlanningCounts(7 * 4 * 3 * 5, 0, 0),) * 2
    without_final = program("horizon 3   candidates 4", "").flow  # the result of the last step is not used
    assert planning_of(recorded(controller_for(without_final), 1, 7)[2])[0].steps == 7 * 4 * 2 * 5


class Failing(Simulator):
    """Steps diverge for the candidates in the mask that `fails` returns."""

    fails = staticmethod(lambda count: np.zeros(count, bool))

    def step(self, states, actions):
        after = super().step(states, actions)
        after[self.fails(len(after))] = np.nan
        return after


def failing(flow, fails):
    controller = PlannedPolicy(flow)
    controller._simulator = Failing(flow.card)
    controller._simulator.fails = fails
    return controller


def test_clipped_velocities_are_predicted_from_the_previous_tick():
    planned = Program.parse("""policy swing for "Walker2d-v5" {
  observe joint.angle
  act clamp([1, -1, 1, -1, 1, -1] * (if joint.angle[0] > 0 then 1 else -1) + residual, -1, 1)
  plan residual: vec[6] in [-1, 1] { horizon 2  candidates 3  each joint.angle[0] }
}""")
    policy = controller_for(planned.flow)
    simulator = Simulator(planned.card)
    policy.prepare([3, 4], 1)
    policy.reset(2)
    lanes = Environments(planned.card, "standard", [3, 4], 1)
    frame, hidden, ticks = lanes.reset(), 0, 0
    while len(frame.lanes) == 2:
        frame = lanes.step(policy.tick(frame))
        ticks += 2
        np.testing.assert_allclose(simulator.observations(policy._planner._predicted), frame.observation, atol=1e-5)
        hidden += np.count_nonzero(np.abs(frame.observation[:, 8:]) == 10)
        frame = frame.alive()
    lanes.close()
    assert hidden > 10
    # Each tick simulates one step of three candidates (without `final` the last step is not taken) and one step of the
    # chosen actions. Each is four steps of the model.
    assert sum(one.steps for one in policy.planning) == ticks * 4 * (3 * 1 + 1)


def test_diverged_candidate_is_dropped_and_counted():
    flow = program("horizon 2   candidates 4   sigma 0").flow
    controller = failing(flow, lambda count: np.arange(count) == 3 if count == 4 else np.zeros(count, bool))
    _, plans, rollout = recorded(controller, 1, 6)
    assert planning_of(rollout)[0].diverged == 6 and planning_of(rollout)[0].blind == 0
    assert rollout.lengths == (6,) and all(np.isfinite(plan).all() for plan in plans)


def test_planner_returns_zero_plan_when_all_candidates_fail():
    flow = program("horizon 2   candidates 3").flow
    _, plans, rollout = recorded(failing(flow, lambda count: np.ones(count, bool)), 2, 6)
    assert planning_of(rollout) == (PlanningCounts(6 * 3 * 5, 18, 6),) * 2
    assert all((plan == 0).all() for plan in plans)
    assert rollout.lengths == (6, 6) and rollout.complete


def test_nan_observation_gives_a_zero_plan():
    controller = PlannedPolicy(program().flow)
    controller.reset(2)
    observation = np.zeros((2, 17))
    observation[1] = np.nan
    for step in (0, 1):
        actions = controller.act({"observation": observation, "step": np.full(2, step, np.int32)})
    assert np.isfinite(actions).all()
    assert [row.blind for row in controller.planning] == [0, 2]


@hypothesis_settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31 - 1), st.floats(0.5, 6))
def test_pruning_keeps_the_scores_of_the_remaining_candidates(seed, prune):
    """Candidates that remain after pruning have the score that they have without it; the others have none."""
    flow = program("horizon 6   candidates 24   sigma 0.8   decay 0.2").flow
    controller, pruned = (
        PlannedPolicy(replace(flow, plan=replace(flow.plan, settings={**flow.plan.settings, "prune": value})))
        for value in (math.inf, prune)
    )
    whole, fewer = [], []
    for one, kept in ((controller, whole), (pruned, fewer)):
        one.prepare([seed], 1)
        one.reset(1)
        rollouts: CandidateRollouts = one._planner._rollouts
        original = rollouts.scores
        rollouts.scores = lambda *arguments, original=original, kept=kept: kept.append(original(*arguments)) or kept[-1]
        observation = np.random.default_rng(seed).uniform(-0.3, 0.3, (1, 17))
        one.act({"observation": observation, "step": np.zeros(1, np.int32)})
    alive = fewer[0] > NO_SCORE
    assert alive.any() and (fewer[0][alive] == whole[0][alive]).all()
    assert fewer[0].max() == fewer[0][alive].max() <= whole[0].max()
    assert pruned.planning[0].steps <= controller.planning[0].steps


def test_generous_pruning_does_not_change_the_plans():
    """Velocities change slowly here: a candidate 4 behind after a few ticks is never the best at the end."""
    results = []
    for prune in ("prune 4", ""):
        flow = program(f"horizon 6   candidates 16   sigma 0.9   {prune}").flow
        results.append(
            evaluate(
                controller_for(flow),
                flow.card,
                EpisodeSettings("standard", [0], max_steps=25),
                resources=Resources(num_threads=1),
            )
        )
    assert results[0].digests == results[1].digests
