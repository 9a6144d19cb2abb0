"""Tapes: encoding of programs, and the one compiled step. test_agreement.py compares their results."""

from __future__ import annotations

import sys
import types
from types import SimpleNamespace

import numpy as np
import pytest
from hl_dsl.compiler.backends.tape import source as tape_source
from hl_dsl.compiler.backends.tape.encoding import encode
from hl_dsl.compiler.policy import Policy

from hl_dsl.base.errors import HLError
from hl_dsl.operators import OPERATORS, Form, Operator, intervals, registered
from hl_dsl.program import Program

BALL = """policy ball for "Breakout-v5" {
  observe ram, reward, lives
  param lead: real = 2 in [0, 8]
  let ball_x = 0.999 * ram[99] - 48.4
  memory last_x: real in [-60, 260] = 0 { next = ball_x }
  memory dry: int in [0, 1000] = 5 { next = if reward > 0 then 0 else min(dry + 1, 1000) }
  let aim = clamp(reflect(ball_x + lead * (ball_x - last_x), 15, 150), 15.5, 152.5)
  act { when aim > ram[72] => RIGHT  when mod(dry, 7) == 3 => FIRE  otherwise => LEFT }
  monitor not_too_dry: dry < 8
  assume alive: lives > 0
}"""


def frame(those, seed=0, **changes):
    draw = np.random.default_rng(seed)
    count = len(those)
    parts = {
        "lanes": np.asarray(those, np.int32),
        "ram": draw.integers(0, 256, (count, 128)).astype(np.uint8),
        "observation": None,
        "reward": draw.integers(0, 2, count).astype(np.float32),
        "lives": draw.integers(0, 3, count).astype(np.int32),
        "step": draw.integers(0, 5, count).astype(np.int32),
    }
    return SimpleNamespace(**{**parts, **changes})


def outcome(policy):
    return [
        policy.out_of_range.tolist(),
        policy.assumption_violations.tolist(),
        policy.monitor_violations.tolist(),
        {name: values.tolist() for name, values in policy.memory.items()},
    ]


def pair(text=BALL, **options):
    flow = Program.parse(text).flow
    return Policy(flow, backend="tape", **options), Policy(flow, backend="interpreter", **options)


def test_no_instruction_writes_over_its_operands_and_registers_are_used_again():
    flow = Program.parse(BALL).flow
    tape = encode(flow)
    for opcode, target, *operands in tape.code.tolist():
        count = len([name for name in "abc" if _uses(tape.forms[opcode], name)])
        assert target not in operands[:count]
    fixed = {register for register, _ in tape.fixed} | set(tape.parameters)
    assert not fixed & set(tape.code[:, 1].tolist())
    assert tape.registers < len(fixed) + len(tape.inputs) + len(tape.cells) + len(tape.code) // 2


def _uses(form: str, name: str) -> bool:
    return name in compile(form, "", "eval").co_names


def test_passing_a_value_on_costs_no_instruction():
    flow = Program.parse(BALL).flow
    needed = [flow.nodes[number] for number in flow.reachable(flow.roots())]
    widened = sum(node.op == "to_real" for node in needed)
    assert widened and len(encode(flow).code) == sum(node.form is not None for node in needed) - widened


@pytest.mark.parametrize("lanes", [1, 2, 9, 255, 256, 257, 600])
def test_any_number_of_lanes_around_the_size_of_a_block(lanes):
    tape, reference = pair()
    tape.reset(lanes), reference.reset(lanes)
    for tick in range(4):
        shown = frame(range(lanes), tick)
        assert np.array_equal(tape.tick(shown), reference.tick(shown))
    assert outcome(tape) == outcome(reference)


def test_absent_lanes_keep_their_state():
    tape, reference = pair()
    tape.reset(300), reference.reset(300)
    draw = np.random.default_rng(3)
    for tick in range(12):
        shown = frame(draw.permutation(300)[: 300 - 25 * tick], tick)
        before = outcome(tape)[3]
        assert np.array_equal(tape.tick(shown), reference.tick(shown))
        for name, values in outcome(tape)[3].items():
            out = np.setdiff1d(np.arange(300), shown.lanes)
            assert [values[lane] for lane in out] == [before[name][lane] for lane in out]
    assert outcome(tape) == outcome(reference)


def test_each_lane_may_have_its_own_parameters():
    leads = np.linspace(0, 8, 270)
    flow = Program.parse(BALL).flow
    population = Policy(flow, {"lead": leads}, "tape")
    population.reset(270)
    shown = [frame(range(270), tick) for tick in range(3)]
    together = [population.tick(one) for one in shown]
    for lane in (0, 100, 269):
        alone = Policy(flow, {"lead": leads[lane]}, "tape")
        alone.reset(1)
        rows = np.arange(270) == lane
        for one, actions in zip(shown, together):
            single = SimpleNamespace(
                lanes=np.zeros(1, np.int32),
                ram=one.ram[rows],
                reward=one.reward[rows],
                lives=one.lives[rows],
                step=one.step[rows],
            )
            assert alone.tick(single).tolist() == [actions[lane]]


