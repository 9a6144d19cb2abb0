"""The episode of a seed does not depend on the batch, and every environment step is counted."""

import os
import signal

import envpool
import numpy as np
import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.cards import load_card
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.protocols import protocol_options
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from tests.support.step_counter import steps_taken

CARTPOLE, BREAKOUT, PENDULUM = load_card("CartPole-v1"), load_card("Breakout-v5"), load_card("Pendulum-v1")


def by_seed(rollout):
    rows = zip(
        rollout.returns, rollout.lengths, rollout.finished, rollout.truncated, rollout.digests, rollout.counts,
    )  # fmt: skip
    return dict(zip(rollout.seeds, rows))


@pytest.mark.parametrize("protocol", ["noop", "sticky"])
def test_breakout_episode_does_not_depend_on_the_batch(protocol, scripted):
    def run(seeds, **more):
        return by_seed(
            evaluate(scripted(BREAKOUT), BREAKOUT, EpisodeSettings(protocol, seeds, max_steps=280), Resources(**more))
        )

    whole = run(range(5))
    assert run([3, 1], num_envs=1, num_threads=1) == {3: whole[3], 1: whole[1]}
    assert run([4, 2, 0, 3, 1], num_envs=3, num_threads=2) == whole
    assert len({row[4] for row in whole.values()}) > 2


@pytest.mark.parametrize("card", [CARTPOLE, PENDULUM], ids=lambda card: card.environment)
def test_episode_does_not_depend_on_the_batch(card, scripted, balancing):
    made = balancing if card is CARTPOLE else scripted

    def run(seeds, **more):
        return by_seed(evaluate(made(card), card, EpisodeSettings("standard", seeds), Resources(**more)))

    whole = run(range(12))
    assert run(range(12), num_envs=1, num_threads=1) == whole
    assert run(reversed(range(12)), num_envs=5, num_threads=2) == whole
    assert run([7], num_envs=256) == {7: whole[7]}
    if card is CARTPOLE:
        assert len({row[1] for row in whole.values()}) > 3, "the episodes must differ in length"


def test_equal_seeds_give_equal_episodes(balancing):
    rollout = evaluate(balancing(CARTPOLE), CARTPOLE, EpisodeSettings("standard", [5, 6, 5, 5]))
    assert rollout.returns[0] == rollout.returns[2] == rollout.returns[3] and rollout.distinct_trajectories == 2


@pytest.mark.filterwarnings("ignore:.*precision lowered")
@pytest.mark.parametrize(
    "card, protocol, limit", [(CARTPOLE, "standard", 500), (BREAKOUT, "noop", 300), (PENDULUM, "standard", 200)]
)
def test_return_equals_that_of_bare_envpool(card, protocol, limit, scripted, balancing):
    made = balancing if card is CARTPOLE else scripted
    rollout = evaluate(made(card), card, EpisodeSettings(protocol, [11, 12], max_steps=limit))
    for seed, total, length in zip(rollout.seeds, rollout.returns, rollout.lengths):
        pool = envpool.make_gymnasium(card.environment, num_envs=1, env_seed=[seed], **protocol_options(card, protocol))
        observation, info = pool.reset()
        controller, summed, steps, done = made(card), 0.0, 0, False
        controller.reset(1)
        while not done and steps < limit:
            frame = BareFrame(observation, info)
            observation, reward, terminated, truncated, info = pool.step(controller.tick(frame))
            summed, steps, done = summed + float(reward[0]), steps + 1, bool(terminated[0] | truncated[0])
        assert (total, length) == (summed, steps)


class BareFrame:
    def __init__(self, observation, info):
        self.lanes, self.observation, self.ram, self.step = (
            np.zeros(1, np.int32),
            observation,
            info.get("ram"),
            info["elapsed_step"],
        )


def test_every_step_is_counted_and_none_is_taken_after_the_end_of_an_episode(balancing):
    before, controller = steps_taken(), balancing(CARTPOLE)
    rollout = evaluate(controller, CARTPOLE, EpisodeSettings("standard", range(20)), resources=Resources(num_envs=8))
    assert rollout.complete and len(rollout.seeds) == 20
    assert rollout.env_steps == sum(rollout.lengths) == sum(controller.ticks) == steps_taken() - before
    assert tuple(counts.out_of_range for counts in rollout.counts) == rollout.lengths
    assert max(controller.ticks) == 8
    assert sum(rollout.returns) == sum(rollout.lengths)


def test_counts_are_reported_for_each_seed(scripted):
    rollout = evaluate(
        scripted(BREAKOUT), BREAKOUT, EpisodeSettings("noop", range(3), max_steps=60), resources=Resources(num_envs=2)
    )
    for counts in rollout.counts:
        assert counts.out_of_range == 60 and 0 < counts.assumption_violations[0] < 60
        assert len(counts.assumption_violations) == 1 and counts.monitor_violations == ()


def test_equal_trajectories_are_counted_once(scripted):
    def distinct(protocol):
        return evaluate(
            scripted(BREAKOUT), BREAKOUT, EpisodeSettings(protocol, range(4), max_steps=40)
        ).distinct_trajectories

    assert distinct("deterministic") == 1 and distinct("sticky") == 4


def test_truncated_episodes_are_marked(scripted, balancing):
    ended = evaluate(balancing(CARTPOLE), CARTPOLE, EpisodeSettings("standard", range(6)))
    assert list(ended.truncated) == [length == 500 for length in ended.lengths] and not all(ended.truncated)
    cut = evaluate(balancing(CARTPOLE), CARTPOLE, EpisodeSettings("standard", range(6), max_steps=9))
    assert cut.truncated == (True,) * 6 and cut.lengths == (9,) * 6 and cut.complete
    assert evaluate(scripted(PENDULUM), PENDULUM, EpisodeSettings("standard", [0])).truncated == (True,)


