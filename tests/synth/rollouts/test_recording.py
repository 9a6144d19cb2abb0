"""What a record adds up does not depend on blocks or on the lanes beside."""

import numpy as np
from hl_dsl.synth.rollouts.step_log import StepLog


def kept(rewards, actions, flush_at=()):
    record = StepLog(rewards.shape[1], (), np.dtype(np.int32))
    for step, (row, choice) in enumerate(zip(rewards, actions)):
        if record.keep(choice, row) or step in flush_at:
            record.flush()
    record.flush()
    return record


def test_sums_run_step_by_step_whatever_stands_beside():
    choose = np.random.default_rng(0)
    rewards = choose.normal(size=(1000, 5)) * 10.0 ** choose.integers(-9, 9, (1000, 5))
    actions = choose.integers(0, 4, (1000, 5)).astype(np.int32)
    together = kept(rewards, actions)
    blocks = kept(rewards, actions, flush_at={0, 17, 18, 400})
    for lane in range(5):
        plain = 0.0
        for reward in rewards[:, lane]:
            plain += float(reward)
        alone = kept(rewards[:, lane : lane + 1], actions[:, lane : lane + 1])
        assert together.returns[lane] == blocks.returns[lane] == alone.returns[0] == plain
        assert together.digests()[lane] == blocks.digests()[lane] == alone.digests()[0]
        assert together.last_scored[lane] == blocks.last_scored[lane] == 1 + np.flatnonzero(rewards[:, lane] > 0)[-1]
    assert together.lengths.tolist() == [1000] * 5


def test_a_digest_tells_one_changed_step_apart():
    rewards, actions = np.zeros((300, 1)), np.zeros((300, 1), np.int32)
    same = kept(rewards, actions).digests()
    other_action, other_reward = actions.copy(), rewards.copy()
    other_action[270], other_reward[3] = 1, 1.0
    assert kept(rewards, other_action).digests() != same != kept(other_reward, actions).digests()
    assert kept(rewards[:299], actions[:299]).digests() != same


def test_the_last_score_before_any_is_none():
    rewards = np.zeros((600, 2))
    rewards[4, 0], rewards[300, 0] = 1, -1
    assert kept(rewards, np.zeros((600, 2), np.int32)).last_scored.tolist() == [5, 0]