def test_no_constant_and_no_program_is_compiled_anew():
    """One compiled step, made once, runs every program with every constant."""
    others = [
        BALL,
        BALL.replace("in [0, 8]", "in [0, 9]"),
        BALL.replace("mod(dry, 7) == 3", "sin(ball_x) > 0"),
        BALL.replace("param lead: real = 2", "param lead: real = 3"),
    ]
    steps, compiled = set(), set()
    for text in others:
        for leads in (None, 0.0, 7.5, np.linspace(0, 8, 5), np.linspace(8, 0, 5)):
            policy = Policy(Program.parse(text).flow, None if leads is None else {"lead": leads}, "tape")
            policy.reset(5)
            policy.tick(frame(range(5)))
            step = policy._lanes._interpret
            steps.add(step)
            compiled.add(
                (len(step.signatures), sum(step.stats.cache_hits.values()) + sum(step.stats.cache_misses.values()))
            )
    assert len(steps) == 1 and len(compiled) == 1, "the first tick of all made what every later one used"


@pytest.mark.parametrize(
    "change",
    [
        {"ram": np.asfortranarray(np.arange(256, dtype=np.uint8).reshape(2, 128))},
        {"ram": np.arange(256).reshape(2, 128)},
        {"ram": np.full((2, 128), 300.5)},
        {"reward": np.array([1.0, np.nan])},
        {"lives": np.array([3, -7], np.int64)},
        {"step": np.array([0, 1], np.int64)},
        {"lanes": np.array([1, 0], np.int64)},
        {"reward": np.arange(4, dtype=np.float32)[::2]},
    ],
    ids=lambda change: f"{next(iter(change))} {next(iter(change.values())).dtype}",
)
def test_arrays_of_another_type_or_layout_mean_the_same(change):
    tape, reference = pair()
    tape.reset(2), reference.reset(2)
    for tick in range(3):
        shown = frame([0, 1], tick, **change)
        assert np.array_equal(tape.tick(shown), reference.tick(shown))
    assert outcome(tape) == outcome(reference)


def test_a_read_only_frame_is_fine_and_no_frame_is_written_to():
    tape, reference = pair()
    tape.reset(2), reference.reset(2)
    shown = frame([0, 1])
    for values in (shown.ram, shown.reward, shown.lives, shown.step, shown.lanes):
        values.setflags(write=False)
    assert np.array_equal(tape.tick(shown), reference.tick(shown))
    shown = frame([0, 1], 1)
    copies = {name: np.copy(values) for name, values in vars(shown).items() if values is not None}
    tape.tick(shown)
    for name, values in copies.items():
        assert np.array_equal(values, getattr(shown, name))


@pytest.mark.parametrize(
    "change",
    [
        {"lanes": np.array([0, 2], np.int32)},
        {"lanes": np.array([-1, 0], np.int32)},
        {"lanes": np.array([0, 1, 1], np.int32)},
        {"ram": np.zeros((2, 80), np.uint8)},
        {"ram": np.zeros((1, 128), np.uint8)},
        {"ram": None},
        {"reward": np.zeros(3, np.float32)},
        {"lives": np.zeros(1, np.int32)},
    ],
    ids=[
        "a lane too many",
        "a negative lane",
        "more rows than lanes",
        "too few columns",
        "too few rows",
        "no ram",
        "too many rewards",
        "too few lives",
    ],
)
def test_a_frame_that_does_not_fit_is_an_error_and_nothing_is_done(change):
    tape, _ = pair()
    tape.reset(2)
    tape.tick(frame([0, 1]))
    before = outcome(tape)
    with pytest.raises(HLError):
        tape.tick(frame([0, 1], 1, **change))
    assert outcome(tape) == before


def test_the_interpreter_is_plain_python_too():
    """What numba compiles is run here by Python, on the same arrays, and does the same."""
    tape, _ = pair()
    source = tape_source.interpreter_source(tape._lanes.tape.forms)
    numba = types.ModuleType("numba")
    numba.float32 = np.float32
    numba.njit = lambda function=None, **options: function or (lambda inner: inner)
    plain = {}
    saved, sys.modules["numba"] = sys.modules["numba"], numba
    try:
        exec(compile(source, "<plain>", "exec"), plain)
    finally:
        sys.modules["numba"] = saved
    tape.reset(300)
    lanes = tape._lanes
    state = lanes._state.copy()
    for tick in range(3):
        shown = frame(range(300), tick)
        assert plain["tick"](
            shown.lanes,
            shown.ram,
            np.zeros((0, 0)),
            shown.reward,
            shown.lives,
            shown.step,
            np.zeros((0, 0)),
            lanes._program,
            state,
        )
        tape.tick(shown)
        assert np.array_equal(lanes._state, state)


def test_a_new_row_gives_another_interpreter_and_a_removed_one_still_runs():
    half = Operator(
        "halved",
        "half of {0}",
        forms=(Form(("real",), "real", lambda a: a * 0.5, "{0} * 0.5", "a * 0.5 + 0.0", intervals.negate),),
    )
    before = tape_source.table_forms()
    with registered(half):
        assert tape_source.table_forms() == (*before, "a * 0.5 + 0.0")
    assert tape_source.table_forms() == before
    assert tape_source.table_forms(["a * 0.5 + 0.0", before[3]]) == (*before, "a * 0.5 + 0.0")
    assert set(before) == {form.tape for row in OPERATORS.values() for form in row.forms}
