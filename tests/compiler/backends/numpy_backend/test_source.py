"""Source of the NumPy form: its text, its assumptions, and no warnings. test_agreement.py compares its results."""

from __future__ import annotations

import ast
import math
import warnings
from random import Random

import numpy as np
from hl_dsl.compiler.backends.numpy_backend import kernel
from hl_dsl.compiler.backends.numpy_backend.source import compile_numpy, write_numpy
from hl_dsl.compiler.backends.value_bounds import node_bounds
from hl_dsl.compiler.policy import Policy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hl_dsl.program import Program
from tests.support.generators.inputs import bits, interpret, runs
from tests.support.generators.programs import programs

CHASE = """policy chase for "Breakout-v5" {
  observe ram, reward
  param lead: real = 2 in [0, 8]
  let falling = ram[103] < 128 and ram[103] > 0
  let ticks = if falling then (177 - ram[101]) / ram[103] else 0
  let aim = clamp(ram[99] + lead * ticks, 55, 191)
  memory dry: int in [0, 1000] = 5 { next = if reward > 0 then 0 else min(dry + 1, 1000) }
  modes {
    start serve { act FIRE  when ram[101] != 0 -> rally }
    rally { act { when aim > ram[72] => RIGHT  otherwise => LEFT }  when dry // 8 == 100 -> serve }
  }
  invariant in_field: aim in [55, 191]
  monitor not_dry: dry < 900
}"""

WRITTEN = '''\
def tick(observation, memory, parameters):
    """One tick of chase for Breakout-v5."""
    # actions: 0 NOOP, 1 FIRE, 2 RIGHT, 3 LEFT
    # modes: 0 serve, 1 rally
    ram_103, ram_101, ram_99, ram_72, reward = observation
    dry, last_mode = memory
    lead, = parameters
    mode = np.where(last_mode == 0, np.where(ram_101 != 0, 1, 0), np.where(dry >> 3 == 100, 0, 1))
    falling = (ram_103 < 128) & (0 < ram_103)
    ticks = np.where(falling, to_real(177 - ram_101) / np.where(falling, to_real(ram_103), 1.0), 0.0)
    aim = np.minimum(np.maximum(to_real(ram_99) + lead * ticks, 55.0), 191.0)
    action = np.where(mode == 0, 1, np.where(to_real(ram_72) < aim, 2, 3))
    next_dry = np.where(0.0 < reward, 0, np.minimum(dry + 1, 1000))
    not_dry = dry < 900
    return (action,), (next_dry, mode), (not_dry,)
'''


def flow_of(text: str):
    return Program.parse(text).flow


def test_what_a_person_reads():
    source = write_numpy(flow_of(CHASE))
    assert source.function == WRITTEN
    assert source.kernel == ("to_real",)


