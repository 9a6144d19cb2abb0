"""Properties over several ticks, held against what they say: quantifiers over a whole run, written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.compiler.backends.backend import run_outputs
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.backends.monitored_properties import as_monitors, without_unused_monitor_state
from hl_dsl.compiler.backends.tape.encoding import encode
from hl_dsl.compiler.policy import BACKENDS, Policy
from hl_dsl.program import Program

RUNS = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=14)
FORMS = ("never e", "within {n} of c: e", "after c until d: e")


def program(claim: str, kind: str = "monitor") -> Program:
    return Program.parse(f"""policy p for "Breakout-v5" {{
      observe ram
      let c = ram[0] == 1
      let d = ram[1] == 1
      let e = ram[2] == 1
      act {{ when c => LEFT  otherwise => RIGHT }}
      {kind} claim: {claim}
    }}""")


def broken_by_definition(form: str, n: int, run: list[tuple[bool, bool, bool]]) -> list[bool]:
    """For each tick, whether the claim is broken there."""
    c, d, e = zip(*run)
    ticks = range(len(run))
    if form.startswith("never"):
        return list(e)
    if form.startswith("within"):
        return [any(c[s] and t - s >= n and not any(e[s : t + 1]) for s in range(t + 1)) for t in ticks]
    return [not e[t] and any(c[s] and not any(d[s : t + 1]) for s in range(t + 1)) for t in ticks]


def raw(flow, row) -> list[int]:
    shown = {f"ram[{position}]": int(value) for position, value in enumerate(row)}
    return [shown[entry.name] for entry in flow.inputs]


@settings(deadline=None)
@given(RUNS, st.sampled_from(FORMS), st.integers(0, 4))
def test_the_interpreter_breaks_a_claim_where_its_definition_does(run, form, n):
    flow = program(form.format(n=n)).flow
    interpreter = Interpreter(flow)
    (item,) = flow.properties
    broken = [not interpreter.tick(raw(flow, row)).values[item.node] for row in run]
    assert broken == broken_by_definition(form, n, run)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", FORMS)
def test_every_back_end_counts_the_same_in_each_lane(backend, form):
    generator = np.random.default_rng(7)
    runs = generator.random((7, 60, 3)) < (0.3, 0.15, 0.25)
    for lanes in (1, 7):
        policy = program(form.format(n=2)).compile(backend=backend)
        policy.reset(lanes)
        for tick in range(60):
            ram = np.zeros((lanes, 128), np.uint8)
            ram[:, :3] = runs[:lanes, tick]
            policy.act({"ram": ram, "step": np.full(lanes, tick)})
        wanted = [sum(broken_by_definition(form, 2, [tuple(row) for row in run])) for run in runs[:lanes].tolist()]
        assert policy.monitor_violations[:, 0].tolist() == wanted
        assert min(wanted) > 0


@pytest.mark.parametrize("claim, d", [("after c until d: e", True)])
def test_after_does_not_start_if_condition_and_end_hold_together(claim, d):
    assert broken_by_definition(claim, 0, [(True, d, False), (False, False, False)]) == [False, False]


@pytest.mark.parametrize("form", FORMS[1:])
def test_the_ghost_of_what_is_proved_does_not_run(form):
    watched, proved = program(form.format(n=2)).flow, program(form.format(n=2), "invariant").flow
    bare = program("true").flow
    (ghost,) = [cell for cell in proved.memories if cell.monitor_of]
    assert ghost.monitor_of == "claim" and not ghost.declared and ghost.name in ("claim.waited", "claim.active")
    assert without_unused_monitor_state(watched) is watched and not without_unused_monitor_state(proved).memories
    assert (
        len(encode(without_unused_monitor_state(proved)).code)
        == len(encode(without_unused_monitor_state(bare)).code)
        < len(encode(watched).code)
    )
    assert len(run_outputs(without_unused_monitor_state(proved))) == 1
    policy = program(form.format(n=2), "invariant").compile()
    policy.reset(1)
    assert policy.memory == {}
    assert [item.kind for item in as_monitors(proved).properties] == ["monitor"]
    assert len(without_unused_monitor_state(as_monitors(proved)).memories) == 1


@settings(deadline=None, max_examples=30)
@given(RUNS, st.sampled_from(BACKENDS))
def test_a_property_changes_no_action_and_no_memory_of_the_program(run, backend):
    """One ghost of three runs, so that the memory behind it moves up."""
    text = """policy p for "Breakout-v5" {
      observe ram
      memory count: int in [0, 9] = 0 { next = mod(count + ram[0], 10) }
      act { when previous(ram[1], 0) + count > 3 => LEFT  otherwise => RIGHT }
      %s
    }"""
    properties = """invariant proved: within 3 of ram[2] == 1: ram[2] <= 255
      monitor watched: after previous(ram[2], 0) == 1 until ram[0] == 1: previous(ram[1], 1) == 0
      invariant again: after ram[0] == 1 until ram[1] == 1: previous(ram[0], 0) >= 0
      reachable left: action == LEFT"""
    policies = [Program.parse(text % declared).compile(backend=backend) for declared in ("", properties)]
    for policy in policies:
        policy.reset(1)
    for tick, row in enumerate(run):
        ram = np.zeros((1, 128), np.uint8)
        ram[0, :3] = row
        actions = [policy.act({"ram": ram, "step": np.array([tick])}).tolist() for policy in policies]
        assert actions[0] == actions[1]
        assert policies[0].memory["count"] == policies[1].memory["count"]
    assert sorted(name for name in policies[1].memory if "." in name) == ["watched.active"]


def test_what_is_awaited_must_be_well_defined_only_there():
    claims = {
        "after ram[0] > 0 until ram[0] == 0: 10 // ram[0] <= 10": True,
        "after ram[0] > 0 until ram[1] > 0: 10 // ram[0] <= 10": False,
    }
    for claim, defined in claims.items():
        proof = Program.parse(f'policy p for "Breakout-v5" {{ observe ram act LEFT invariant claim: {claim} }}').prove()
        assert all(result.status == "proved" for result in proof.results if result.kind == "division") == defined, (
            proof.render()
        )


def test_a_policy_of_monitors_counts_invariants_and_what_is_reached():
    text = """policy p for "Breakout-v5" { observe ram act LEFT
      monitor low: ram[0] < 9  invariant small: ram[0] < 5  reachable seven: ram[0] == 7 }"""
    policy = Policy(as_monitors(Program.parse(text).flow))
    policy.reset(1)
    for tick, value in enumerate((0, 4, 7, 7, 9)):
        policy.act({"ram": np.full((1, 128), value, np.uint8), "step": np.array([tick])})
    assert policy.monitor_violations.tolist() == [[1, 3, 2]]
