"""Lowering: equal computations are one node, conditions guard the expressions behind them, and memory is fed."""

from __future__ import annotations

import pytest

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.program import Program


def program(body: str, environment: str = "CartPole-v1") -> Program:
    act = "" if "act " in body else "act LEFT"
    return Program.parse(f'policy p for "{environment}" {{ observe pole.angle, cart.position, step {body} {act} }}')


def value_of(flow, name: str, *rows) -> list:
    """The first component of a named value, tick by tick; rows follow `flow.inputs`."""
    machine = Interpreter(flow)
    return [machine.tick(row).values[flow.values[name].nodes[0]] for row in rows]


def obligations(flow, kind: str) -> list:
    return [item for item in flow.obligations if item.kind == kind]


def guarded_by(flow, item, row: list) -> bool | None:
    """Whether an obligation is asked for on this row of observations; None: always."""
    return None if item.guard is None else Interpreter(flow).tick(row).values[item.guard]


def test_equal_computations_are_one_node():
    flow = program("let a = pole.angle * 2 + 1  let b = pole.angle * 2  let c = b + 1").flow
    assert flow.values["a"].nodes == flow.values["c"].nodes


def test_operands_come_before_what_uses_them():
    flow = program("let c = b + a  let b = a * 2  let a = reflect(pole.angle, 0, 1)").flow
    assert all(arg < number for number, node in enumerate(flow.nodes) for arg in node.args)


def test_constants_fold_by_the_definition():
    flow = program("let a = mod(-7, 3) + floor(2.5)").flow
    node = flow.nodes[flow.values["a"].nodes[0]]
    assert (node.op, node.value, node.base) == ("constant", 4, "int")


def test_only_the_components_that_are_read_become_inputs():
    flow = Program.parse('policy p for "Breakout-v5" { observe ram let a = ram[99] + ram[72] act NOOP }').flow
    assert [(entry.name, entry.column) for entry in flow.inputs] == [("ram[99]", 99), ("ram[72]", 72)]


def test_a_vector_is_worked_on_component_by_component():
    flow = program(
        "let v = [pole.angle, cart.position, 2]  let w = clamp(v[[2, 0]] * v[0:2], -1, 1)  let s = sum(w)"
    ).flow
    assert len(flow.values["w"].nodes) == 2
    assert value_of(flow, "s", [0.25, 3.0]) == [min(2 * 0.25, 1) + 0.25 * 3.0]


@pytest.mark.parametrize("index, wanted", [(0, 1.0), (1, 2.0), (2, 3.0), (-5, 1.0), (9, 3.0)])
def test_a_computed_index_takes_the_nearest_component_outside(index, wanted):
    flow = program(f"let x = [1.0, 2.0, 3.0][step + {index}]").flow
    assert value_of(flow, "x", [0]) == [wanted]
    assert len(obligations(flow, "index")) == 1


# Guards: an obligation is asked for exactly where the result is used.


@pytest.mark.parametrize(
    "expression, asked_at, not_asked_at",
    [
        ("(if pole.angle != 0 then 1 / pole.angle else 0) > 2", 0.5, 0.0),
        ("(if pole.angle == 0 then 0 else 1 / pole.angle) > 2", 0.5, 0.0),
        ("pole.angle != 0 and 1 / pole.angle > 2", 0.5, 0.0),
        ("pole.angle == 0 or 1 / pole.angle > 2", 0.5, 0.0),
        ("pole.angle != 0 implies 1 / pole.angle > 2", 0.5, 0.0),
    ],
)
def test_a_condition_guards_the_expressions_behind_it(expression, asked_at, not_asked_at):
    flow = program(f"let x = {expression}").flow
    (item,) = obligations(flow, "division")
    assert guarded_by(flow, item, [asked_at]) is True
    assert guarded_by(flow, item, [not_asked_at]) is False


def test_rules_guard_their_values_and_the_rules_after_them():
    flow = program("act { when pole.angle == 0 => LEFT  when 1 / pole.angle > 2 => RIGHT  otherwise => LEFT }").flow
    (item,) = obligations(flow, "division")
    assert guarded_by(flow, item, [0.5]) is True
    assert guarded_by(flow, item, [0.0]) is False


def test_a_mode_guards_its_own_rules():
    flow = program("""modes {
      start near { act { when 1 / pole.angle > 2 => RIGHT otherwise => LEFT }  when pole.angle == 0 -> far }
      far { act LEFT  when pole.angle != 0 -> near }
    }""").flow
    (item,) = obligations(flow, "division")
    assert guarded_by(flow, item, [0.5]) is True
    assert guarded_by(flow, item, [0.0]) is False


def test_a_let_is_strict_wherever_it_is_used():
    flow = program("let inverse = 1 / pole.angle  let x = if pole.angle != 0 then inverse else 0").flow
    (item,) = obligations(flow, "division")
    assert item.guard is None


