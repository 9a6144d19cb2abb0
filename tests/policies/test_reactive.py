"""Reactive policies: scores on development seeds, observations within the ranges of their proofs."""

from pathlib import Path

import pytest

from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import evaluate_program

LIBRARY = Path(__file__).parents[2] / "policies"
AT_LEAST = {
    "acrobot": -90,
    "bipedal_walker": 290,
    "cartpole": 500,
    "inverted_double_pendulum": 9300,
    "lunar_lander": 260,
    "mountain_car": -106,
    "mountain_car_continuous": 98,
    "pendulum": -240,
    "reacher": -4.5,
    "swimmer": 340,
}


@pytest.mark.parametrize("folder", AT_LEAST)
def test_reactive_policy_reaches_its_score_within_its_ranges(folder):
    evaluation = evaluate_program(
        Program.load(LIBRARY / folder / "reactive.hl"), EpisodeSettings("standard", range(4)), ledger=None
    )
    assert evaluation.trial.mean >= AT_LEAST[folder]
    assert not evaluation.rollout.total_counts.out_of_range


@pytest.mark.parametrize("folder", AT_LEAST)
def test_reactive_policy_has_at_most_60_lines_and_comments_every_parameter(folder):
    text = (LIBRARY / folder / "reactive.hl").read_text(encoding="utf-8")
    code = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(code) <= 60
    params = [line for line in code if line.lstrip().startswith("param ")]
    assert params and all("#" in line for line in params)
