"""Warnings that need no proof: what a program declares and does not need."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from hl_dsl.base.diagnostics import render
from hl_dsl.base.source import SourceText
from hl_dsl.grammar.parser import parse
from hl_dsl.language.unused_definitions import unused
from hl_dsl.program import Program
from tests.support.generators.programs import programs

HEAD = 'policy p for "CartPole-v1" {\n  observe pole.angle\n'
ACT = "  act { when pole.angle > 0 => RIGHT otherwise => LEFT }\n}\n"


def warned(middle: str, act: str = ACT) -> list[tuple[str, str, str]]:
    program = Program.parse(HEAD + middle + act)
    return [(item.code, program.source.text[item.span.start : item.span.end], item.label) for item in program.warnings]


@pytest.mark.parametrize(
    "middle, found",
    [
        ("  let a = 1\n", [("HL501", "a", "nothing uses it")]),
        (
            "  let a = 1\n  let b = a\n",
            [("HL501", "a", "only `b` uses it, which nothing needs"), ("HL501", "b", "nothing uses it")],
        ),
        (
            "  memory m: int in [0, 9] = 0 { next = min(m + 1, 9) }\n",
            [("HL502", "m", "only its own next value reads it")],
        ),
        (
            "  memory m: bool = true { next = n }\n  memory n: bool = true { next = m }\n",
            [
                ("HL502", "m", "only `n` uses it, which nothing needs"),
                ("HL502", "n", "only `m` uses it, which nothing needs"),
            ],
        ),
        ("  param g: real = 1 in [0, 2]\n", [("HL503", "g", "nothing uses it")]),
        (
            "  param g: real = 1 in [0, 2]\n  let far = pole.angle > g\n  monitor m: not far\n",
            [("HL505", "g", "only `far` uses it, and the action depends on none of that")],
        ),
        ("  let a = 1\n  invariant i: a > 0\n", []),
        ("  observe cart.position in [-1, 1]\n", [("HL504", "cart.position", "nothing reads it")]),
    ],
)
def test_what_nothing_needs(middle, found):
    assert warned(middle) == found


def test_what_only_the_memory_that_matters_uses_is_used():
    act = "  act { when m > 3 => RIGHT otherwise => LEFT }\n}\n"
    middle = (
        "  param g: int = 1 in [0, 2]\n  let a = if pole.angle > 0 then g else 0\n"
        "  memory m: int in [0, 9] = 0 { next = min(previous(a, 0), 9) }\n"
    )
    assert warned(middle, act) == []


def test_modes_use_what_decides_them():
    modes = "  let far = pole.angle > 0.1\n  modes { start a { act LEFT when far -> b } b { act RIGHT } }\n}\n"
    assert warned("", modes) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(program=programs())
def test_the_action_is_the_same_without_what_is_not_used(program):
    """What is warned of can be removed: the program checks, and the graph of its action is the same."""
    checked = Program.from_syntax(parse(SourceText(program.text)), SourceText(program.text), program.card).checked
    gone = {item.span for item in unused(checked) if item.code in ("HL501", "HL502", "HL503")}
    for item in unused(checked):
        assert render(checked.source, item)
    kept = tuple(item for item in checked.policy.declarations if getattr(item, "name_span", None) not in gone)
    policy = checked.policy
    smaller = Program.from_syntax(type(policy)(policy.name, policy.environment, kept), card=program.card)
    assert {item.code for item in smaller.warnings} & {"HL501", "HL502", "HL503"} == set()
    before, after = Program(checked).flow, smaller.flow
    assert len(after.nodes) <= len(before.nodes) and len(after.action) == len(before.action)
    assert [before.nodes[node].op for node in before.action] == [after.nodes[node].op for node in after.action]


def test_a_repair_removes_its_warning():
    program = Program.parse(HEAD.replace("pole.angle", "pole.angle, cart.position") + "  let a = 1\n" + ACT)
    text = program.source.text
    for item in reversed(program.warnings):
        text = item.repair.apply(text)
    assert Program.parse(text).warnings == ()


PLANNED = (
    'policy p for "HalfCheetah-v5" { observe velocity.x  param few: int = 3 in [2, 9]  '
    "act clamp(r + 0 * few, -1, 1)  plan r: vec[6] in [-0.5, 0.5] { SETTINGS each velocity.x } }"
)


@pytest.mark.parametrize(
    "settings, idle",
    [
        ("", []),
        ("elites 4", ["elites"]),
        ("rounds 1 elites 1", ["elites"]),
        ("rounds 2 elites 4", []),
        ("rounds 2 elites 32", []),
        ("rounds 2 elites 33", ["elites"]),
        ("candidates 4 rounds 2 elites 5", ["elites"]),
        ("candidates few rounds 2 elites 5", []),
        ("rounds few elites 4", []),
        ("elites few", ["elites"]),
        ("sigma 0", ["sigma"]),
        ("sigma 0.0 elites 2", ["elites", "sigma"]),
        ("sigma 0.1", []),
    ],
)
def test_settings_without_effect(settings, idle):
    found = Program.parse(PLANNED.replace("SETTINGS", settings)).warnings
    assert sorted(item.message.split("`")[1].split()[0] for item in found) == idle and {
        item.code for item in found
    } <= {"HL507"}