def test_one_division_under_two_conditions_is_asked_for_under_each():
    flow = program(
        "let x = if step > 3 then 1 / pole.angle else 0  let y = if step < 2 then 1 / pole.angle else 0"
    ).flow
    items = obligations(flow, "division")
    rows = [[step, 0.5] if flow.inputs[0].name == "step" else [0.5, step] for step in (0, 2, 5)]
    assert [[guarded_by(flow, item, row) for item in items] for row in rows] == [
        [False, True],
        [False, False],
        [True, False],
    ]


def test_an_obligation_points_at_the_text_it_comes_from():
    written = program("let x = clamp(pole.angle, 0, 1 / cart.position)")
    (division,) = obligations(written.flow, "division")
    start, end = division.span
    assert written.source.text[start:end] == "1 / cart.position"


def test_every_memory_and_every_rounded_result_is_obliged():
    flow = program(
        "memory m: real in [0, 1] = 0 { next = clamp(m + pole.angle, 0, 1) }  let n = floor(pole.angle)"
    ).flow
    assert {"memory", "finite", "integer"} <= {item.kind for item in flow.obligations}


# Over time.


def test_modes_take_the_first_true_transition_and_act_in_the_same_tick():
    flow = program("""modes {
      start one { act LEFT  when pole.angle > 0 -> two  when pole.angle > -1 -> three }
      two { act RIGHT  when true -> one }
      three { act LEFT }
    }""").flow
    assert value_of(flow, "mode", [0.5], [0.5], [-0.5], [0.5]) == [1, 0, 2, 2]
    assert value_of(flow, "action", [0.5], [0.5], [-0.5]) == [1, 0, 0]


def test_previous_is_the_value_of_the_last_tick():
    flow = program("let change = cart.position - previous(cart.position, 0.25)").flow
    assert value_of(flow, "change", [1.0], [0.5], [0.5]) == [0.75, -0.5, 0.0]


def test_equal_previous_values_share_a_cell():
    flow = program(
        "let a = previous(pole.angle, 0.0)  let b = 1 + previous(pole.angle, 0.0)  let c = previous(pole.angle, 1.0)"
    ).flow
    assert len(flow.memories) == 2


def test_what_decides_the_action_may_look_at_the_last_action():
    flow = program("let turned = previous(action, LEFT) == RIGHT  act { when turned => LEFT otherwise => RIGHT }").flow
    assert value_of(flow, "action", [], [], []) == [1, 0, 1]


def test_a_mode_may_look_at_the_last_mode_and_action_together():
    flow = program("""let calm = previous(mode, a) == previous(mode, b)  let again = previous(action, RIGHT) == RIGHT
    modes {
      start a { act { when calm => RIGHT otherwise => LEFT }  when again -> b }
      b { act LEFT  when not again -> a }
    }""").flow
    assert value_of(flow, "mode", [], [], [], []) == [1, 0, 1, 0]
    assert value_of(flow, "action", [], [], [], []) == [0, 1, 0, 1]


def test_previous_of_a_vector_is_one_cell_a_component():
    flow = program("let v = previous([cart.position, 2 * cart.position], [1, 2])  let second = v[1]").flow
    assert value_of(flow, "second", [0.5], [0.0]) == [2.0, 1.0]
    assert [cell.start for cell in flow.memories] == [1.0, 2.0]


def test_the_action_is_cast_to_the_environment_s_type_before_anything_speaks_of_it():
    flow = Program.parse(
        'policy p for "Pendulum-v1" { observe pole.cos act 0.1 * pole.cos monitor m: action <= 0.1 }'
    ).flow
    tick = Interpreter(flow).tick([1.0])
    assert tick.action == (0.10000000149011612,)
    assert tick.values[flow.properties[0].node] is False


def test_a_definition_may_look_at_its_own_last_value():
    flow = program("let count = min(previous(count, 0) + 1, 3)").flow
    assert str(flow.values["count"].type) == "int"
    assert value_of(flow, "count", [], [], [], []) == [1, 2, 3, 3]


def test_what_a_definition_starts_with_may_be_less_than_it_becomes():
    flow = program(
        "let slow = 0.5 * previous(slow, 0) + step  let v = previous(v, 0) + [step, 1]  let last = v[1]"
    ).flow
    assert [str(flow.values[name].type) for name in ("slow", "v")] == ["real", "int[2]"]
    assert value_of(flow, "slow", [2], [2]) == [2.0, 3.0]
    assert value_of(flow, "last", [0], [0], [0]) == [1, 2, 3]


def test_definitions_may_look_at_each_other_s_last_values():
    flow = program("let a = b + 1  let b = previous(a, 0) * 0.5  let c = previous(c, false) or step > 2").flow
    assert [str(flow.values[name].type) for name in ("a", "b", "c")] == ["real", "real", "bool"]
    assert value_of(flow, "a", [0], [0], [3]) == [1.0, 1.5, 1.75]
    assert value_of(flow, "c", [0], [3], [0]) == [False, True, True]


def test_a_last_value_of_another_type_than_the_definition_is_refused():
    with pytest.raises(ProgramError):
        program("let a = previous(a, true) == 1")
    with pytest.raises(ProgramError):
        program("let a = if step > 3 then 1 else floor(previous(a, 0.5) + 1)")
