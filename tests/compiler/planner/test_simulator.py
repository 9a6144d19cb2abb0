"""The planner's simulator: its predictions are compared with EnvPool's next observations."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Model, known_environments, load_card
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.synth.environments.environments import Environments

# One-step error, the largest over the columns: (median, 90th of 100 steps). EnvPool steps MuJoCo 3.6, this is 4.0.
ERRORS = {
    "HalfCheetah-v5": (1e-13, 1e-11),
    "Hopper-v5": (1e-14, 1e-13),
    "Swimmer-v5": (1e-14, 1e-12),
    "InvertedPendulum-v5": (1e-14, 1e-13),
    "Humanoid-v5": (1e-5, 1e-4),
    "Ant-v5": (1e-4, 2e-3),
    "Walker2d-v5": (1e-13, 1e-11),
}
CHEETAH = load_card("HalfCheetah-v5")


def steps(card, swing, seeds, ticks):
    """Steps of real episodes with random actions: lanes (n,), observations, actions, next observations."""
    choose, lanes = np.random.default_rng(0), Environments(card, "standard", seeds, num_threads=1)
    frame = lanes.reset()
    while len(frame.lanes) and ticks:
        actions = swing * choose.uniform(card.action.low, card.action.high, card.action.shape(len(frame.lanes)))
        rows, before = frame.lanes, frame.observation
        frame = lanes.step(actions)
        yield rows, before, actions, frame.observation
        frame, ticks = frame.alive(), ticks - 1
    lanes.close()


def clipped(card, shown):
    """Whether a velocity is shown at its limit, (n,)."""
    return np.any(np.abs(shown[:, list(card.model.qvel)]) >= (card.model.velocity_limit or np.inf), axis=1)


def one_step_errors(environment, swing, seeds=range(6), ticks=80):
    """Errors of the predicted columns over real episodes, (steps,), without steps from a clipped velocity."""
    card = load_card(environment)
    simulator, errors = Simulator(card), []
    for _, before, actions, after in steps(card, swing, seeds, ticks):
        predicted = simulator.observations(simulator.step(simulator.states(before), actions))
        shown = np.delete(np.abs(predicted - after)[~clipped(card, before)], sorted(simulator.unpredicted), axis=1)
        errors.append(shown.max(axis=1))
    return np.concatenate(errors)


@pytest.mark.parametrize("environment", ERRORS)
def test_one_step_errors_are_below_those_of_the_card(environment):
    # Strong actions swing Walker2d's joints beyond the shown range and end InvertedPendulum's episodes after few steps.
    errors = one_step_errors(environment, 0.1 if environment in ("Walker2d-v5", "InvertedPendulum-v5") else 1.0)
    median, ninetieth = ERRORS[environment]
    assert len(errors) > 50
    assert np.median(errors) < median and np.quantile(errors, 0.9) < ninetieth


def test_every_card_with_a_model_has_error_bounds():
    assert {name for name in known_environments() if load_card(name).model is not None} == set(ERRORS)


def test_steps_do_not_depend_on_the_batch_or_the_threads():
    card = load_card("Ant-v5")
    one, two = Simulator(card), Simulator(card, num_threads=2)
    choose = np.random.default_rng(1)
    states = one.states(np.tile(card.fields["obs"].default, (9, 1)))
    for _ in range(3):
        actions = choose.uniform(-1, 1, (9, 8))
        after = one.step(states, actions)
        np.testing.assert_array_equal(after, two.step(states, actions))
        np.testing.assert_array_equal(after, np.vstack([one.step(states[[row]], actions[[row]]) for row in range(9)]))
        states = after
    assert two.steps == 3 * 9 * 5 and one.steps == 2 * two.steps


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=17, max_size=17))
def test_observation_of_the_state_of_an_observation_is_the_same(numbers):
    observation = np.array([numbers])
    simulator = Simulator(CHEETAH)
    states = simulator.states(observation)
    assert states.shape == (1, 1 + 9 + 9) and states[0, 0] == 0
    np.testing.assert_array_equal(simulator.observations(states), observation)


def test_velocities_are_clipped_and_hidden_columns_are_zero():
    walker = Simulator(load_card("Walker2d-v5"))
    states = walker.states(np.zeros((1, 17)))
    states[:, 1 + 9 :] = 25.0
    assert np.all(walker.observations(states)[:, 8:] == 10.0) and walker.unpredicted == frozenset()
    ant = Simulator(load_card("Ant-v5"))
    assert ant.unpredicted == frozenset(range(27, 105))
    assert not ant.observations(np.ones((1, 1 + 15 + 14)))[:, 27:].any()


def test_clipped_velocities_are_replaced_by_predictions():
    """In real episodes joints swing beyond ±10. The observation alone then gives a large error."""
    card = load_card("Walker2d-v5")
    simulator, alone, together = Simulator(card), [], []
    predicted_before = np.full((8, simulator.size), np.nan)
    for rows, before, actions, after in steps(card, 1.0, range(8), card.max_episode_steps):
        guessed = simulator.step(simulator.states(before), actions)
        predicted_before[rows] = simulator.step(simulator.states(before, predicted_before[rows]), actions)
        for states, errors in ((guessed, alone), (predicted_before[rows], together)):
            errors += (
                np.abs(simulator.observations(states) - after)[clipped(card, before)].max(axis=1, initial=0).tolist()
            )
    assert len(alone) > 50 and np.median(alone) > 0.1
    assert np.median(together) < 1e-12 and np.quantile(together, 0.9) < 1e-11


@pytest.mark.parametrize("shown, predicted_before, taken", [
    (10.0, 14.0, 14.0), (-10.0, -14.0, -14.0), (10.0, -14.0, 10.0),
    (10.0, 3.0, 10.0), (9.0, 14.0, 9.0), (10.0, np.nan, 10.0),
])  # fmt: skip
def test_prediction_is_used_only_beyond_the_velocity_limit(shown, predicted_before, taken):
    simulator = Simulator(load_card("Hopper-v5"))
    observation = np.zeros((1, 11))
    observation[0, 7] = shown
    before = np.full((1, simulator.size), predicted_before)
    states = simulator.states(observation, before)
    assert states[0, 1 + 6 + 2] == taken and np.count_nonzero(states[0, 1 + 6 :]) == 1


def test_diverged_states_are_nan_and_print_nothing(tmp_path):
    """Runs in its own process, because MuJoCo bypasses Python's streams and writes into the working folder."""
    code = """
import numpy as np
from hl_dsl.cards import load_card
from hl_dsl.compiler.planner.simulator import Simulator
for threads in (1, 2):
    simulator = Simulator(load_card("HalfCheetah-v5"), threads)
    states, actions = simulator.states(np.zeros((6, 17))), np.zeros((6, 6))
    states[1, 12] = 1e11
    states[2, 3] = np.nan
    states[3, 10:] = 1e8
    actions[4, 0] = np.nan
    after = simulator.step(states, actions)
    assert np.isnan(after).all(axis=1).tolist() == [False, True, True, True, True, False], after
    np.testing.assert_array_equal(after[0], after[5])
    again = simulator.step(after, actions)
    assert np.isnan(again).all(axis=1).tolist() == [False, True, True, True, True, False]
    fresh = simulator.step(simulator.states(np.zeros((1, 17))), np.zeros((1, 6)))
    np.testing.assert_array_equal(fresh[0], after[0])
    assert np.isnan(simulator.observations(after)[1]).all()
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert os.listdir(tmp_path) == []


MODEL = CHEETAH.model
assert MODEL is not None


@pytest.mark.parametrize("model, message, hint", [
    (None, "has no `[model]`", "HalfCheetah-v5"),
    (replace(MODEL, file="no_such.xml"), "not among EnvPool's assets", "install"),
    (replace(MODEL, file="ant_envpool.xml"), "has 15 coordinates and 14 velocities", "fix"),
    (replace(MODEL, qpos=MODEL.qpos[:-1]), "list 8 and 9", "fix"),
    (replace(MODEL, qvel=(*MODEL.qvel[:-1], 17)), "column 17", "fix"),
])  # fmt: skip
def test_unsuitable_model_is_an_error(model, message, hint):
    with pytest.raises(HLError) as caught:
        Simulator(replace(CHEETAH, model=model))
    assert (
        message in caught.value.message
        and hint in caught.value.hint
        and "HalfCheetah-v5" in caught.value.message + caught.value.hint
    )


def test_wrong_action_size_and_unreadable_model_are_errors(tmp_path):
    with pytest.raises(HLError, match="takes 6 numbers as an action"):
        Simulator(replace(CHEETAH, action=load_card("Hopper-v5").action))
    (tmp_path / "mine.xml").write_text("<mujoco><worldbody><joint/></mujoco>")
    with pytest.raises(HLError, match="MuJoCo cannot read .*mine.xml"):
        Simulator(replace(CHEETAH, origin=str(tmp_path / "card.toml"), model=replace(MODEL, file="mine.xml")))


def test_model_file_may_be_next_to_its_card(tmp_path):
    (tmp_path / "slider.xml").write_text(
        "<mujoco><option timestep='0.1' gravity='0 0 0'/><worldbody><body><joint name='x' type='slide' axis='1 0 0'/>"
        "<geom size='1' mass='2'/></body></worldbody><actuator><motor joint='x'/></actuator></mujoco>"
    )
    card = replace(
        load_card("MountainCarContinuous-v0"),
        origin=str(tmp_path / "card.toml"),
        model=Model("slider.xml", 3, (0,), (1,), None, ""),
    )
    simulator = Simulator(card)
    after = simulator.observations(simulator.step(simulator.states(np.array([[1.0, 0.5]])), np.array([[4.0]])))
    # Acceleration 2 m/s² for three steps of 0.1 s. Each step moves at its final speed (semi-implicit Euler).
    np.testing.assert_allclose(after, [[1 + 0.1 * (0.7 + 0.9 + 1.1), 1.1]])
