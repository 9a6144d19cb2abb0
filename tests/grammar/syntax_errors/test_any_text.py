"""Any text: only a ProgramError is raised, and its diagnostics can be shown."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import MOST_SHOWN
from hl_dsl.grammar.formatter.format import format_policy
from tests.support.broken_programs import GOOD, MALFORMED, WORDS, survives
from tests.support.generators.syntax_trees import policies


@settings(deadline=None, max_examples=150)
@given(st.text())
def test_any_text_gives_a_program_error(text):
    survives(text)
    survives('policy p for "CartPole-v1" {' + text + "}")


@settings(deadline=None, max_examples=250)
@given(
    st.lists(st.sampled_from(WORDS), max_size=25),
    st.sampled_from(
        [
            "{} ",
            'policy p for "CartPole-v1" {{ {} }}',
            'policy p for "CartPole-v1" {{ act {{ {} }} }}',
            'policy p for "CartPole-v1" {{ let x = {} act LEFT }}',
        ]
    ),
)
def test_any_tokens_give_a_program_error(words, frame):
    survives(frame.format(" ".join(words)))


@st.composite
def edited(draw):
    """A good program with one character or token changed, or its end cut off."""
    text = draw(st.sampled_from([GOOD, *(path.read_text(encoding="utf-8") for path in MALFORMED[::9])]))
    at = draw(st.integers(0, len(text) - 1))
    end = draw(st.sampled_from([at, at + 1, at + 3, len(text)]))
    return text[:at] + draw(st.sampled_from([*WORDS, "", "", " ", "x", "0", "é"])) + text[end:]


@settings(deadline=None, max_examples=250)
@given(edited())
@example('policy balance for "CartPole-v1" {\n  observe pole.a:ngle: real\n  act LEFT\n}')
def test_repairs_of_edited_programs_do_not_repeat_the_diagnostic(text):
    error = survives(text)
    assume(error is not None)
    for item in error.diagnostics[:3]:
        if item.repair is not None:
            left = survives(item.repair.apply(text))
            # The repaired place does not have the same message again.
            moved = len(item.repair.text) - (item.repair.span.end - item.repair.span.start)
            for one in left.diagnostics if left else ():
                assert (one.code, one.message, one.span.start) not in (
                    (item.code, item.message, item.span.start),
                    (item.code, item.message, item.span.start + moved),
                ), (text, item.repair)


@settings(deadline=None, max_examples=60)
@given(policies)
def test_any_syntax_tree_gives_a_program_error(policy):
    survives(format_policy(policy))


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "HL101"),
        (" \n\t\r\n", "HL101"),
        ("x" * 10_000_000, "HL110"),
        ("(" * 10_000, "HL111"),
        ("{" * 10_000 + "}" * 10_000, "HL111"),
        ('policy p for "CartPole-v1" { act LEFT let x = ' + "(" * 10_000 + "1" + ")" * 10_000 + " }", "HL111"),
        ('policy p for "CartPole-v1" { act LEFT let x = ' + "[" * 200 + "1" + "]" * 200 + " }", "HL111"),
        ('policy p for "CartPole-v1" { act LEFT let x = ' + "not " * 10_000 + "true }", "HL111"),
        ('policy p for "CartPole-v1" { act LEFT let x = 1' + " + 1" * 10_000 + " }", "HL111"),
        ('policy p for "CartPole-v1" { act LEFT let x = ' + "if true then 1 else " * 2_000 + "2 }", "HL111"),
        ('policy p for "CartPole-v1" { act LEFT let x = ' + "9" * 1_000 + " }", "HL106"),
        ('policy p for "CartPole-v1" { act LEFT } # \0', "HL105"),
        ('policy p for "CartPole-v1" { # old Macintosh line ends\ract LEFT }', "HL105"),
        ('policy p for "CartPole-v1" { act LEFT } # \ud800', "HL105"),
        ('"\n' * 60_000, "HL116"),
        ("\x89PNG\r\n\x1a\n", "HL105"),
    ],
)
def test_hostile_texts_are_rejected_with_short_messages(text, code):
    error = survives(text)
    assert error is not None and error.diagnostics[0].code == code
    assert len(error.message) < 5_000


def _many(line: str, count: int = 2_000) -> str:
    return (
        'policy p for "CartPole-v1" {\n'
        + "\n".join(line.format(number, number + 1) for number in range(count))
        + f"\nlet a{count} = 1\nact LEFT }}"
    )


def test_long_chains_of_definitions_do_not_recurse_deeply():
    assert survives(_many("let a{0} = a{1} + 1")) is None


def test_a_long_cycle_is_one_diagnostic():
    text = _many("let a{0} = a{1} + 1").replace("let a2000 = 1", "let a2000 = a0")
    (finding,) = survives(text).diagnostics
    assert finding.code == "HL208" and len(finding.message) < 200


@pytest.mark.parametrize(
    "line",
    [
        "let a{0} = b{1}",
        "let x{0} = f{1}(2)",
        "let x = {0}",
        "let x{0} = 1 + true",
        "param q{0}: t{1} = f{0}",
        "observe z{0}",
    ],
)
def test_number_of_shown_diagnostics_is_limited(line):
    error = survives(_many(line))
    assert len(error.diagnostics) >= 1_999
    assert error.message.count("--> <text>") == MOST_SHOWN
    assert error.message.endswith(f"… and {len(error.diagnostics) - MOST_SHOWN} more")