def test_names_never_meet():
    flow = flow_of("""policy names for "CartPole-v1" {
      observe pole.angle
      param lambda: real = 1 in [0, 2]
      let np = pole.angle * 3
      let pole_angle = np + lambda * np
      let tick = pole_angle * pole_angle
      let observation = tick * tick + np
      memory class: real in [-9, 9] = 0 { next = clamp(observation, -9, 9) }
      memory next_class: real in [-9, 9] = 0 { next = clamp(class - tick, -9, 9) }
      act { when class * next_class > observation => LEFT  otherwise => RIGHT }
    }""")
    names = [
        node.id
        for node in ast.walk(ast.parse(write_numpy(flow).function))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    assert len(names) == len(set(names))
    assert not {"np", "tick", "observation", "memory", "parameters", *kernel.NAMES} & set(names)
    compiled, reference = Policy(flow, backend="numpy"), Policy(flow, backend="interpreter")
    for policy in (compiled, reference):
        policy.reset(3)
    for values in ([0.1, -0.2, 0.3], [0.2, 0.0, -0.4]):
        shown = {"observation": np.array([[0, 0, value, 0] for value in values])}
        assert compiled.act(shown).tolist() == reference.act(shown).tolist()


def test_what_is_the_same_in_all_lanes_still_has_a_row_for_each():
    flow = flow_of("""policy still for "CartPole-v1" {
      observe pole.angle
      param b: bool = true
      memory m: int in [0, 3] = 1 { next = 2 }
      memory seen: bool = false { next = not b }
      act LEFT
      monitor wrong: b and m == 5
    }""")
    policy = Policy(flow, backend="numpy")
    policy.reset(3)
    for _ in range(2):
        assert policy.act({"observation": np.zeros((3, 4))}).tolist() == [0, 0, 0]
    assert {name: values.tolist() for name, values in policy.memory.items()} == {"m": [2, 2, 2], "seen": [False] * 3}
    assert policy.monitor_violations.tolist() == [[2]] * 3


GUARDED = """policy guarded for "CartPole-v1" {
  observe cart.position in [-1e300, 1e300], cart.velocity in [-10, 10]
  observe pole.angle in [-700, 800], pole.velocity in [0, 9]
  let x = cart.position
  let v = cart.velocity
  let quotient = if abs(v) > 1 then x / v else 0
  let root     = if v >= 0 then sqrt(v) else -1
  let square   = if abs(x) < 1e100 then x * x else 0
  let grown    = if pole.angle < 300 and pole.angle > -100 then exp(pole.angle) * exp(pole.angle) else 1
  let either   = if v > 5 and abs(x) < 1e100 then 1e190 * x else if v < -5 then 0 - 1e10 * (x / 1e10) else 0
  let rest     = if v != 0 then mod(x, v) else 0
  let steps    = if abs(x) < 1000 then floor(x) // (1 + round(pole.velocity)) else 0
  let both     = if abs(x) < 1e50 then (if pole.velocity > 1 then x * x * x / pole.velocity else 0) else 0
  act {
    when quotient + square / 1e150 > grown              => LEFT
    when both > rest or (steps > 3 and either > root) => RIGHT
    otherwise => LEFT
  }
}"""


def test_a_well_defined_program_never_makes_numpy_warn():
    flow = flow_of(GUARDED)
    source = write_numpy(flow)
    assert "errstate" not in source.function
    policy, reference = Policy(flow, backend="numpy"), Policy(flow, backend="interpreter")
    draw = Random(1)
    ends = {
        0: (-1e300, 1e300, 0.0, 5.0, 1e99, -1e99, 1e51),
        1: (-10.0, 10.0, 0.0, -0.0, 1.0, 6.0, -6.0),
        2: (-700.0, 800.0, 0.0, 200.0, 299.0),
        3: (0.0, 9.0, 1.0, 2.5),
    }
    rows = np.array([[draw.choice(ends[column]) for column in range(4)] for _ in range(2000)])
    for one in (policy, reference):
        one.reset(len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert policy.act({"observation": rows}).tolist() == reference.act({"observation": rows}).tolist()


def test_generated_programs_whose_promises_hold_never_make_numpy_warn():
    kept = []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(programs(wild=False), st.data())
    def quiet(program, data):
        flow = program.flow
        run = data.draw(runs(flow))
        assume(all(promises_hold(flow, tick) for row in interpret(run).ticks for tick in row if tick is not None))
        policy = Policy(flow, run.parameters, "numpy")
        policy.reset(run.lanes)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for tick in range(run.ticks):
                policy.tick(run.frame(tick, run.lanes_at(tick)))
        kept.append(program)

    quiet()
    assert len(kept) > 50


def promises_hold(flow, tick) -> bool:
    for item in flow.obligations:
        if item.guard is not None and not tick.values[item.guard]:
            continue
        value = tick.values[item.subject]
        if (item.kind == "finite" and not math.isfinite(value)) or (item.kind == "integer" and abs(value) > 2**53):
            return False
        if item.claim is not None and not tick.values[item.claim]:
            return False
    return True


def test_bounds_trust_a_declared_range_only_where_it_is_kept():
    flow = flow_of("""policy ranges for "CartPole-v1" {
      observe pole.angle in [-1, 1]
      memory kept: real in [-4, 4] = 0 { next = clamp(kept + pole.angle, -4, 4) }
      memory leaky: real in [-4, 4] = 0 { next = leaky + pole.angle }
      memory follows: real in [-9, 9] = 0 { next = kept * 2 }
      let before = previous(kept, 0)
      let ever = previous(leaky, 0)
      act { when kept + leaky + follows + before + ever > 0 => LEFT  otherwise => RIGHT }
    }""")
    bounds = node_bounds(flow, flow.reachable(flow.roots()))
    named = {name: bounds[flow.values[name].nodes[0]] for name in ("kept", "leaky", "follows", "before", "ever")}
    anything = (-math.inf, math.inf)
    assert named == {
        "kept": (-4.0, 4.0),
        "leaky": anything,
        "follows": (-9.0, 9.0),
        "before": (-4.0, 4.0),
        "ever": anything,
    }


def test_what_may_be_nan_has_no_bounds():
    """No clamp brings NaN back: `min(nan, 4)` is NaN."""
    flow = flow_of("""policy undefined for "CartPole-v1" {
      observe cart.velocity
      memory kept: real in [-4, 4] = 0 {
        next = clamp(exp(1000 * cart.velocity) * cart.velocity - exp(1000 * cart.velocity), -4, 4)
      }
      let huge = clamp(exp(1000 * cart.velocity), 0, 4)
      act { when max(kept, huge) > 1 => LEFT  otherwise => RIGHT }
    }""")
    bounds = node_bounds(flow, flow.reachable(flow.roots()))
    assert bounds[flow.values["kept"].nodes[0]] == (-math.inf, math.inf)
    assert bounds[flow.values["huge"].nodes[0]] == (0.0, 4.0)
    compiled, reference = Policy(flow, backend="numpy"), Policy(flow, backend="interpreter")
    for policy in (compiled, reference):
        policy.reset(2)
    with np.errstate(all="ignore"):
        for _ in range(3):
            shown = {"observation": np.array([[0, 9.0, 0, 0], [0, 1.0, 0, 0]])}
            assert compiled.act(shown).tolist() == reference.act(shown).tolist()
            assert [bits(value) for value in compiled.memory["kept"]] == [
                bits(value) for value in reference.memory["kept"]
            ]


def test_a_function_of_constants_that_are_known_only_when_it_runs():
    flow = flow_of("""policy still for "Breakout-v5" {
      observe ram in [128, 128]
      let angle = atan2(1.0, 0 // ram[0])
      act { when angle > 1 => LEFT  otherwise => RIGHT }
    }""")
    policy = Policy(flow, backend="numpy")
    policy.reset(2)
    assert policy.act({"ram": np.full((2, 128), 128, np.uint8)}).tolist() == [3, 3]


def test_the_written_function_takes_scalars_of_all_lanes_as_arrays_of_one():
    tick = compile_numpy(flow_of(CHASE))
    ints = [np.array([100, 30], np.int64) for _ in range(4)]
    action, memory, watched = tick(
        (*ints, np.zeros(2)), (np.array([5, 899]), np.zeros(2, np.int64)), (np.array([2.0]),)
    )
    assert [values.shape for values in (*action, *memory, *watched)] == [(2,)] * 4
    assert watched[0].dtype == bool and memory[0].dtype == np.int64 and memory[0].tolist() == [6, 900]