def test_step_budget_is_not_exceeded(scripted):
    rollout = evaluate(
        scripted(BREAKOUT),
        BREAKOUT,
        EpisodeSettings("deterministic", range(6), max_steps=30),
        step_budget=101,
        resources=Resources(num_envs=2),
    )
    assert rollout.env_steps == 100 and rollout.lengths == (30, 30, 20, 20) and not rollout.complete
    assert rollout.finished == (True, True, False, False) and rollout.seeds == (0, 1, 2, 3)
    nothing = evaluate(scripted(BREAKOUT), BREAKOUT, EpisodeSettings("deterministic", [0]), step_budget=0)
    assert nothing.env_steps == 0 and nothing.lengths == (0,) and not nothing.interrupted


def test_interrupted_rollout_holds_the_steps_so_far(scripted):
    def stop(environments, frame, actions):
        if environments.seeds == (2, 3) and frame.step[0] == 12:
            os.kill(os.getpid(), signal.SIGINT)

    before = steps_taken()
    rollout = evaluate(
        scripted(BREAKOUT),
        BREAKOUT,
        EpisodeSettings("deterministic", range(6), max_steps=20),
        resources=Resources(num_envs=2),
        callbacks=RolloutCallbacks(on_tick=stop),
    )
    assert rollout.interrupted and not rollout.complete
    assert rollout.seeds == (0, 1, 2, 3) and rollout.seeds_wanted == 6
    assert rollout.finished == (True, True, False, False)
    assert rollout.lengths == (20, 20, 12, 12) and rollout.distinct_trajectories == 1
    assert rollout.env_steps == 64 == steps_taken() - before
    again = evaluate(scripted(BREAKOUT), BREAKOUT, EpisodeSettings("deterministic", [0], max_steps=20))
    assert again.returns[0] == rollout.returns[0] and again.digests[0] == rollout.digests[0]


def test_interrupt_before_the_first_step_is_reported(scripted):
    class Slow(scripted):
        def reset(self, num_lanes):
            raise KeyboardInterrupt

    rollout = evaluate(Slow(CARTPOLE), CARTPOLE, EpisodeSettings("standard", [1, 2]))
    assert rollout.interrupted and rollout.env_steps == 0 and rollout.finished == (False, False)


def test_abandoned_lanes_stop_and_the_others_continue(scripted):
    reports = []

    def abandon(progress):
        reports.append((progress.env_steps, progress.running.tolist(), progress.lengths.tolist()))
        return np.array([True, False, True])

    acrobot = load_card("Acrobot-v1")
    rollout = evaluate(
        scripted(acrobot), acrobot, EpisodeSettings("standard", [4, 5, 6]), callbacks=RolloutCallbacks(abandon=abandon)
    )
    whole = evaluate(scripted(acrobot), acrobot, EpisodeSettings("standard", [4, 5, 6]))
    assert reports[0] == (768, [0, 1, 2], [256, 256, 256])
    assert rollout.lengths == (256, whole.lengths[1], 256) and rollout.finished == (False, True, False)
    assert rollout.returns[1] == whole.returns[1] and rollout.digests[1] == whole.digests[1]
    assert rollout.env_steps == sum(rollout.lengths) and whole.lengths[1] > 256
    assert not rollout.complete and rollout.distinct_trajectories == 1


def test_progress_holds_the_last_step_with_a_reward(balancing):
    seen = []

    def see(progress):
        scored, lengths = progress.last_scored.copy(), progress.lengths.copy()
        seen.append((progress.first, progress.env_steps, progress.episodes, scored, lengths))

    rollout = evaluate(
        balancing(CARTPOLE),
        CARTPOLE,
        EpisodeSettings("standard", range(5)),
        Resources(num_envs=3),
        RolloutCallbacks(on_progress=see),
    )
    assert [row[1] for row in seen] == sorted(row[1] for row in seen) and seen[-1][1:3] == (rollout.env_steps, 5)
    assert {row[0] for row in seen} == {0, 3}
    assert all((row[3] == row[4]).all() for row in seen), "every step of CartPole scores"


def test_on_tick_sees_every_tick_and_every_end(balancing):
    ticks, ends = [], []

    def watch(environments, frame, actions):
        if actions is None:
            assert frame.done.all()
            ends.extend(zip((environments.seeds[lane] for lane in frame.lanes), frame.step.tolist()))
        else:
            assert len(actions) == len(frame.lanes) and not frame.done.any()
            ticks.append(len(actions))

    rollout = evaluate(
        balancing(CARTPOLE),
        CARTPOLE,
        EpisodeSettings("standard", range(6)),
        resources=Resources(num_envs=4),
        callbacks=RolloutCallbacks(on_tick=watch),
    )
    assert dict(ends) == dict(zip(rollout.seeds, rollout.lengths)) and sum(ticks) == rollout.env_steps


def test_zero_environments_or_seeds_are_an_error(scripted):
    with pytest.raises(HLError, match="too few"):
        evaluate(scripted(CARTPOLE), CARTPOLE, EpisodeSettings("standard", [0]), resources=Resources(num_envs=0))
    with pytest.raises(HLError, match="at least one seed"):
        evaluate(scripted(CARTPOLE), CARTPOLE, EpisodeSettings("standard", []))
