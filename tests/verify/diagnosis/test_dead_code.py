"""Dead rules, conditions and modes, each with its reason."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.base.source import SourceText
from hl_dsl.grammar.parser import parse
from hl_dsl.messages.codes import CODES, explain_code
from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.diagnosis.assumption_horizon import check_assumption_horizon
from hl_dsl.verify.diagnosis.condition_sites import find_condition_sites
from hl_dsl.verify.diagnosis.dead_code import find_dead_code
from hl_dsl.verify.equivalence import equivalence
from hl_dsl.verify.equivalence.correspondence import simulate_jointly
from hl_dsl.verify.equivalence.product import build_product
from tests.support.generators.inputs import interpret, runs
from tests.support.generators.programs import programs
from tests.support.generators.soundness import sound_ticks
from tests.support.paths import POLICIES as FOLDER

POLICIES = sorted(FOLDER.glob("*/*.hl"))
BREAKOUT = 'policy p for "Breakout-v5" {{ observe ram, reward {} }}'


def found(body: str, prove: bool = False) -> list[tuple[str, str, str]]:
    program = Program.parse(BREAKOUT.format(body))
    items = find_dead_code(program.checked, program.prove() if prove else None)
    return [(item.code, program.source.text[item.span.start : item.span.end], item.label) for item in items]


def rules(*conditions: str) -> str:
    return "act { " + " ".join(f"when {condition} => FIRE" for condition in conditions) + " otherwise => NOOP }"


@pytest.mark.parametrize(
    "body, expected",
    [
        (rules("ram[1] > 300"), [("HL510", "ram[1] > 300", "`ram[1]` is in [0, 255] here")]),
        (rules("ram[1] > 3", "ram[2] > 3", "ram[1] > 5"), [("HL510", "ram[1] > 5", "rule 1 covers all of it")]),
        (
            rules("ram[1] > 3", "ram[2] > 3", "ram[1] + ram[2] > 6"),
            [("HL510", "ram[1] + ram[2] > 6", "rules 1 and 2 cover all of it together")],
        ),
        (rules("ram[1] > 3", "ram[1] <= 3"), [("HL511", "ram[1] <= 3", "rule 1 takes all other cases")]),
        (rules("ram[1] > 3", "ram[2] > 3"), []),
        (
            rules("ram[1] > ram[2] and ram[2] > ram[1]"),
            [("HL510", "ram[1] > ram[2] and ram[2] > ram[1]", "`ram[1]` is in [0, 255], `ram[2]` is in [0, 255] here")],
        ),
        (
            "let a = if ram[1] >= 0 then 1 else 2 " + rules("a > 1"),
            [("HL511", "ram[1] >= 0", "`ram[1]` is in [0, 255] here"), ("HL510", "a > 1", "`a` is 1 here")],
        ),
        # No warnings inside of dead code.
        (
            rules("ram[1] > 300 and (if ram[1] < 0 then ram[2] > 1 else ram[3] > 1)"),
            [
                (
                    "HL510",
                    "ram[1] > 300 and (if ram[1] < 0 then ram[2] > 1 else ram[3] > 1)",
                    "`ram[1]` is in [0, 255], `ram[2]` is in [0, 255], `ram[3]` is in [0, 255] here",
                )
            ],
        ),
        (
            "memory m: int in [0, 9] = 0 { next = min(m + 1, 9) } " + rules("m > 9"),
            [("HL510", "m > 9", "`m` is in [0, 9] here")],
        ),
        (
            "assume low: ram[1] < 100 " + rules("ram[1] > 200"),
            [("HL510", "ram[1] > 200", "`ram[1]` is in [0, 99] here")],
        ),
    ],
)
def test_warning_has_a_reason(body, expected):
    assert found(body) == expected


def test_modes_that_are_never_entered_are_reported():
    body = """modes {
      start a { act FIRE  when ram[1] > 300 -> b  when ram[1] == 3 -> c }
      b { act { when ram[1] > 900 => FIRE otherwise => NOOP }  when ram[1] == 1 -> d }
      c { act { when mode == a => FIRE otherwise => NOOP }  when true -> a }
      d { act NOOP }
      e { act NOOP }
    }"""
    assert found(body) == [
        ("HL512", "ram[1] > 300", "`ram[1]` is in [0, 255] here"),
        ("HL513", "b", "`ram[1] > 300`, which leads here from `a`, is never true"),
        ("HL510", "mode == a", "`mode` is c here"),
        ("HL511", "true", "it does not depend on the values"),
        ("HL513", "d", "only `b` leads here, which is never entered either"),
        ("HL513", "e", "no transition leads to it"),
    ]


def test_proved_facts_are_used():
    body = """memory a: int in [0, 300] = 0 { next = ram[1] } memory b: int in [0, 300] = 0 { next = ram[1] }
      invariant same: a == b """ + rules("a > b")
    assert found(body) == [] and [code for code, *_ in found(body, prove=True)] == ["HL510"]


@pytest.mark.parametrize(
    "body, prove, messages",
    [
        (
            "assume low: ram[1] < 100 " + rules("ram[1] > 200"),
            False,
            ["rule 1 is never reached: `ram[1] > 200` is never true there, given the `assume` facts `low`"],
        ),
        (
            "assume low: ram[1] < 100 " + rules("ram[1] > 300", "ram[1] < 110", "ram[2] > 3"),
            False,
            [
                "rule 1 is never reached: `ram[1] > 300` is never true there",
                "always true where it is evaluated: `ram[1] < 110`; the rules after it are never reached, given the "
                "`assume` facts `low`",
            ],
        ),
        (
            "assume low: ram[1] < ram[2] assume high: ram[2] < ram[3] let a = if ram[1] > ram[3] then 1 else 2 "
            + rules("a > 1 and ram[5] == 3"),
            False,
            ["never true: `ram[1] > ram[3]`, given the `assume` facts `low` and `high`"],
        ),
        # By way of what is proved with an assumption, and of what is proved without.
        (
            "assume low: ram[1] < 100 memory m: int in [0, 255] = 0 { next = ram[1] } memory n: int in [0, 255] = 0 "
            "{ next = ram[1] } invariant same: m == n " + rules("m != n", "m > 200"),
            True,
            [
                "rule 1 is never reached: `m != n` is never true there",
                "rule 2 is never reached: `m > 200` is never true there, given the `assume` facts `low`",
            ],
        ),
        (
            "assume low: ram[1] == ram[2] memory m: int in [0, 255] = 0 { next = ram[1] } memory n: int in [0, 255] "
            "= 0 { next = ram[2] } invariant same: m == n " + rules("m != n"),
            True,
            ["rule 1 is never reached: `m != n` is never true there, given the `assume` facts `low`"],
        ),
        (
            "assume low: ram[1] < 100 modes { start a { act FIRE when ram[1] > 200 -> b } b { act NOOP when ram[1] "
            "== 1 -> a } }",
            False,
            [
                "this transition never fires: `ram[1] > 200`, given the `assume` facts `low`",
                "the mode `b` is never entered, given the `assume` facts `low`",
            ],
        ),
    ],
)
def test_warning_that_depends_on_an_assumption_says_so(body, prove, messages):
    program = Program.parse(BREAKOUT.format(body))
    assert [item.message for item in find_dead_code(program.checked, program.prove() if prove else None)] == messages


def test_fewer_warnings_are_found_without_the_solver():
    program = Program.parse(BREAKOUT.format(rules("ram[1] > 300", "ram[1] > ram[2] and ram[2] > ram[1]")))
    assert len(find_dead_code(program.checked, limits=ProofLimits(solver=False))) == 1


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_policies_cause_no_warnings(path):
    program = Program.load(path)
    assert program.warnings + find_dead_code(program.checked) == ()


@pytest.mark.parametrize("code", sorted(code for code, entry in CODES.items() if entry.stage == "proof"))
def test_example_on_the_message_page_causes_its_warning(code):
    wrong, repaired = (Program.parse(text) for text in re.findall(r"```hl\n(.*?)```", explain_code(code), re.DOTALL))
    assert code in {
        item.code for item in find_dead_code(wrong.checked) + check_assumption_horizon(wrong.flow, wrong.prove())
    }
    assert find_dead_code(repaired.checked) + check_assumption_horizon(repaired.flow, repaired.prove()) == ()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), program=programs())
def test_no_run_contradicts_a_warning(data, program):
    checked = Program.from_syntax(parse(SourceText(program.text)), SourceText(program.text), program.card).checked
    flow, asked = find_condition_sites(checked)
    items = find_dead_code(checked, limits=ProofLimits(solver_steps=50_000))
    never = {
        site.met
        for site in asked
        for item in items
        if item.span == site.condition.span and item.code in ("HL510", "HL512")
    }
    never |= {
        site.unmet for site in asked for item in items if item.span == site.condition.span and item.code == "HL511"
    }
    run = data.draw(runs(flow))
    for done, _ in sound_ticks(flow, run, interpret(run)):
        if all(done.values[item.node] for item in flow.of_kind("assume")):
            assert not [node for node in never if done.values[node]]


def test_parameter_of_a_rare_mode_is_decided_without_a_solver(monkeypatch):
    """`patience` of the walker has an effect only after a long wait, which three random episodes do not reach."""
    program = Program.load(next(path for path in POLICIES if path.parent.name == "bipedal_walker"))
    flow, positions = (
        program.flow,
        [place for place, entry in enumerate(program.flow.parameters) if entry.name == "patience"],
    )
    other = replace(
        flow,
        parameters=[
            replace(entry, name="patience elsewhere", default=entry.high) if place in positions else entry
            for place, entry in enumerate(flow.parameters)
        ],
    )
    assert positions and simulate_jointly(build_product(flow, other), 3).run is None

    def asked(*_):
        raise AssertionError("z3 is asked for what a random episode shows")

    monkeypatch.setattr(equivalence, "sweep", asked)
    monkeypatch.setattr(equivalence, "prove_all", asked)
    assert not [item for item in find_dead_code(program.checked) if item.code == "HL514"]
