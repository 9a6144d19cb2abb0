"""`--check` compares episodes with the proof. A broken verifier makes the unsound proofs."""

from __future__ import annotations

import json

import pytest

from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import EvaluationOptions, evaluate_program
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trial import trials_of
from hl_dsl.verify import proof_pipeline
from hl_dsl.verify.methods import interval_stage

SEEDS = (5, 2, 8)
TEXT = """policy lean for "CartPole-v1" {
  observe pole.angle, pole.velocity, step

  %s
  monitor slow: pole.velocity < 0.3
  reachable right: action == RIGHT
  act { when pole.angle + 0.25 * pole.velocity > 0 => RIGHT  otherwise => LEFT }
}
"""
GOOD = TEXT % "invariant early: after step == 3 until step < 3: step >= 3"
FALSE = TEXT % "invariant early: within 2 of step == 5: step > 8\n  invariant good: step >= 0"


@pytest.fixture
def unsound(monkeypatch):
    """A verifier that calls every property proved."""
    monkeypatch.setattr(
        interval_stage.IntervalStage,
        "invariant",
        lambda self, node, antecedents=(): "proved" if self.flow.nodes[node].op != "not" else "open",
    )
    monkeypatch.setattr(proof_pipeline, "find_vacuous_goals", lambda *anything: set())


def test_proved_properties_are_not_violated(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    plain = evaluate_program(
        Program.parse(GOOD),
        EpisodeSettings("standard", SEEDS, max_steps=60),
        ledger=None,
        resources=Resources(num_envs=2),
    )
    found = evaluate_program(
        Program.parse(GOOD),
        EpisodeSettings("standard", SEEDS, max_steps=60),
        ledger=ledger,
        resources=Resources(num_envs=2),
        options=EvaluationOptions(check=True),
    )
    assert found.disagreements == () and found.to_json()["disagreements"] == []
    assert dict(found.trial.invariant_violations) == {"early": 0}
    assert 0 < found.trial.reached["right"] < found.rollout.env_steps
    assert (
        found.trial.monitor_violations == plain.trial.monitor_violations and found.trial.monitor_violations["slow"] > 0
    )
    assert (found.rollout.returns, found.rollout.digests) == (plain.rollout.returns, plain.rollout.digests)
    assert found.trial.program_hash == plain.trial.program_hash and found.trial.accepted
    assert dict(plain.trial.invariant_violations) == dict(plain.trial.reached) == {}
    (trial,) = trials_of(ledger.read())
    assert dict(trial.invariant_violations) == {"early": 0} and trial.reached == found.trial.reached


@pytest.mark.parametrize("num_envs", [1, 2, 3])
def test_unsound_proof_is_reported(unsound, tmp_path, num_envs):
    ledger = Ledger(tmp_path / "trials.jsonl")
    found = evaluate_program(
        Program.parse(FALSE),
        EpisodeSettings("standard", SEEDS, max_steps=40),
        ledger=ledger,
        resources=Resources(num_envs=num_envs),
        options=EvaluationOptions(check=True),
    )
    (one,) = found.disagreements
    # Asked at step 5, to be answered by step 7, answered at step 9: broken at steps 7 and 8 of each seed.
    assert (one.name, one.seed, one.tick, one.count) == ("early", SEEDS[0], 7, 2 * len(SEEDS))
    (trial,) = trials_of(ledger.read())
    assert dict(trial.invariant_violations) == {"early": 6, "good": 0}
    assert (trial.gate, trial.accepted) == ("prove", False) and "proof and run disagree" in trial.reason


def test_violation_after_a_violated_assumption_is_not_a_disagreement():
    text = TEXT % "assume early: step < 6\n  invariant bounded: step < 6"
    found = evaluate_program(
        Program.parse(text),
        EpisodeSettings("standard", SEEDS, max_steps=20),
        ledger=None,
        options=EvaluationOptions(check=True),
    )
    assert found.trial.invariant_violations["bounded"] == found.trial.assumption_violations["early"] > 0
    assert found.disagreements == () and found.trial.accepted


def test_command_reports_disagreements(hl, folder, unsound):
    (folder / "lean.hl").write_text(FALSE, encoding="utf-8")
    ended = hl("eval", "lean.hl", "--seeds", "4", "--max-steps", "30", "--check", "--json")
    assert (
        ended.code == 1
        and "proof and run disagree: `early` is proved and was broken 2 times, first at tick 7 of seed 4" in ended.err
    )
    assert (
        ended.document["invariant_violations"] == {"early": 2, "good": 0}
        and ended.document["disagreements"][0]["tick"] == 7
    )
    assert json.loads((folder / "trials.jsonl").read_text())["invariant_violations"] == {"early": 2, "good": 0}
    shown = hl("eval", "lean.hl", "--seeds", "4", "--max-steps", "30", "--check")
    assert shown.code == 1 and "proved invariant `early` violated: 2 times" in shown.out
    assert hl("eval", "lean.hl", "--seeds", "4", "--max-steps", "30").code == 0, "without --check nobody looks"


def test_command_succeeds_without_disagreements(hl, folder):
    (folder / "lean.hl").write_text(GOOD, encoding="utf-8")
    ended = hl("eval", "lean.hl", "--max-steps", "30", "--check")
    assert (
        ended.code == 0
        and "checked at every tick: 1 proved invariant, never violated" in ended.out
        and "reached `right`" in ended.out
    )
