"""Diagnosis of a failed proof: conjuncts that hold, missing invariants, weaker bounds."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, prove
from hl_dsl.verify.conjunctions import split_conjunction
from hl_dsl.verify.diagnosis.annotate_proof import with_diagnosis
from hl_dsl.verify.diagnosis.bound_relaxation import relax_bound
from hl_dsl.verify.diagnosis.missing_invariants import suggest_invariant
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.graph_index import GraphIndex
from tests.verify.test_verdicts import LIMITS

BREAKOUT = 'policy p for "Breakout-v5" {{ observe ram, reward {} act NOOP }}'
CART = 'policy p for "CartPole-v1" {{ observe cart.position, cart.velocity {} act LEFT }}'


def goal_of(program, name="i"):
    return next(goal for goal in list_goals(program.flow) if goal.id == f"invariant:{name}")


def advice(body: str, memory: dict, inputs: dict) -> str:
    """Returns the advice on a state, which the proof need not have found."""
    program = Program.parse(BREAKOUT.format(body))
    tick = {"memory": memory, "inputs": {entry.name: inputs.get(entry.name, 0) for entry in program.flow.inputs}}
    trace: tuple[dict[str, Any], ...] = ({"tick": 0, **tick}, {"tick": 1, **tick})
    return suggest_invariant(program.flow, goal_of(program), trace, LIMITS)


UP_DOWN = """memory up: int in [0, 99] = 0 { next = if ram[1] > 9 and down > 0 then up + 1 else up }
  memory down: int in [0, 99] = 20 { next = if ram[1] > 9 and down > 0 then down - 1 else down }
  invariant i: up <= 20"""


@pytest.mark.parametrize(
    "body, memory, inputs, fact",
    [
        (UP_DOWN, {"up": 20, "down": 3}, {"ram[1]": 10}, "up + down == 20"),
        (
            "memory a: int in [0, 255] = 0 { next = ram[1] } memory b: int in [0, 255] = 0 { next = ram[1] } "
            "memory d: int in [-255, 255] = 0 { next = a - b } invariant i: d == 0",
            {"a": 3, "b": 4, "d": 0},
            {},
            "a == b",
        ),
        (
            "memory on: bool = false { next = ram[1] > 3 } memory v: int in [0, 9] = 0 { next = if ram[1] > 3 then 7 "
            "else 0 } "
            "memory w: int in [0, 9] = 0 { next = if on then 0 else v } invariant i: w == 0",
            {"on": False, "v": 3, "w": 0},
            {},
            "not on implies v == 0",
        ),
    ],
)
def test_missing_invariant_is_suggested(body, memory, inputs, fact):
    said = advice(body, memory, inputs)
    assert f"`{fact}`" in said, said
    written = Program.parse(BREAKOUT.format(body + f" invariant fact: {fact}"))
    assert all(
        result.status == "proved"
        for result in written.prove(limits=LIMITS).results
        if result.id in ("invariant:i", "invariant:fact")
    )


def test_cells_of_the_state_are_named_if_no_fact_is_found():
    said = advice(
        "memory n: int in [0, 5000] = 0 { next = if n > 3000 then 3000 else n + 1 } memory o: int in [0, 255] = 0 { "
        "next = ram[1] } invariant i: n * n != 640000",
        {"n": 799, "o": 3},
        {},
    )
    assert "`n` = 799" in said and "`o`" not in said


@pytest.mark.parametrize(
    "head, body, text",
    [
        (
            CART,
            "let a = clamp(cart.position, -4, 4) invariant i: (a + cart.velocity) - cart.velocity <= 4",
            "a + cart.velocity - cart.velocity <= 4.000000000000004",
        ),
        (
            CART,
            "param a: real = 0.5 in [0.1, 0.9] let v = a * clamp(cart.position, -4, 4) + (1 - a) * "
            "clamp(cart.velocity, -4, 4) invariant i: v in [-4, 4]",
            r"v in \[-4\.0\d+, 4\.0\d+\]",
        ),
    ],
)
def test_bound_that_only_rounding_violates_is_relaxed(head, body, text):
    program = Program.parse(head.format(body))
    assert prove(program.flow, LIMITS).passed is False
    said = relax_bound(program.flow, goal_of(program), LIMITS)
    assert re.fullmatch(text, said) or said == text
    wider = Program.parse(head.format(body[: body.rindex("invariant")] + f"invariant i: {said}"))
    assert wider.prove(limits=LIMITS).passed
    proof = with_diagnosis(program.flow, prove(program.flow, LIMITS), LIMITS)
    assert not proof.passed and said in proof.render(program.source)


@pytest.mark.parametrize("body", ["invariant i: cart.position <= 3", "invariant i: cart.position != 3"])
def test_bound_that_is_false_is_not_relaxed(body):
    program = Program.parse(CART.format(body))
    assert relax_bound(program.flow, goal_of(program), LIMITS) == ""


def test_components_have_their_own_status():
    program = Program.parse(
        'policy p for "CartPole-v1" { observe cart.position, cart.velocity let w = [cart.position, '
        "clamp(cart.velocity, -1, 1), 0.5] "
        "act LEFT invariant i: all(w in [-1, 1]) }"
    )
    proof = with_diagnosis(program.flow, program.prove(limits=LIMITS), LIMITS)
    (result,) = [result for result in proof.results if result.id == "invariant:i"]
    assert result.status == "violated"
    assert [(one["says"], one["status"]) for one in result.components] == [
        ("-1.0 <= w[0]", "violated"),
        ("w[0] <= 1.0", "violated"),
        ("-1.0 <= w[1]", "proved"),
        ("w[1] <= 1.0", "proved"),
    ]
    assert "! violated: w[0] <= 1.0" in proof.render(program.source)
    assert result.span["line"] == 1 and result.span["end_column"] > result.span["column"] > 100


def test_conjunction_is_proved_by_its_conjuncts():
    """One conjunct is proved by intervals, one by z3."""
    body = "memory n: int in [0, 9] = 0 { next = min(n + 1, 9) } invariant i: n <= 9 and 2 * ram[1] != 2 * ram[2] + 1"
    program = Program.parse(BREAKOUT.format(body))
    assert program.prove(limits=LIMITS).passed
    index = GraphIndex(program.flow)
    assert len(split_conjunction(index, goal_of(program).stated.node)) == 2


def test_diagnosis_changes_no_status():
    program = Program.parse(BREAKOUT.format("invariant i: ram[1] <= 255"))
    proof = program.prove(limits=LIMITS)
    assert with_diagnosis(program.flow, proof) is proof
    broken = Program.parse(BREAKOUT.format("invariant i: ram[1] <= 255 and ram[2] <= 254"))
    before, after = broken.prove(limits=LIMITS), with_diagnosis(broken.flow, broken.prove(limits=LIMITS), LIMITS)
    assert [result.status for result in before.results] == [result.status for result in after.results] == ["violated"]


def test_table_omits_lets_that_the_goal_does_not_depend_on():
    program = Program.parse(BREAKOUT.format("let near = ram[1] + 1 let far = ram[2] + 1 invariant i: near < 200"))
    text = program.prove(limits=LIMITS).render(program.source)
    header = next(line for line in text.splitlines() if line.split()[:1] == ["tick"])
    assert "near" in header and "far" not in header


def test_screening_makes_no_diagnosis():
    from hl_dsl.synth.candidates.gates import SEARCH_LIMITS

    assert SEARCH_LIMITS.components is False and ProofLimits().components is True
