"""The planner against a slow one that is plain to see, and what it promises: the same whatever else is in the batch, no harm
from a simulation that comes to nothing, nothing lost by pruning."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts, PlanningCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import OfParameter
from hl_dsl.compiler.planner.candidate_rollouts import NO_SCORE, CandidateRollouts
from hl_dsl.compiler.planner.controller import PlannedPolicy, controller_for
from hl_dsl.compiler.planner.noise import noise, source_of_noise
from hl_dsl.compiler.planner.simulator import Simulator
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import evaluate_program
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.program_batch import Member, ProgramBatch
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from hl_dsl.synth.rollouts.trace import TraceWriter
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hl_dsl.cli.output.evaluation_text import evaluation_text
from hl_dsl.program import Program

TEXT = """
policy gait for "HalfCheetah-v5" {
  observe torso.pitch, joint.angle, velocity.x, step

  param kp:    real = 1.5 in [0, 4]
  param width: real = 0.4 in [0, 1]
  param tries: int = 5 in [2, 9]
  param ahead: int = 3 in [1, 6]

  memory phase: real in [0, 1] = 0.25 { next = mod(phase + 0.11, 1) }

  modes {
    start push { act clamp(kp * (0.4 * sin(6.3 * phase + [0, 1, 2, 3, 4, 5]) - joint.angle) + residual, -1, 1)
                 when phase > 0.7 or step > 30 -> rest }
    rest { act clamp(residual - 0.2 * joint.angle, -1, 1)  when phase < 0.3 -> push }
  }

  plan residual: vec[6] in [-0.5, 0.6] {
    SETTINGS
    each  velocity.x - 0.1 * sum(action * action) - previous(torso.pitch, 0) + (if mode == rest then phase else 0)
    FINAL
  }

  invariant torque: all(abs(action) <= 1)
  monitor upright: within 5 of torso.pitch > 1: torso.pitch < 1
}
"""


def program(
    settings: str = "horizon ahead   candidates tries   sigma width   smooth 0.3   warm_start 0.9",
    final: str = "final 0.3 * velocity.x",
) -> Program:
    return Program.parse(TEXT.replace("SETTINGS", settings).replace("FINAL", final))


def slow_planner(flow, parameters: dict, seed: int, frames: list[Frame]) -> list[list[float]]:
    """What is planned for one lane on these frames, candidate by candidate, tick by tick, value by value."""
    simulator = Simulator(flow.card)
    machine = Interpreter(flow, parameters)
    names = [entry.name for entry in flow.parameters]
    defaults = {entry.name: entry.default for entry in flow.parameters} | parameters
    setting = {
        name: defaults[names[value.position]] if type(value) is OfParameter else value
        for name, value in flow.plan.settings.items()
    }
    planned = [flow.inputs[place] for place in flow.plan.inputs]
    plan = [[entry.default for entry in planned] for _ in range(setting["horizon"])]
    chosen = []

    def held(values) -> list[float]:
        return [min(max(float(value), entry.low), entry.high) for value, entry in zip(values, planned)]

    def raw(observation, step: int, residual) -> list:
        shown = {"observation": observation, "step": [step], "plan": residual}
        return [float(shown[entry.source][entry.column]) for entry in flow.inputs]

    for tick, frame in enumerate(frames):
        around, best, best_score = [list(row) for row in plan], None, -math.inf
        for turn in range(setting["rounds"]):
            drawn = noise(
                source_of_noise(0, seed, tick, turn),
                setting["candidates"] - 2,
                setting["horizon"],
                len(planned),
                setting["sigma"],
                setting["decay"],
                setting["active"],
                setting["smooth"],
            )
            tried = [around, [[entry.default for entry in planned] for _ in around]]
            tried += [[held(np.array(row) + change) for row, change in zip(around, changes)] for changes in drawn]
            # All candidates go on side by side, because those far behind the best at a tick are dropped there.
            lives = [
                {
                    "machine": Interpreter(flow, parameters),
                    "observation": frame.observation[0],
                    "score": 0.0,
                    "state": simulator.states(frame.observation),
                }
                for _ in tried
            ]
            for life in lives:
                life["machine"].memory, life["machine"].last_valid = machine.memory, machine.last_valid
            alive = list(range(len(tried)))
            for ahead in range(setting["horizon"]):
                for number in alive:
                    life = lives[number]
                    done = life["machine"].tick(
                        raw(life["observation"], int(frame.step[0]) + ahead, tried[number][ahead])
                    )
                    life["score"] = life["score"] + done.values[flow.plan.each]
                    life["action"] = np.array([done.action])
                top = max(lives[number]["score"] for number in alive)
                alive = [number for number in alive if not lives[number]["score"] < top - setting["prune"]]
                if flow.plan.final is None and ahead == setting["horizon"] - 1:
                    break
                for number in alive:
                    life = lives[number]
                    life["state"] = simulator.step(life["state"], life["action"])
                    life["observation"] = simulator.observations(life["state"])[0]
            if flow.plan.final is not None:
                for number in alive:
                    life = lives[number]
                    done = life["machine"].tick(
                        raw(
                            life["observation"],
                            int(frame.step[0]) + setting["horizon"],
                            [entry.default for entry in planned],
                        )
                    )
                    life["score"] = life["score"] + done.values[flow.plan.final]
            order = sorted(alive, key=lambda number: (-lives[number]["score"], number))
            if lives[order[0]]["score"] > best_score:
                best, best_score = tried[order[0]], lives[order[0]]["score"]
            around = np.mean([tried[number] for number in order[: setting["elites"]]], axis=0).tolist()
        chosen.append(best[0])
        machine.tick(raw(frame.observation[0], int(frame.step[0]), best[0]))
        plan = [held(setting["warm_start"] * np.array(row)) for row in best[1:]] + [
            held([entry.default for entry in planned])
        ]
    return chosen


def recorded(controller, lanes: int, ticks: int, seeds=None) -> tuple[list[Frame], list[np.ndarray], object]:
    """The frames that a controller met and what it planned on them."""
    frames, plans = [], []

    def watch(environments, frame, actions):
        if actions is not None:
            frames.append(frame)
            plans.append(frame.plan.copy())

    rollout = evaluate(
        controller,
        controller.flow.card,
        EpisodeSettings("standard", seeds or list(range(lanes)), max_steps=ticks),
        resources=Resources(num_threads=1),
        callbacks=RolloutCallbacks(on_tick=watch),
    )
    return frames, plans, rollout


def planning_of(rollout) -> tuple[PlanningCounts, ...]:
    return tuple(counts.planning for counts in rollout.counts)


def row_of(frame: Frame, row: int) -> Frame:
    return frame.rows(frame.lanes == row)


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
def test_it_plans_as_the_slow_planner_does(given, with_final, backend):
    text = "   ".join(f"{name} {value!r}" for name, value in given.items())
    flow = program(text, "final 0.3 * velocity.x" if with_final else "").flow
    frames, plans, _ = recorded(PlannedPolicy(flow, backend=backend), 2, 4)
    for lane in range(2):
        wanted = slow_planner(flow, {}, lane, [row_of(frame, lane) for frame in frames])
        assert [plan[lane].tolist() for plan in plans] == wanted


def test_where_zero_is_no_residual_the_nearest_one_stands_for_nothing():
    flow = Program.parse(
        program("horizon 3   candidates 4   sigma 0.5   warm_start 0.2").text.replace("[-0.5, 0.6]", "[0.1, 0.6]")
    ).flow
    frames, plans, _ = recorded(PlannedPolicy(flow), 1, 5)
    assert [plan[0].tolist() for plan in plans] == slow_planner(flow, {}, 0, frames)
    assert all((plan >= 0.1).all() and (plan <= 0.6).all() for plan in plans)


UNLIKE = "[[-0.5, -0.01, -0.2, -1, 0, -0.1], [0.5, 0.03, 0.2, 1, 0.4, 0.1]]"


def test_left_out_the_noise_of_each_component_is_a_quarter_of_its_own_range():
    flow = Program.parse(program("horizon 3   candidates 6").text.replace("[-0.5, 0.6]", UNLIKE)).flow
    assert flow.plan.settings["sigma"] == pytest.approx((0.25, 0.01, 0.1, 0.5, 0.1, 0.05))
    frames, plans, _ = recorded(PlannedPolicy(flow), 2, 5)
    for lane in range(2):
        assert [plan[lane].tolist() for plan in plans] == slow_planner(
            flow, {}, lane, [row_of(frame, lane) for frame in frames]
        )
    alike = program("horizon 3   candidates 6").flow.plan.settings["sigma"]
    assert type(alike) is float and alike == pytest.approx(1.1 / 4)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=5), st.floats(0, 2), st.floats(0, 1), st.floats(0, 1))
def test_each_component_has_its_own_deviation(sigma, decay, active, smooth):
    unit, own = (
        noise(source_of_noise(0, 1, 2, 3), 4, 3, len(sigma), size, decay, active, smooth)
        for size in (1.0, np.array(sigma))
    )
    assert own == pytest.approx(unit * np.array(sigma), rel=1e-12, abs=1e-300)


def test_what_is_claimed_is_proved_for_any_residual():
    assert program().prove().passed
    wider = Program.parse(
        program().text.replace("clamp(residual - 0.2 * joint.angle, -1, 1)", "residual - 0.2 * joint.angle")
    )
    (claim,) = [result for result in wider.prove().results if result.kind == "invariant"]
    assert claim.status == "violated"


def test_parameters_set_the_plan_of_each_lane():
    flow = program().flow
    columns = {"tries": [2, 7, 4], "ahead": [5, 1, 3], "width": [0.2, 0.9, 0.5], "kp": [0.0, 2.0, 1.0]}
    frames, plans, _ = recorded(PlannedPolicy(flow, columns), 3, 5, [4, 4, 9])
    for lane, seed in enumerate((4, 4, 9)):
        wanted = slow_planner(
            flow,
            {name: values[lane] for name, values in columns.items()},
            seed,
            [row_of(frame, lane) for frame in frames],
        )
        assert [plan[lane].tolist() for plan in plans] == wanted


def test_a_lane_is_the_same_alone_and_with_others_and_in_a_population():
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
def test_threads_and_runs_do_not_show(threads):
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


def test_another_seed_of_the_planner_plans_otherwise():
    flow = program().flow
    _, first, _ = recorded(controller_for(flow), 1, 3)
    _, other, rollout = recorded(controller_for(flow, planner_seed=1), 1, 3)
    assert not np.array_equal(first[0], other[0])
    assert rollout.options["planner_seed"] == 1


def test_the_steps_of_the_model_are_counted_apart():
    flow = program("horizon 3   candidates 4   prune 1000").flow
    _, _, rollout = recorded(controller_for(flow), 2, 7)
    assert rollout.env_steps == 14
    assert planning_of(rollout) == (PlanningCounts(7 * 4 * 3 * 5, 0, 0),) * 2
    without_final = program("horizon 3   candidates 4", "").flow  # nobody looks at what the last step comes to
    assert planning_of(recorded(controller_for(without_final), 1, 7)[2])[0].steps == 7 * 4 * 2 * 5


class Failing(Simulator):
    """Steps of candidates come to nothing: those whose place in the batch is told by `fails`."""

    fails = staticmethod(lambda count: np.zeros(count, bool))

    def step(self, states, actions):
        after = super().step(states, actions)
        after[self.fails(len(after))] = np.nan
        return after


def failing(flow, fails):
    controller = PlannedPolicy(flow)
    controller._simulator = Failing(flow.card)
    controller._simulator.fails = fails
    return controller


def test_what_an_observation_hides_is_foreseen_in_an_episode():
    planned = Program.parse("""policy swing for "Walker2d-v5" {
  observe joint.angle
  act clamp([1, -1, 1, -1, 1, -1] * (if joint.angle[0] > 0 then 1 else -1) + residual, -1, 1)
  plan residual: vec[6] in [-1, 1] { horizon 2  candidates 3  each joint.angle[0] }
}""")
    policy = controller_for(planned.flow)
    simulator = Simulator(planned.card)
    policy.prepare([3, 4], 1)
    policy.reset(2)
    lanes = Environments(planned.card, "standard", [3, 4], 1)
    frame, hidden, ticks = lanes.reset(), 0, 0
    while len(frame.lanes) == 2:
        frame = lanes.step(policy.tick(frame))
        ticks += 2
        np.testing.assert_allclose(simulator.observations(policy._planner._foreseen), frame.observation, atol=1e-5)
        hidden += np.count_nonzero(np.abs(frame.observation[:, 8:]) == 10)
        frame = frame.alive()
    lanes.close()
    assert hidden > 10
    # One step of three candidates, for without a `final` the last is not taken, and one of what was done: four of the model each.
    assert sum(one.steps for one in policy.planning) == ticks * 4 * (3 * 1 + 1)


def test_a_candidate_that_comes_to_nothing_is_dropped_and_counted():
    flow = program("horizon 2   candidates 4   sigma 0").flow
    controller = failing(flow, lambda count: np.arange(count) == 3 if count == 4 else np.zeros(count, bool))
    _, plans, rollout = recorded(controller, 1, 6)
    assert planning_of(rollout)[0].diverged == 6 and planning_of(rollout)[0].blind == 0
    assert rollout.lengths == (6,) and all(np.isfinite(plan).all() for plan in plans)


def test_where_all_come_to_nothing_nothing_is_planned_and_the_episode_goes_on():
    flow = program("horizon 2   candidates 3").flow
    _, plans, rollout = recorded(failing(flow, lambda count: np.ones(count, bool)), 2, 6)
    assert planning_of(rollout) == (PlanningCounts(6 * 3 * 5, 18, 6),) * 2
    assert all((plan == 0).all() for plan in plans)
    assert rollout.lengths == (6, 6) and rollout.complete


def test_an_observation_that_is_none_costs_a_plan_and_no_more():
    controller = PlannedPolicy(program().flow)
    controller.reset(2)
    observation = np.zeros((2, 17))
    observation[1] = np.nan
    for step in (0, 1):
        actions = controller.act({"observation": observation, "step": np.full(2, step, np.int32)})
    assert np.isfinite(actions).all()
    assert [row.blind for row in controller.planning] == [0, 2]


@hypothesis_settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31 - 1), st.floats(0.5, 6))
def test_a_pruned_candidate_that_would_have_won_was_more_than_that_behind(seed, prune):
    """Without pruning every candidate has a score. With it, those that remain have the same one; the rest have none."""
    flow = program("horizon 6   candidates 24   sigma 0.8   decay 0.2").flow
    controller, pruned = (
        PlannedPolicy(replace(flow, plan=replace(flow.plan, settings={**flow.plan.settings, "prune": value})))
        for value in (math.inf, prune)
    )
    whole, fewer = [], []
    for one, kept in ((controller, whole), (pruned, fewer)):
        one.prepare([seed], 1)
        one.reset(1)
        futures: CandidateRollouts = one._planner._futures
        original = futures.scores
        futures.scores = lambda *arguments, original=original, kept=kept: kept.append(original(*arguments)) or kept[-1]
        observation = np.random.default_rng(seed).uniform(-0.3, 0.3, (1, 17))
        one.act({"observation": observation, "step": np.zeros(1, np.int32)})
    alive = fewer[0] > NO_SCORE
    assert alive.any() and (fewer[0][alive] == whole[0][alive]).all()
    assert fewer[0].max() == fewer[0][alive].max() <= whole[0].max()
    assert pruned.planning[0].steps <= controller.planning[0].steps


def test_generous_pruning_changes_nothing_but_the_steps():
    """A candidate that is 4 behind after a few ticks is never the best in the end here: velocities do not change so fast."""
    results = []
    for prune in ("prune 4", ""):
        flow = program(f"horizon 6   candidates 16   sigma 0.9   {prune}").flow
        results.append(
            evaluate(
                controller_for(flow),
                flow.card,
                EpisodeSettings("standard", [0], max_steps=25),
                resources=Resources(num_threads=1),
            )
        )
    assert results[0].digests == results[1].digests


def test_it_runs_further_than_without_a_plan():
    text = (
        'policy run for "HalfCheetah-v5" {{ observe velocity.x, joint.angle  act clamp(-joint.angle + {}, -1, 1) {} }}'
    )
    plan = "plan r: vec[6] in [-1, 1] { horizon 10 candidates 24 sigma 0.8 prune 4 each velocity.x - 0.1 * sum(action * action) }"
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


def test_progress_is_shown_within_an_episode():
    flow, seen = program("horizon 1   candidates 2").flow, []
    evaluate(
        controller_for(flow),
        flow.card,
        EpisodeSettings("standard", [0], max_steps=20),
        resources=Resources(num_threads=1),
        callbacks=RolloutCallbacks(on_progress=lambda progress: seen.append(progress.env_steps)),
    )
    assert seen == [4, 8, 12, 16, 20]


def test_a_trial_tells_what_planning_took():
    planned = program("horizon 2   candidates 3   prune 100")
    evaluation = evaluate_program(
        planned, EpisodeSettings("standard", [0], max_steps=5), ledger=None, resources=Resources(num_threads=1)
    )
    assert evaluation.trial.planning == {"steps": 5 * 3 * 2 * 5, "diverged": 0, "blind": 0}
    document = evaluation.to_json()
    assert document["planning"] == dict(evaluation.trial.planning)
    assert "planned: 150 steps of the model, 30 for each of the environment's" in evaluation_text(document)
    assert evaluation.trial.environment_steps == 5
    reactive = Program.parse('policy still for "HalfCheetah-v5" { act [0, 0, 0, 0, 0, 0] }')
    assert (
        evaluate_program(
            reactive, EpisodeSettings("standard", [0], max_steps=5), ledger=None, resources=Resources(num_threads=1)
        ).trial.planning
        == {}
    )


def test_the_interpreter_agrees_on_a_trace_of_what_was_planned(tmp_path):
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
def test_it_is_explained(text, parts):
    said = " ".join(program(text).explain().split())
    assert all(part in said for part in parts)


def test_the_hash_tells_plans_apart_and_no_names():
    plain = program("horizon 3   candidates 4")
    assert plain.hash == Program.parse(plain.text.replace("residual", "change")).hash
    others = {
        program("horizon 4   candidates 4").hash,
        program("horizon 3   candidates 4   sigma width").hash,
        program("horizon 3   candidates 4", "").hash,
        program("horizon 3   candidates 4", "final 0.4 * velocity.x").hash,
    }
    assert len(others | {plain.hash}) == 5
    # A parameter that sets the plan is another one than a parameter that is like it.
    twins = 'policy t for "HalfCheetah-v5" { param a: real = 0.5 in [0, 1]  param b: real = 0.5 in [0, 1]  plan r: vec[6] in [-1, 1] { sigma %s  active b  each -sum(action * action) } act clamp(r, -1, 1) }'
    assert Program.parse(twins % "a").hash != Program.parse(twins % "b").hash


def test_an_export_is_the_policy_without_its_planner():
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


def test_counts_add_up():
    assert PlanningCounts(1, 2, 3) + PlanningCounts(10, 20, 30) == PlanningCounts(11, 22, 33)
    assert EpisodeCounts.total([]) == EpisodeCounts()


@given(st.integers(0, 2**63), st.integers(0, 2**31 - 1), st.integers(0, 10**6), st.integers(0, 50))
def test_noise_comes_from_its_four_numbers(planner_seed, seed, tick, turn):
    def draw(*key):
        return source_of_noise(*key).standard_normal(4).tolist()

    key = (planner_seed, seed, tick, turn)
    assert draw(*key) == draw(*key)
    for place in range(4):
        assert draw(*key) != draw(*(one + (at == place) for at, one in enumerate(key)))


def test_noise_is_as_wide_and_as_rare_as_it_is_said_to_be():
    drawn = noise(source_of_noise(0, 0, 0, 0), 20_000, 4, 3, sigma=0.5, decay=0.7, active=0.4, smooth=0.6)
    idle = (drawn == 0).all(axis=1)
    assert abs((~idle).mean() - 0.4) < 0.01
    moved = drawn.transpose(0, 2, 1)[~idle]
    assert np.allclose(moved.std(axis=0), 0.5 * np.exp(-0.7 * np.arange(4)), rtol=0.03)
    assert abs(np.corrcoef(moved[:, 0], moved[:, 1])[0, 1] - 0.6) < 0.02
