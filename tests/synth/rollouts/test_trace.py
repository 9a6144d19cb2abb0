"""A trace holds the reference interpreter's values of the episode that was played."""

import json

import numpy as np
import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import evaluate_program
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.trace import TraceWriter

MODES = """policy shy for "CartPole-v1" {
  observe pole.angle, pole.velocity, reward, step

  param late: int = 4 in [1, 20]

  let sum_of = pole.angle + 0.25 * pole.velocity

  memory ticks: int in [0, 1000] = 0 { next = min(ticks + 1, 1000) }
  memory pair: vec[2] in [-10, 10] = [0.0, 0.0] { next = [pole.velocity, pair[0]] }

  modes {
    start wait { act { otherwise => LEFT }  when ticks >= late -> work }
    work { act { when sum_of > 0 => RIGHT  otherwise => LEFT } }
  }

  monitor small: abs(pair[1]) < 1
}
"""
PUSH = """policy push for "Pendulum-v1" {
  observe pole.cos, pole.velocity

  act clamp(0.3 * pole.velocity - 0.1 * pole.cos, -2, 2)
}
"""
PADDLE = """policy paddle for "Breakout-v5" {
  observe ram, lives

  let error = ram[99] - ram[72]

  act {
    when ram[101] == 0 => FIRE
    when error > 3     => RIGHT
    when error < -3    => LEFT
    otherwise          => NOOP
  }
}
"""


def traced(tmp_path, text, protocol, seeds=(4, 5, 6), num_envs=2, max_steps=80):
    program = Program.parse(text)
    writer = TraceWriter(tmp_path / "trace.jsonl", program.flow, seed=seeds[0])
    evaluation = evaluate_program(
        program,
        EpisodeSettings(protocol, seeds, max_steps=max_steps),
        ledger=None,
        resources=Resources(num_envs=num_envs),
        callbacks=RolloutCallbacks(on_tick=writer),
    )
    writer.close()
    head, *ticks, end = map(json.loads, (tmp_path / "trace.jsonl").read_text(encoding="utf-8").splitlines())
    return program, evaluation.rollout, head, ticks, end


@pytest.mark.parametrize("text, protocol", [(MODES, "standard"), (PUSH, "standard"), (PADDLE, "sticky")])
def test_lines_agree_with_the_interpreter(tmp_path, text, protocol):
    program, rollout, head, ticks, end = traced(tmp_path, text, protocol)
    flow = program.flow
    assert (head["schema"], head["policy"], head["env"], head["seed"]) == (
        "hl.trace/1",
        program.name,
        program.card.environment,
        4,
    )
    assert len(ticks) == rollout.lengths[0] and end["end"] is True
    assert sum(line["reward"] for line in [*ticks, end]) == pytest.approx(rollout.returns[0])
    interpreter = Interpreter(flow)
    for number, line in enumerate(ticks):
        again = interpreter.tick([line["observations"][entry.name] for entry in flow.inputs])
        assert line["tick"] == number
        for name in flow.lets:
            values = [again.values[node] for node in flow.values[name].nodes]
            assert line["lets"][name] == (values[0] if len(values) == 1 else values)
        assert line["memory"] == {
            cell.name: cell.names[value] if cell.names else value for cell, value in zip(flow.memories, again.memory)
        }
        if flow.card.action.names:
            assert line["action"] == flow.card.action.names[again.action[0]]
        else:
            assert line["action"] == again.action[0]


def test_modes_are_written_by_name(tmp_path):
    _, _, _, ticks, _ = traced(tmp_path, MODES, "standard")
    assert [line["mode"] for line in ticks[:7]] == ["wait"] * 4 + ["work"] * 3
    assert ticks[3]["memory"]["ticks"] == 3


def frame(angle):
    one = np.zeros(1, np.int32)
    observation = np.array([[0, 0, angle, 0]], np.float32)
    return Frame(
        lanes=one,
        sources={"observation": observation, "reward": np.zeros(1, np.float32), "step": one},
        done=np.zeros(1, bool),
        truncated=np.zeros(1, bool),
        ended=False,
    )


def test_action_that_differs_from_the_interpreters_is_an_error(tmp_path):
    program = Program.parse(MODES)
    writer = TraceWriter(tmp_path / "trace.jsonl", program.flow)
    writer(None, frame(0.1), np.array([1], np.int32))  # in its first mode the policy goes left
    with pytest.raises(HLError, match="at tick 0 the compiled policy did .1., the interpreter .0."):
        writer.close()


def test_nan_and_infinity_are_written_as_repaired_values(tmp_path):
    """Observations are clamped to their range at the boundary, so only repaired values are seen."""
    program = Program.parse(MODES)
    writer = TraceWriter(tmp_path / "trace.jsonl", program.flow)
    writer(None, frame(np.nan), np.array([0], np.int32))
    writer(None, frame(np.inf), np.array([0], np.int32))
    writer.close()
    lines = [
        json.loads(line, parse_constant=pytest.fail) for line in (tmp_path / "trace.jsonl").read_text().splitlines()
    ]
    assert [line["out_of_range"] for line in lines[1:]] == [1, 1]
    assert [line["observations"]["pole.angle"] for line in lines[1:]] == [0.0, 0.42]


def test_unwritable_path_is_an_error(tmp_path):
    with pytest.raises(HLError, match="cannot write the trace"):
        TraceWriter(tmp_path / "none" / "trace.jsonl", Program.parse(MODES).flow)
