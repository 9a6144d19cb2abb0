"""Programs with a plan in proofs, trials, traces, explanations, hashes and exports."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hl_dsl.cli.output.evaluation_text import evaluation_text
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts, PlanningCounts
from hl_dsl.compiler.planner.controller import controller_for
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import evaluate_program
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from hl_dsl.synth.rollouts.trace import TraceWriter
from tests.support.planned_programs import program


def test_proof_holds_for_every_planned_value():
    assert program().prove().passed
    wider = Program.parse(
        program().text.replace("clamp(residual - 0.2 * joint.angle, -1, 1)", "residual - 0.2 * joint.angle")
    )
    (claim,) = [result for result in wider.prove().results if result.kind == "invariant"]
    assert claim.status == "violated"


def test_progress_is_reported_within_an_episode():
    flow, seen = program("horizon 1   candidates 2").flow, []
    evaluate(
        controller_for(flow),
        flow.card,
        EpisodeSettings("standard", [0], max_steps=20),
        resources=Resources(num_threads=1),
        callbacks=RolloutCallbacks(on_progress=lambda progress: seen.append(progress.env_steps)),
    )
    assert seen == [4, 8, 12, 16, 20]


def test_trial_records_the_work_of_the_planner():
    planned = program("horizon 2   candidates 3   prune 100")
    evaluation = evaluate_program(
        planned, EpisodeSettings("standard", [0], max_steps=5), ledger=None, resources=Resources(num_threads=1)
    )
    assert evaluation.trial.planning == {"steps": 5 * 3 * 2 * 5, "diverged": 0, "blind": 0}
    document = evaluation.to_json()
    assert document["planning"] == dict(evaluation.trial.planning)
    assert "planned: 150 steps of the model, 30 for each environment step" in evaluation_text(document)
    assert evaluation.trial.environment_steps == 5
    reactive = Program.parse('policy still for "HalfCheetah-v5" { act [0, 0, 0, 0, 0, 0] }')
    assert (
        evaluate_program(
            reactive, EpisodeSettings("standard", [0], max_steps=5), ledger=None, resources=Resources(num_threads=1)
        ).trial.planning
        == {}
    )


def test_trace_holds_the_planned_values(tmp_path):
    planned = program("horizon 2   candidates 4")
    trace = TraceWriter(tmp_path / "trace.jsonl", planned.flow)
    evaluate(
        planned.compile(),
        planned.card,
        EpisodeSettings("standard", [0], max_steps=6),
        resources=Resources(num_threads=1),
        callbacks=RolloutCallbacks(on_tick=trace),
    )
    trace.close()
    rows = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert any(row["observations"]["residual[0]"] != 0 for row in rows[1:-1]) and rows[-1]["end"]


@pytest.mark.parametrize(
    "text, parts",
    [
        (
            "horizon 10   candidates 24   sigma 0.5",
            [
                "residual (6 numbers), each in [-0.5, 0.6], is chosen anew at every tick",
                "and at the end of 0.3 * velocity.x",
                "as usual: rounds",
            ],
        ),
    ],
)
def test_explanation_describes_the_plan(text, parts):
    said = " ".join(program(text).explain().split())
    assert all(part in said for part in parts)


def test_hash_depends_on_the_plan_and_not_on_names():
    plain = program("horizon 3   candidates 4")
    assert plain.hash == Program.parse(plain.text.replace("residual", "change")).hash
    others = {
        program("horizon 4   candidates 4").hash,
        program("horizon 3   candidates 4   sigma width").hash,
        program("horizon 3   candidates 4", "").hash,
        program("horizon 3   candidates 4", "final 0.4 * velocity.x").hash,
    }
    assert len(others | {plain.hash}) == 5
    # Equal parameters are not interchangeable if one of them is a setting of the plan.
    twins = """policy t for "HalfCheetah-v5" {
      param a: real = 0.5 in [0, 1]  param b: real = 0.5 in [0, 1]
      plan r: vec[6] in [-1, 1] { sigma %s  active b  each -sum(action * action) }
      act clamp(r, -1, 1)
    }"""
    assert Program.parse(twins % "a").hash != Program.parse(twins % "b").hash


def test_exported_policy_takes_the_plan_as_input():
    planned = program()
    names: dict = {}
    exec(planned.export(), names)
    exported, policy = names["Policy"](2), planned.compile()
    policy.reset(2)
    shown = {"observation": np.random.default_rng(0).uniform(-0.2, 0.2, (2, 17)), "step": np.zeros(2, np.int32)}
    frames = []
    choose = policy._planner.choose
    policy._planner.choose = lambda given, frame: frames.append(choose(given, frame)) or frames[-1]
    for step in range(4):
        shown["step"] = np.full(2, step, np.int32)
        actions = policy.act(shown)
        assert np.array_equal(exported.act({**shown, "plan": frames[-1]}), actions)
    assert "without its planner" in planned.export()


def test_counts_are_summed():
    assert PlanningCounts(1, 2, 3) + PlanningCounts(10, 20, 30) == PlanningCounts(11, 22, 33)
    assert EpisodeCounts.total([]) == EpisodeCounts()
