"""Interface of the compiled policy. `test_agreement.py` compares its back ends."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.tape import source
from hl_dsl.compiler.policy import BACKENDS, Policy
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.resources import Resources
from tests.support.paths import POLICIES

BALANCE = """policy balance for "CartPole-v1" {
  observe pole.angle in [-0.5, 0.5], pole.velocity, step
  param gain: real = 0.5 in [0, 2]
  param patience: int = 3 in [1, 9]
  memory ticks: int in [0, 100] = 0 { next = min(ticks + 1, 100) }
  memory lean: real in [-8, 8] = 0 { next = clamp(lean + pole.angle, -8, 8) }
  act { when pole.angle + gain * pole.velocity + 0.01 * lean > 0 => RIGHT  otherwise => LEFT }
  assume slow: abs(pole.velocity) < 3
  monitor upright: abs(pole.angle) < 0.4
  monitor early: ticks < patience
}"""

SWING = """policy swing for "Pendulum-v1" {
  observe pole.sin, pole.velocity
  act clamp(-3 * pole.sin - 0.1 * pole.velocity, -2, 2)
}"""


def balance(**options) -> Policy:
    return Program.parse(BALANCE).compile(**options)


def shown(angle, velocity, step):
    angle, velocity = np.asarray(angle, np.float32), np.asarray(velocity, np.float32)
    observation = np.zeros((len(angle), 4), np.float32)
    observation[:, 2], observation[:, 3] = angle, velocity
    return {"observation": observation, "step": np.asarray(step, np.int32)}


every_back_end = pytest.mark.parametrize("backend", BACKENDS)


@every_back_end
def test_actions_counters_and_memory(backend):
    policy = balance(backend=backend)
    assert policy.backend == backend and policy.note is None
    policy.reset(3)
    actions = policy.act(shown([0.1, -0.1, 9.0], [0, 0, -5], [0, 0, 0]))
    assert actions.tolist() == [1, 0, 0] and actions.dtype == np.int32
    policy.act(shown([0.45, np.nan, np.nan], [0, np.inf, 4], [1, 1, 1]))
    for step in (2, 3, 4):
        policy.act(shown([0, 0, 0], [0, 0, 0], [step] * 3))
    assert policy.out_of_range.tolist() == [0, 2, 2]  # NaN and infinity; 9.0 and NaN
    assert policy.assumption_violations.tolist() == [[0], [1], [2]]
    assert policy.monitor_violations.tolist() == [[1, 2], [0, 2], [2, 2]]
    assert policy.memory["ticks"].tolist() == [5, 5, 5]
    assert policy.memory["lean"].tolist() == pytest.approx([0.55, -0.2, 1.0], abs=1e-6), (
        "a NaN takes the last valid value"
    )


@every_back_end
def test_lanes_restart_at_step_0_and_at_a_reset(backend):
    policy = balance(backend=backend)
    policy.reset(2)
    for step in ([0, 0], [1, 1], [0, 2]):
        policy.act(shown([0.1, 0.1], [0, 0], step))
    assert policy.memory["ticks"].tolist() == [1, 3]
    policy.act(shown([np.nan, np.nan], [0, 0], [0, 3]))
    assert policy.memory["lean"].tolist() == pytest.approx([0.0, 0.4], abs=1e-6), (
        "the last valid value is forgotten too"
    )
    assert policy.out_of_range.tolist() == [1, 1], "counters are summed over episodes"
    policy.reset(4)
    assert policy.memory["ticks"].tolist() == [0, 0, 0, 0] and policy.out_of_range.tolist() == [0, 0, 0, 0]


@every_back_end
def test_continuous_action_has_the_environments_dtype_and_shape(backend):
    policy = Program.parse(SWING).compile(backend=backend)
    policy.reset(2)
    actions = policy.act({"observation": np.array([[1, 0.3, 1], [1, -0.9, 0]])})
    assert actions.dtype == np.float32 and actions.shape == (2, 1) and actions.flags.c_contiguous
    assert actions[:, 0].tolist() == [np.float32(-3 * 0.3 - 0.1), 2.0]


@every_back_end
def test_each_tick_gives_a_new_array(backend):
    policy = balance(backend=backend)
    policy.reset(2)
    first = policy.act(shown([0.1, -0.1], [0, 0], [0, 0]))
    kept = first.copy()
    policy.act(shown([-0.1, 0.1], [0, 0], [1, 1]))
    assert np.array_equal(first, kept)


@every_back_end
def test_tick_method_stays_the_same_over_resets(backend):
    """A rollout reads `tick` before it resets."""
    policy = balance(backend=backend)
    tick = policy.tick
    for lanes in (1, 3):
        policy.reset(lanes)
        values = shown([0.1] * lanes, [0] * lanes, [0] * lanes)
        frame = SimpleNamespace(
            lanes=np.arange(lanes, dtype=np.int32), ram=None, lives=None, reward=np.zeros(lanes, np.float32), **values
        )
        assert tick(frame).tolist() == [1] * lanes


def test_policies_of_one_program_share_no_state():
    program = Program.parse(BALANCE)
    one, other = program.compile(), program.compile()
    one.reset(1), other.reset(1)
    one.act(shown([0.1], [0], [1]))
    assert one.memory["ticks"].tolist() == [1] and other.memory["ticks"].tolist() == [0]


@every_back_end
@pytest.mark.parametrize(
    "parameters, lanes, actions",
    [
        ({}, 2, [1, 0]),
        ({"gain": 2}, 2, [0, 0]),
        ({"gain": np.array([2.0, 0.0])}, 2, [0, 1]),
        ({"gain": [0, 2], "patience": np.array([1, 9])}, 2, [1, 0]),
    ],
)
def test_parameters(backend, parameters, lanes, actions):
    policy = balance(backend=backend, parameters=parameters)
    policy.reset(lanes)
    assert policy.act(shown([0.1, 0.1], [-0.1, -0.3], [0, 0])).tolist() == actions


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"gian": 1}, "no parameter `gian`"),
        ({"gain": 3}, "leaves its range"),
        ({"gain": float("nan")}, "leaves its range"),
        ({"patience": 2.5}, "takes int values"),
        ({"gain": "much"}, "takes a number"),
        ({"gain": np.ones((2, 2))}, "takes a number"),
        ({"gain": [0.1, 2.1]}, "leaves its range"),
        ({"gain": None}, "takes a number"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(HLError, match=message):
        balance(parameters=parameters)


def test_parameter_with_a_wrong_number_of_lanes_is_an_error():
    policy = balance(parameters={"gain": [0.1, 0.2]})
    with pytest.raises(HLError, match="2 values for 3 lanes"):
        policy.reset(3)


@pytest.mark.parametrize(
    "observations, message",
    [
        ({"observation": np.zeros((2, 4))}, "reads `step`"),
        ({"step": [0, 0]}, "reads `observation`"),
        ({"observation": np.zeros((2, 4)), "step": [0, 0], "screen": 1}, "unknown source `screen`"),
        ({"observation": np.zeros((3, 4)), "step": [0, 0]}, "does not fit"),
        ({"observation": np.zeros((2, 2)), "step": [0, 0]}, "does not fit|has no column"),
        ({"observation": [["a"] * 4] * 2, "step": [0, 0]}, "numbers"),
        ({"observation": np.zeros((2, 4)), "step": np.zeros((2, 2))}, "does not fit"),
    ],
)
@every_back_end
def test_wrong_observations(backend, observations, message):
    program = Program.parse(
        BALANCE.replace("monitor early: ticks < patience", "monitor early: ticks < patience and step >= 0")
    )
    policy = program.compile(backend=backend)
    policy.reset(2)
    with pytest.raises(HLError, match=message):
        policy.act(observations)


def test_act_before_reset_is_an_error():
    with pytest.raises(HLError, match="no lanes yet"):
        balance().act(shown([0], [0], [0]))


def test_unknown_back_end_is_an_error():
    with pytest.raises(HLError, match="unknown back end `fast`"):
        balance(backend="fast")


@pytest.fixture
def without_numba(monkeypatch):
    """A machine on which the import of numba fails."""
    source.load_interpreter.cache_clear()
    monkeypatch.setitem(sys.modules, "numba", None)
    yield
    source.load_interpreter.cache_clear()


def test_numpy_is_used_without_numba_and_noted(without_numba):
    policy = balance()
    assert policy.backend == "numpy"
    assert "NumPy form is used" in policy.note and "numba" in policy.note
    policy.reset(2)
    assert policy.act(shown([0.1, -0.1], [0, 0], [0, 0])).tolist() == [1, 0]


def test_tape_without_numba_is_an_error(without_numba):
    with pytest.raises(HLError, match="compiled back end does not work here"):
        balance(backend="tape")


def test_numpy_is_used_if_numba_fails_to_compile(monkeypatch):
    def broken(forms, arguments):
        raise RuntimeError("no compiler for this processor\nand a long story")

    monkeypatch.setattr("hl_dsl.compiler.backends.tape.program.interpreter_for", broken)
    policy = balance()
    assert policy.backend == "numpy" and policy.note.endswith("(RuntimeError: no compiler for this processor)")


def test_other_errors_do_not_select_numpy(monkeypatch):
    """Only a failure of numba selects the other back end; it must not hide other defects."""

    def mistaken(flow):
        raise KeyError("a mistake")

    monkeypatch.setattr("hl_dsl.compiler.backends.tape.program.encode", mistaken)
    with pytest.raises(KeyError):
        balance()


def test_episodes_are_equal_with_every_back_end():
    from hl_dsl.synth.rollouts.rollout import evaluate

    program = Program.load(POLICIES / "cartpole" / "lean.hl")
    played = [
        evaluate(
            program.compile(backend=backend),
            program.card,
            EpisodeSettings("standard", range(6)),
            resources=Resources(num_envs=4),
        )
        for backend in BACKENDS
    ]
    assert played[0].complete and len(set(played[0].lengths)) > 1, "lanes end at different times"
    for other in played[1:]:
        assert (other.returns, other.digests, other.counts) == (
            played[0].returns,
            played[0].digests,
            played[0].counts,
        )
