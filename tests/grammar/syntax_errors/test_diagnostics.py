"""Diagnostics of programs with mistakes.

Each program of tests/golden/diagnostics has one mistake (a few have more) and its message in a file of the same name;
tests/golden/test_golden.py compares them, and `make golden` records them again.
"""

from __future__ import annotations

import re

import pytest

from hl_dsl.base.diagnostics import Diagnostic, ProgramError, render
from hl_dsl.base.source import SourceText, Span
from hl_dsl.grammar.parser import parse
from hl_dsl.messages.codes import CODES
from tests.support.broken_programs import GOOD, MALFORMED, SEVERAL_MISTAKES, codes, errors
from tests.support.paths import DIAGNOSTICS


def test_valid_program_has_no_diagnostics():
    assert codes(GOOD) == []


def test_malformed_programs_cover_many_codes():
    assert len(MALFORMED) >= 60
    shown = {item.code for path in MALFORMED for item in errors(path.read_text(encoding="utf-8")).diagnostics}
    assert len(shown) >= 45
    assert shown <= set(CODES)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_messages_do_not_name_tokens_of_the_grammar(path):
    error = errors(path.read_text(encoding="utf-8"), path.name)
    assert error is not None, "the program has no mistake"
    assert not re.search(r"__ANON|\$END|\b[LR](BRACE|PAR|SQB)\b|\bTOKEN\b|Token\(", error.message)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_repairs_lead_to_a_valid_program(path):
    text = path.read_text(encoding="utf-8")
    found = errors(text).diagnostics
    for item in found:
        if item.repair is None:
            continue
        repaired = item.repair.apply(text)
        assert repaired != text
        left = errors(repaired)
        if path.stem not in SEVERAL_MISTAKES:
            assert left is None, left.message
        else:
            assert (item.code, item.message) not in [(one.code, one.message) for one in left.diagnostics]


def test_most_messages_have_a_repair():
    first = [errors(path.read_text(encoding="utf-8")).diagnostics[0] for path in MALFORMED]
    assert sum(item.repair is not None for item in first) > 0.6 * len(first)


def test_several_diagnostics_are_sorted_by_place():
    found = errors((DIAGNOSTICS / "several_at_once.hl").read_text(encoding="utf-8")).diagnostics
    assert [item.code for item in found] == ["HL206", "HL406", "HL204", "HL209"]
    assert [item.span for item in found] == sorted(item.span for item in found)


def test_json_has_line_and_column():
    text = 'policy p for "CartPole-v1" {\r\n\tobserve pole.angle\r\n\tlet x = 2 * pole.angel\r\n\tact LEFT\r\n}'
    (finding,) = errors(text).diagnostics
    shown = finding.to_json(SourceText(text, "p.hl"))
    assert (shown["line"], shown["column"], shown["end_column"]) == (3, 14, 24)
    assert shown["code"] == "HL204" and shown["repair"]["text"] == "pole.angle"
    message = render(SourceText(text, "p.hl"), finding)
    assert "--> p.hl:3:14" in message
    line = next(line for line in message.splitlines() if "angel" in line and "|" in line)
    carets = next(line for line in message.splitlines() if "^" in line)
    # A tab stays a tab, so the carets are below their word for any tab width.
    assert "\t" in line and carets.index("^") == line.index("pole.angel") and carets.count("^") == len("pole.angel")


@pytest.mark.parametrize("at", [0, 50, 3_000, 5_990])
def test_long_lines_are_truncated_around_the_place(at):
    text = "x" * at + "WRONG" + "y" * (6_000 - at)
    message = render(SourceText(text), Diagnostic("HL103", "no", Span(at, at + 5), "here"))
    shown, carets = message.splitlines()[2:4]
    assert len(shown) < 200
    assert shown[carets.index("^") :][: carets.count("^")] == "WRONG"
    assert carets.endswith("^ here")
    assert ("…" in shown[:12]) == (at > 100)


def test_a_place_over_several_lines_is_marked_on_the_first():
    text = "policy\n  p"
    assert (
        render(SourceText(text), Diagnostic("HL103", "no", Span(0, 10), "here")).splitlines()[3].strip()
        == "| ^^^^^^ here"
    )


def test_places_include_whole_parentheses():
    text = 'policy p for "CartPole-v1" { let x = (1 + 2) * (true) act LEFT }'
    (finding,) = errors(text).diagnostics
    assert text[finding.span.start : finding.span.end] == "(1 + 2) * (true)"


def test_repairs_that_do_not_help_are_not_offered():
    # `let` before this would only lead to the next error at the same place.
    (finding,) = errors('policy p for "CartPole-v1" { act LEFT\n routine x { }\n }').diagnostics
    assert finding.code == "HL108" and finding.repair is None


@pytest.mark.parametrize(
    "text, written",
    [
        ("-0.1 < (gain) < 0.1", "-0.1 < (gain) and (gain) < 0.1"),
        ("(gain + 1) * 2 < 3 <= (gain) + (1)", "(gain + 1) * 2 < 3 and 3 <= (gain) + (1)"),
        ("not (a) and (b or c) or d and e", "(not (a) and (b or c)) or (d and e)"),
        ("a or b and (c)", "a or (b and (c))"),
        ("(a) implies b implies (c)", "(a) implies (b implies (c))"),
    ],
)
def test_repairs_rewrite_expressions(text, written):
    program = f'policy p for "CartPole-v1" {{ let x = clamp({text}, 0, 1) act LEFT }}'
    with pytest.raises(ProgramError) as raised:
        parse(SourceText(program))
    (finding,) = raised.value.diagnostics
    assert f"clamp({written}, 0, 1)" in finding.repair.apply(program)
