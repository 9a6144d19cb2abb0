"""The planner gives the plans of the reference planner, whatever else is in the batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hl_dsl.compiler.planner.controller import PlannedPolicy, controller_for
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from tests.support.planned_programs import planning_of, program, recorded, reference_plans, row_of

settings_of_a_plan = st.fixed_dictionaries(
    {
        "horizon": st.integers(1, 4),
        "candidates": st.integers(2, 6),
        "rounds": st.integers(1, 3),
        "elites": st.integers(1, 4),
        "sigma": st.floats(0, 1),
        "decay": st.floats(0, 2),
        "active": st.floats(0, 1),
        "smooth": st.floats(0, 1),
        "warm_start": st.floats(0, 1),
        "prune": st.floats(0, 3),
    }
)


@hypothesis_settings(deadline=None, max_examples=20)
@given(settings_of_a_plan, st.booleans(), st.sampled_from(["tape", "numpy", "interpreter"]))
def test_planner_equals_the_reference_planner(given, with_final, backend):
    text = "   ".join(f"{name} {value!r}" for name, value in given.items())
    flow = program(text, "final 0.3 * velocity.x" if with_final else "").flow
    frames, plans, _ = recorded(PlannedPolicy(flow, backend=backend), 2, 4)
    for lane in range(2):
        wanted = reference_plans(flow, {}, lane, [row_of(frame, lane) for frame in frames])
        assert [plan[lane].tolist() for plan in plans] == wanted


def test_zero_plan_is_the_nearest_value_in_range():
    flow = Program.parse(
        program("horizon 3   candidates 4   sigma 0.5   warm_start 0.2").text.replace("[-0.5, 0.6]", "[0.1, 0.6]")
    ).flow
    frames, plans, _ = recorded(PlannedPolicy(flow), 1, 5)
    assert [plan[0].tolist() for plan in plans] == reference_plans(flow, {}, 0, frames)
    assert all((plan >= 0.1).all() and (plan <= 0.6).all() for plan in plans)


UNLIKE = "[[-0.5, -0.01, -0.2, -1, 0, -0.1], [0.5, 0.03, 0.2, 1, 0.4, 0.1]]"


def test_default_sigma_is_a_quarter_of_each_components_range():
    flow = Program.parse(program("horizon 3   candidates 6").text.replace("[-0.5, 0.6]", UNLIKE)).flow
    assert flow.plan.settings["sigma"] == pytest.approx((0.25, 0.01, 0.1, 0.5, 0.1, 0.05))
    frames, plans, _ = recorded(PlannedPolicy(flow), 2, 5)
    for lane in range(2):
        assert [plan[lane].tolist() for plan in plans] == reference_plans(
            flow, {}, lane, [row_of(frame, lane) for frame in frames]
        )
    alike = program("horizon 3   candidates 6").flow.plan.settings["sigma"]
    assert type(alike) is float and alike == pytest.approx(1.1 / 4)


def test_settings_may_be_parameters_that_differ_between_lanes():
    flow = program().flow
    columns = {"tries": [2, 7, 4], "ahead": [5, 1, 3], "width": [0.2, 0.9, 0.5], "kp": [0.0, 2.0, 1.0]}
    frames, plans, _ = recorded(PlannedPolicy(flow, columns), 3, 5, [4, 4, 9])
    for lane, seed in enumerate((4, 4, 9)):
        wanted = reference_plans(
            flow,
            {name: values[lane] for name, values in columns.items()},
            seed,
            [row_of(frame, lane) for frame in frames],
        )
        assert [plan[lane].tolist() for plan in plans] == wanted


def test_plans_of_a_lane_do_not_depend_on_the_batch():
    flow = program().flow
    _, _, together = recorded(controller_for(flow), 3, 12, [5, 6, 7])
    _, _, alone = recorded(controller_for(flow), 1, 12, [6])
    assert together.digests[1] == alone.digests[0] and together.returns[1] == alone.returns[0]
    reactive = Program.parse('policy still for "HalfCheetah-v5" { act [0, 0, 0, 0, 0, 0] }').flow
    population = ProgramBatch(
        [Member(reactive, 2, {}), Member(flow, 2, {"kp": [1.5, 0.5]}), Member(flow, 1, {"width": 0.1})]
    )
    rollout = evaluate(
        population,
        flow.card,
        EpisodeSettings("standard", [6, 5, 6, 5, 6], max_steps=12),
        resources=Resources(num_threads=1),
    )
    assert rollout.digests[2] == alone.digests[0]
    assert [row.steps > 0 for row in planning_of(rollout)] == [False, False, True, True, True]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_plans_do_not_depend_on_the_number_of_threads(threads):
    flow = program().flow
    results = [
        evaluate(
            controller_for(flow),
            flow.card,
            EpisodeSettings("standard", [3, 8], max_steps=10),
            resources=Resources(num_threads=count),
        )
        for count in (1, threads)
    ]
    assert results[0].digests == results[1].digests and results[0].counts == results[1].counts


def test_planner_seed_changes_the_plans():
    flow = program().flow
    _, first, _ = recorded(controller_for(flow), 1, 3)
    _, other, rollout = recorded(controller_for(flow, planner_seed=1), 1, 3)
    assert not np.array_equal(first[0], other[0])
    assert rollout.options["planner_seed"] == 1


def test_planning_increases_the_return():
    text = (
        'policy run for "HalfCheetah-v5" {{ observe velocity.x, joint.angle  act clamp(-joint.angle + {}, -1, 1) {} }}'
    )
    settings = "horizon 10 candidates 24 sigma 0.8 prune 4 each velocity.x - 0.1 * sum(action * action)"
    plan = f"plan r: vec[6] in [-1, 1] {{ {settings} }}"
    planned, base = (Program.parse(text.format(*parts)) for parts in (("r", plan), ("0", "")))
    far = [
        evaluate(
            one.compile(),
            one.card,
            EpisodeSettings("standard", [0, 1], max_steps=100),
            resources=Resources(num_threads=1),
        ).returns
        for one in (planned, base)
    ]
    assert min(far[0]) > max(far[1]) + 50
