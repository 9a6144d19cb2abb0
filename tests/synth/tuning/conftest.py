"""A pendulum policy and options of small tunings."""

import pytest

from hl_dsl.cases.files import add_case, cases_folder
from hl_dsl.cases.records import EpisodeCase
from hl_dsl.program import Program
from hl_dsl.synth.rollouts.executor import InProcessExecutor
from tests.support.study_runs import trials

SWING = """\
policy swing for "Pendulum-v1" {
  observe pole.sin, pole.velocity

  param push: vec[2] = [0, 0.1] in [-20, 20]

  act clamp(push[0] * pole.sin + push[1] * pole.velocity, -2, 2)
}
"""
FEW = {"budget_steps": 60_000, "seeds": range(6), "seed": 3, "evaluator": InProcessExecutor()}


@pytest.fixture
def swing(tmp_path):
    path = tmp_path / "swing" / "swing.hl"
    path.parent.mkdir()
    path.write_text(SWING)
    return path


def case(swing, least):
    add_case(
        cases_folder(swing),
        EpisodeCase("hangs", "Pendulum-v1", Program.load(swing).card.protocols[0], 9, least_return=least),
    )


def samples(folder):
    return {
        trial.index: (trial.program_hash, trial.seeds, trial.returns, trial.gate, trial.reason)
        for trial in trials(folder)
        if trial.kind == "tune" and trial.returns
    }
