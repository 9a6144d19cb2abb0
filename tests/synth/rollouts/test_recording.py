"""Step log: sums and digests depend neither on blocks nor on other lanes."""

import numpy as np

from hl_dsl.synth.rollouts.step_log import StepLog


def logged(rewards, actions, flush_at=()):
    record = StepLog(rewards.shape[1], (), np.dtype(np.int32))
    for step, (row, choice) in enumerate(zip(rewards, actions)):
        if record.keep(choice, row) or step in flush_at:
            record.flush()
    record.flush()
    return record


def test_rewards_are_added_in_the_order_of_the_steps():
    choose = np.random.default_rng(0)
    rewards = choose.normal(size=(1000, 5)) * 10.0 ** choose.integers(-9, 9, (1000, 5))
    actions = choose.integers(0, 4, (1000, 5)).astype(np.int32)
    together = logged(rewards, actions)
    blocks = logged(rewards, actions, flush_at={0, 17, 18, 400})
    for lane in range(5):
        plain = 0.0
        for reward in rewards[:, lane]:
            plain += float(reward)
        alone = logged(rewards[:, lane : lane + 1], actions[:, lane : lane + 1])
        assert together.returns[lane] == blocks.returns[lane] == alone.returns[0] == plain
        assert together.digests()[lane] == blocks.digests()[lane] == alone.digests()[0]
        assert together.last_scored[lane] == blocks.last_scored[lane] == 1 + np.flatnonzero(rewards[:, lane] > 0)[-1]
    assert together.lengths.tolist() == [1000] * 5


def test_digest_depends_on_every_action_and_reward():
    rewards, actions = np.zeros((300, 1)), np.zeros((300, 1), np.int32)
    same = logged(rewards, actions).digests()
    other_action, other_reward = actions.copy(), rewards.copy()
    other_action[270], other_reward[3] = 1, 1.0
    assert logged(rewards, other_action).digests() != same != logged(other_reward, actions).digests()
    assert logged(rewards[:299], actions[:299]).digests() != same


def test_last_scored_step_is_0_before_a_positive_reward():
    rewards = np.zeros((600, 2))
    rewards[4, 0], rewards[300, 0] = 1, -1
    assert logged(rewards, np.zeros((600, 2), np.int32)).last_scored.tolist() == [5, 0]
