"""Packaged cards of continuous control agree with the simulator."""

import numpy as np
import pytest
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.simulator_pool import SimulatorPool

from hl_dsl.cards import known_environments, load_card
from hl_dsl.cards.reader import parse_card
from hl_dsl.cards.writer import card_text

CONTINUOUS = [one for one in known_environments() if not load_card(one).action.is_discrete]
MUJOCO = [one for one in CONTINUOUS if load_card(one).family == "mujoco"]
WANTED = {
    "Ant-v5", "HalfCheetah-v5", "Hopper-v5", "Walker2d-v5", "Humanoid-v5", "Swimmer-v5", "Reacher-v5", "Pusher-v5",
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5", "Pendulum-v1", "MountainCarContinuous-v0",
    "LunarLanderContinuous-v3", "BipedalWalker-v3",
    "BipedalWalkerHardcore-v3",
}  # fmt: skip


def test_every_environment_that_is_promised_has_a_card():
    assert set(CONTINUOUS) >= WANTED


@pytest.mark.parametrize("environment", CONTINUOUS)
def test_a_card_says_what_the_simulator_says(environment):
    card, spec = load_card(environment), SimulatorPool().spec(environment)
    assert spec.action.dtype == card.action.dtype and spec.action.shape == (card.action.size,)
    np.testing.assert_array_equal(np.broadcast_to(spec.action.minimum, card.action.size), card.action.low)
    np.testing.assert_array_equal(np.broadcast_to(spec.action.maximum, card.action.size), card.action.high)
    assert card.max_episode_steps == spec.max_episode_steps
    assert card.solved == spec.reward_threshold
    assert card.fields["obs"].index == tuple(range(spec.columns["observation"]))


@pytest.mark.parametrize("environment", CONTINUOUS)
@pytest.mark.parametrize("swing", [1, 7])
def test_what_is_observed_stays_within_the_ranges(environment, swing):
    """`swing` 1: random actions; 7: the strongest action either way, held for so many steps."""
    card, seeds = load_card(environment), range(3)
    choose = np.random.default_rng(swing)
    lanes = Environments(card, "standard", seeds, num_threads=1)
    frame, tick = lanes.reset(), 0
    whole = card.fields["obs"]
    while len(frame.lanes) and tick < 150:
        assert np.all((whole.low <= frame.observation) & (frame.observation <= whole.high))
        assert np.all((card.fields["reward"].low[0] <= frame.reward) & (frame.reward <= card.fields["reward"].high[0]))
        shape = card.action.shape(len(frame.lanes))
        if swing == 1:
            actions = choose.uniform(card.action.low, card.action.high, shape)
        else:
            if tick % swing == 0:
                signs = choose.integers(0, 2, card.action.size)
            actions = np.broadcast_to(np.where(signs, card.action.high, card.action.low), shape)
        frame = lanes.step(np.array(actions, card.action.dtype, order="C"))
        frame, tick = frame.alive(), tick + 1
    lanes.close()
    assert tick > 2


@pytest.mark.parametrize("environment", MUJOCO)
def test_the_clock_is_that_of_the_models_own_steps(environment):
    from hl_dsl.compiler.planner.simulator import Simulator

    card = load_card(environment)
    if card.model is None:
        assert "No model to plan with" in card.says
        return
    substeps = SimulatorPool().spec(environment).settings["frame_skip"]
    assert card.model.substeps == substeps
    assert card.time_step == pytest.approx(substeps * Simulator(card).timestep)


@pytest.mark.parametrize("environment", [one for one in MUJOCO if load_card(one).model is not None])
def test_joints_are_listed_in_the_order_of_the_action(environment):
    """So that `gain * (target - joint.angle)` is an action: each motor has the index of its joint."""
    from hl_dsl.compiler.planner.simulator import Simulator

    card = load_card(environment)
    model = Simulator(card).model
    joints = model.actuator_trnid[:, 0]
    turned = tuple(card.model.qpos[model.jnt_qposadr[joint]] for joint in joints)
    speeds = tuple(card.model.qvel[model.jnt_dofadr[joint]] for joint in joints)
    angle, velocity = (
        ("joint.angle", "joint.velocity") if "joint.angle" in card.fields else ("cart.position", "cart.velocity")
    )
    assert (card.fields[angle].index, card.fields[velocity].index) == (turned, speeds)
    assert np.all(model.actuator_gear[:, 0] > 0)
    whole = card.fields["obs"]
    for joint, column in zip(joints, turned):
        low, high = model.jnt_range[joint]
        assert whole.low[column] < low < high < whole.high[column]


@pytest.mark.parametrize("environment", CONTINUOUS)
def test_a_card_with_a_model_written_and_read_is_the_same(environment):
    card = load_card(environment)
    assert parse_card(card_text(card), card.origin) == card


def test_contacts_are_those_of_the_feet():
    """A contact force has six numbers for each body but the world, the upward one last; an ankle turns its own foot."""
    from hl_dsl.compiler.planner.simulator import Simulator

    card = load_card("Ant-v5")
    model = Simulator(card).model
    ankles = model.actuator_trnid[1::2, 0]
    first = card.fields["contact.force"].index[0]
    assert card.fields["foot.contact"].index == tuple(first + 6 * (body - 1) + 5 for body in model.jnt_bodyid[ankles])
    # Front is where the environment pays for going, the positive x axis; left is the positive y axis.
    places = [tuple(np.sign(model.body_pos[body][:2])) for body in model.jnt_bodyid[model.actuator_trnid[0::2, 0]]]
    assert (
        places == [(1, -1), (1, 1), (-1, 1), (-1, -1)]
        and "front right, front left, back left and back right" in card.fields["joint.angle"].says
    )
    card = load_card("Humanoid-v5")
    model = Simulator(card).model
    first = card.fields["contact.force"].index[0]
    assert card.fields["foot.contact"].index == tuple(
        first + 6 * (model.body(name).id - 1) + 5 for name in ("right_foot", "left_foot")
    )
