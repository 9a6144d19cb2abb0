"""Results of a worker equal those of this process to the bit."""

import numpy as np
import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.candidate_batch import play
from hl_dsl.synth.rollouts.executor import ExecutionHooks, InProcessExecutor
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.workers.worker_executor import WorkerExecutor
from tests.support.step_counter import steps_taken
from tests.support.study_runs import Interrupt, search_study, trials, tune
from tests.synth.search.test_study import verdicts

BREAKOUT = """
policy lean for "Breakout-v5" {
  observe ram
  act {
    when ram[101] == 0          => FIRE
    when ram[99] > 234 - ram[70] => RIGHT
    otherwise                   => LEFT
  }
}
"""


PLANNED = """
policy planned for "HalfCheetah-v5" {
  observe joint.angle, velocity.x
  act clamp(change - 0.5 * joint.angle, -1, 1)
  plan change: vec[6] in [-1, 1] { horizon 4   candidates 6   prune 1   each velocity.x }
}
"""


@pytest.mark.parametrize(
    "text, protocol, ticks", [(BREAKOUT, "sticky", 300), (PLANNED, "standard", 30)], ids=["breakout", "planned"]
)
def test_episodes_are_equal_to_the_bit(text, protocol, ticks):
    program = Program.parse(text)
    counted = []
    found = []
    for evaluator in (InProcessExecutor(), WorkerExecutor()):
        before = steps_taken()
        found.append(
            evaluator.run(
                play,
                [program.flow],
                program.card,
                EpisodeSettings(protocol, (3, 4), ticks),
                hooks=ExecutionHooks(before_step=None if counted else counted.append),
                resources=Resources(),
            )
        )
        evaluator.close()
        counted.append(steps_taken() - before)
    here, there = found
    assert here.rollout.digests == there.rollout.digests and here.rollout.options == there.rollout.options
    assert here.rollout.counts == there.rollout.counts
    assert counted[-1] == here.rollout.env_steps == there.rollout.env_steps
    for one, other in zip(here.episodes[0], there.episodes[0]):
        assert (one.value, one.length, one.status, one.counts) == (
            other.value,
            other.length,
            other.status,
            other.counts,
        )
        assert one.recording.actions.dtype == other.recording.actions.dtype and np.array_equal(
            one.recording.actions, other.recording.actions
        )
        assert all(
            np.array_equal(one.recording.shown[name], other.recording.shown[name]) for name in one.recording.shown
        )


@pytest.mark.parametrize(
    "when",
    [
        lambda event, count: event["event"] == "steps" and event["env_steps"] > 1_000,
        lambda event, count: event["event"] == "generation" and event["generation"] == 2,
    ],
    ids=["playing", "between"],
)
def test_study_in_a_worker_equals_the_study_in_process(lean, tmp_path, when):
    def study(name, evaluator, on_event=None):
        return search_study(
            Program.load(lean),
            "standard",
            tmp_path / name,
            Budget(steps=4_000),
            seed=6,
            evaluator=evaluator,
            on_event=on_event,
        )

    here, there = study("here", InProcessExecutor()).run(), study("there", WorkerExecutor()).run()
    assert verdicts(tmp_path / "here") == verdicts(tmp_path / "there") and here.best_text == there.best_text
    stop = Interrupt(when)
    assert study("cut", WorkerExecutor(), stop).run().interrupted and stop.done
    result = study("cut", WorkerExecutor()).resume()
    assert verdicts(tmp_path / "cut") == verdicts(tmp_path / "here") and result.best_text == here.best_text


def test_tuning_in_a_worker_equals_the_tuning_in_process(leaning, tmp_path):
    here = tune(leaning, tmp_path / "here", budget_steps=3_000, evaluator=InProcessExecutor())
    there = tune(leaning, tmp_path / "there", budget_steps=3_000, evaluator=WorkerExecutor())
    assert (here.best_text, here.score, here.env_steps) == (there.best_text, there.score, there.env_steps)
    assert [trial.returns for trial in trials(tmp_path / "here")] == [
        trial.returns for trial in trials(tmp_path / "there")
    ]


def test_user_error_is_raised_and_keeps_the_worker():
    program = Program.parse(BREAKOUT)
    evaluator = WorkerExecutor()

    def run(seeds, protocol="noop"):
        return evaluator.run(
            play,
            [program.flow],
            program.card,
            EpisodeSettings(protocol, seeds, 5),
            hooks=ExecutionHooks(),
            resources=Resources(),
        )

    try:
        for seeds, protocol, says in (((-1,), "noop", "not one the simulator takes"), ((0,), "none", "no protocol")):
            with pytest.raises(HLError, match=says):
                run(seeds, protocol)
        worker = evaluator.worker
        assert run((0,)).rollout.env_steps == 5 and evaluator.worker is worker
    finally:
        evaluator.close()
