"""Structures fitted to recordings, and bracket samples, in whole searches."""

import pytest

from hl_dsl.program import Program
from tests.support.study_runs import Interrupt, synth, trials

FOLLOW = """\
policy follow for "Breakout-v5" {
  observe ram

  act {
    when ram[101] == 0     => FIRE
    when ram[99] > ram[72] => RIGHT
    otherwise              => LEFT
  }
}
"""
PUSH = 'policy push for "CartPole-v1" {\n  act LEFT\n}\n'


def settled(folder):
    """All that a run's trials say, but for the time they took, in their order."""
    found = [
        (one.index, one.program_hash, one.change, one.gate, one.reason, one.seeds, one.returns, one.environment_steps)
        for one in trials(folder)
        if one.kind == "search"
    ]
    return sorted(found, key=lambda one: one[0])


@pytest.fixture(scope="module")
def chasing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chasing")
    (folder / "follow.hl").write_text(FOLLOW)
    synth(folder / "follow.hl", folder / "whole", protocol="deterministic", budget_steps=16_000, seed=2, num_threads=1)
    return folder


def test_first_recording_leads_to_a_proved_interception_rule(chasing):
    made = [one for one in trials(chasing / "whole") if one.change.startswith("to the predicted value of a number")]
    assert made and all(one.environment_steps == 0 or "proved" in one.proof["status"] for one in made)
    texts = [one.program for one in made if one.environment_steps]
    assert any("reflect(" in text and "234 - ram[70]" in text for text in texts)
    assert all(Program.parse(text).prove().passed for text in texts[:3])


@pytest.mark.parametrize("after", [7_000, 12_000])
def test_search_with_fitted_structures_resumes_to_the_same_result(chasing, after):
    folder = chasing / f"cut-{after}"
    start = chasing / "follow.hl"
    stop = Interrupt(lambda event, count: event["event"] == "steps" and event["env_steps"] >= after)
    synth(start, folder, protocol="deterministic", budget_steps=16_000, seed=2, num_threads=1, on_event=stop)
    assert stop.done
    synth(start, folder, protocol="deterministic", budget_steps=16_000, seed=2, num_threads=1, resume=True)
    assert settled(folder) == settled(chasing / "whole")


def test_bracket_samples_use_the_quick_seeds_and_centers_all_seeds(tmp_path):
    (tmp_path / "push.hl").write_text(PUSH)
    synth(tmp_path / "push.hl", tmp_path / "run", budget_steps=9_000, seed=0, num_threads=1)
    points = [
        one
        for one in trials(tmp_path / "run")
        if one.change.endswith("constants tuned together") and one.environment_steps
    ]
    brief = [one for one in points if "mean of the CMA-ES population" in one.reason]
    assert len(brief) > 10 and all(
        len(one.seeds) == 2 and not one.accepted and one.gate == "quick_seeds" for one in brief
    )
    assert any(len(one.seeds) == 8 for one in points), "the middle is played on"
    assert sum(len(one.seeds) > 2 for one in points) <= len(points) / 6
