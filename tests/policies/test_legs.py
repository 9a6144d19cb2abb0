"""Walking policies: scores on development seeds, observations within the ranges of their proofs."""

from pathlib import Path

import pytest

from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import evaluate_program

LIBRARY = Path(__file__).parents[2] / "policies"
AT_LEAST = {"ant/reactive": 3300, "hopper/reactive": 1900, "walker2d/reactive": 1700}


@pytest.mark.parametrize("name", AT_LEAST)
def test_walker_reaches_its_score_within_its_ranges(name):
    evaluation = evaluate_program(
        Program.load(LIBRARY / f"{name}.hl"), EpisodeSettings("standard", range(3)), ledger=None
    )
    assert evaluation.trial.mean >= AT_LEAST[name]
    assert not evaluation.rollout.total_counts.out_of_range


@pytest.mark.parametrize("name", AT_LEAST)
def test_walker_has_at_most_60_lines_and_comments_every_parameter(name):
    text = (LIBRARY / f"{name}.hl").read_text(encoding="utf-8")
    code = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(code) <= 60
    params = [line for line in code if line.lstrip().startswith("param ")]
    assert params and all("#" in line for line in params)
