"""Diagnostics of programs with mistakes.

Each program of tests/golden/diagnostics has one mistake (a few have more) and its message in a file of the same name;
tests/golden/test_golden.py compares them, and `make golden` records them again.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.grammar.parser import parse
from hl_dsl.verify.diagnosis.assumption_horizon import check_assumption_horizon
from hl_dsl.verify.diagnosis.dead_code import find_dead_code
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import MOST_SHOWN, Diagnostic, ProgramError, render
from hl_dsl.base.errors import HLError
from hl_dsl.base.source import SourceText, Span
from hl_dsl.messages.codes import CODES, explain_code
from hl_dsl.program import Program
from hl_dsl.program_files import read_source
from tests.support.generators.syntax_trees import TOKEN, policies
from tests.support.paths import DIAGNOSTICS, ROOT

MALFORMED = sorted(DIAGNOSTICS.glob("*.hl"))
SEVERAL_MISTAKES = {"several_at_once"}
WARNINGS = {code for code in CODES if code.startswith("HL5")}
# Codes whose pages cannot show an example in text, for they are about files, limits and runs; and what raises each: a
# text, or what is done with a folder.
WITHOUT_EXAMPLE = {
    "HL105": "\x89PNG\r\n\x1a\n",
    "HL110": "x" * 1_000_000,
    "HL111": "(" * 10_000,
    "HL601": lambda folder: evaluated(folder, "Breakout-v5"),
    "HL610": lambda folder: read_source(folder / "none.hl"),
    "HL611": lambda folder: read_source(folder),
    "HL612": lambda folder: read_source(folder / ("x" * 300)),
    "HL613": lambda folder: read_source(written(folder, b"\xff")),
    "HL614": lambda folder: read_source(written(folder, b"#" * 5_000_000)),
}

GOOD = """# Keeps the pole up.
policy balance for "CartPole-v1" {
  observe pole.angle, pole.velocity, step
  param gain: real = 3 in [0, 8]  # how hard
  let tilt = gain * pole.angle + (if step > 10 then pole.velocity else 0)
  memory last: real in [-100, 100] = 0 { next = clamp(tilt, -100, 100) }
  memory calm: bool = false { next = abs(tilt) < 0.1 and not (last > 1) }
  modes {
    start first {
      act { when tilt > 0 => RIGHT  otherwise => LEFT }
      when step > 5 and calm -> second
    }
    second { act if previous(tilt, 0) > 0 then RIGHT else LEFT }
  }
  invariant bounded: last in [-100, 100]
  monitor small: all([tilt, last][0:1] < [50, 60][[1]])
}
"""


def errors(text: str, name: str = "<text>") -> ProgramError | None:
    try:
        Program.from_source(SourceText(text, name))
    except ProgramError as error:
        return error
    return None


def codes(text: str) -> list[str]:
    error = errors(text)
    return [] if error is None else [item.code for item in error.diagnostics]


def warnings(text: str) -> list[str]:
    program = Program.parse(text)
    return [
        item.code
        for item in program.warnings
        + find_dead_code(program.checked)
        + check_assumption_horizon(program.flow, program.prove())
    ]


def test_the_good_program_is_good():
    assert codes(GOOD) == []


# recorded messages


def test_there_are_many_malformed_programs_and_codes():
    assert len(MALFORMED) >= 60
    shown = {item.code for path in MALFORMED for item in errors(path.read_text(encoding="utf-8")).diagnostics}
    assert len(shown) >= 45
    assert shown <= set(CODES)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_a_message_names_no_token_of_the_grammar(path):
    error = errors(path.read_text(encoding="utf-8"), path.name)
    assert error is not None, "the program has no mistake"
    assert not re.search(r"__ANON|\$END|\b[LR](BRACE|PAR|SQB)\b|\bTOKEN\b|Token\(", error.message)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_repair(path):
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


def test_several_findings_are_shown_together():
    found = errors((DIAGNOSTICS / "several_at_once.hl").read_text(encoding="utf-8")).diagnostics
    assert [item.code for item in found] == ["HL206", "HL406", "HL204", "HL209"]
    assert [item.span for item in found] == sorted(item.span for item in found)


# codes and their pages


def _codes_in_the_source() -> set[str]:
    files = [
        path
        for folder in ("grammar", "hl_dsl", "compiler", "verify", "synth")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "codes.py"
    ]
    return {code for path in files for code in re.findall(r'"(HL\d{3})"', path.read_text(encoding="utf-8"))}


def test_every_code_that_is_used_is_listed_and_the_reverse():
    used = _codes_in_the_source()
    assert used - set(CODES) == set()
    assert set(CODES) - used == set()


def test_every_code_has_a_page_and_every_page_a_code():
    pages = {path.stem for path in (ROOT / "hl_dsl" / "messages" / "pages").glob("*.md")}
    assert pages == set(CODES)


def written(folder: Path, data: bytes) -> Path:
    (folder / "p.hl").write_bytes(data)
    return folder / "p.hl"


def evaluated(folder: Path, environment: str) -> None:
    from hl_dsl.cli.commands.eval import evaluate

    evaluate(written(folder, b'policy p for "CartPole-v1" { act LEFT }'), env=environment)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_raised_by_something(code, tmp_path):
    """By the example on its page, or by what is listed above for it; so no page is about what never happens."""
    raised = WITHOUT_EXAMPLE.get(code)
    if raised is None:
        raised = re.findall(r"```hl\n(.*?)```", explain_code(code), re.DOTALL)[0]
    if isinstance(raised, str):
        assert code in (warnings(raised) if code in WARNINGS else codes(raised))
        return
    with pytest.raises(HLError) as caught:
        raised(tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize("code", sorted(CODES))
def test_page(code):
    page = explain_code(code)
    assert page.startswith(f"# {code}: {CODES[code].title}\n")
    examples = re.findall(r"```hl\n(.*?)```", page, re.DOTALL)
    if CODES[code].stage == "proof":
        return
    if code in WITHOUT_EXAMPLE:
        assert examples == []
        return
    wrong, mended = examples
    if CODES[code].stage == "warnings":
        assert [item.code for item in Program.parse(wrong).warnings] == [code]
        assert Program.parse(mended).warnings == ()
        return
    assert codes(wrong) == [code]
    assert codes(mended) == []


def test_an_unknown_code_names_the_nearest():
    assert explain_code(" hl204 ").startswith("# HL204")
    with pytest.raises(HLError) as raised:
        explain_code("HL2O4")
    assert "HL204" in raised.value.hint
    with pytest.raises(HLError):
        explain_code("nonsense")


# nothing else is ever raised


def survives(text: str) -> ProgramError | None:
    """Only a ProgramError may come out, and it can be shown as text and as JSON."""
    source = SourceText(text)
    try:
        Program.from_source(source)
    except ProgramError as error:
        assert error.message and error.diagnostics
        for item in error.diagnostics:
            assert item.code in CODES
            assert 0 <= item.span.start <= item.span.end <= len(text)
            item.to_json(source)
        return error
    return None


@settings(deadline=None, max_examples=150)
@given(st.text())
def test_any_text(text):
    survives(text)
    survives('policy p for "CartPole-v1" {' + text + "}")


WORDS = sorted(
    {
        *TOKEN.findall(GOOD),
        *"plan see of elif && || = := .. 1. .5 0x1 é “ ; : ? % ** // /* */ # ' \\ 1e999 \0 \t".split(),
        "\n",
        '"',
    }
)


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
def test_any_tokens(words, frame):
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
def test_any_edit_of_a_program_and_its_repair(text):
    error = survives(text)
    assume(error is not None)
    for item in error.diagnostics[:3]:
        if item.repair is not None:
            left = survives(item.repair.apply(text))
            # The mended place is not complained of again in the same words.
            moved = len(item.repair.text) - (item.repair.span.end - item.repair.span.start)
            for one in left.diagnostics if left else ():
                assert (one.code, one.message, one.span.start) not in (
                    (item.code, item.message, item.span.start),
                    (item.code, item.message, item.span.start + moved),
                ), (text, item.repair)


@settings(deadline=None, max_examples=60)
@given(policies)
def test_any_tree(policy):
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
def test_hostile_texts(text, code):
    error = survives(text)
    assert error is not None and error.diagnostics[0].code == code
    assert len(error.message) < 5_000


def _many(line: str, count: int = 2_000) -> str:
    return (
        'policy p for "CartPole-v1" {\n'
        + "\n".join(line.format(number, number + 1) for number in range(count))
        + f"\nlet a{count} = 1\nact LEFT }}"
    )


def test_a_long_chain_of_definitions_is_no_deep_recursion():
    assert survives(_many("let a{0} = a{1} + 1")) is None


def test_a_long_circle_is_one_finding():
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
def test_thousands_of_findings_are_not_all_shown(line):
    error = survives(_many(line))
    assert len(error.diagnostics) >= 1_999
    assert error.message.count("--> <text>") == MOST_SHOWN
    assert error.message.endswith(f"… and {len(error.diagnostics) - MOST_SHOWN} more")


# places and rendering


def test_line_and_column():
    text = 'policy p for "CartPole-v1" {\r\n\tobserve pole.angle\r\n\tlet x = 2 * pole.angel\r\n\tact LEFT\r\n}'
    (finding,) = errors(text).diagnostics
    shown = finding.to_json(SourceText(text, "p.hl"))
    assert (shown["line"], shown["column"], shown["end_column"]) == (3, 14, 24)
    assert shown["code"] == "HL204" and shown["repair"]["text"] == "pole.angle"
    message = render(SourceText(text, "p.hl"), finding)
    assert "--> p.hl:3:14" in message
    line = next(line for line in message.splitlines() if "angel" in line and "|" in line)
    carets = next(line for line in message.splitlines() if "^" in line)
    # A tab stays a tab, so the carets stand below their word however wide it is shown.
    assert "\t" in line and carets.index("^") == line.index("pole.angel") and carets.count("^") == len("pole.angel")


@pytest.mark.parametrize("at", [0, 50, 3_000, 5_990])
def test_long_lines_are_cut_around_the_place(at):
    text = "x" * at + "WRONG" + "y" * (6_000 - at)
    message = render(SourceText(text), Diagnostic("HL103", "no", Span(at, at + 5), "here"))
    shown, carets = message.splitlines()[2:4]
    assert len(shown) < 200
    assert shown[carets.index("^") :][: carets.count("^")] == "WRONG"
    assert carets.endswith("^ here")
    assert ("…" in shown[:12]) == (at > 100)


def test_a_place_over_several_lines_is_marked_on_its_first():
    text = "policy\n  p"
    assert (
        render(SourceText(text), Diagnostic("HL103", "no", Span(0, 10), "here")).splitlines()[3].strip()
        == "| ^^^^^^ here"
    )


def test_places_hold_whole_parentheses():
    text = 'policy p for "CartPole-v1" { let x = (1 + 2) * (true) act LEFT }'
    (finding,) = errors(text).diagnostics
    assert text[finding.span.start : finding.span.end] == "(1 + 2) * (true)"


def test_a_repair_is_not_offered_where_it_does_not_help():
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
def test_rewritten_expressions(text, written):
    program = f'policy p for "CartPole-v1" {{ let x = clamp({text}, 0, 1) act LEFT }}'
    with pytest.raises(ProgramError) as raised:
        parse(SourceText(program))
    (finding,) = raised.value.diagnostics
    assert f"clamp({written}, 0, 1)" in finding.repair.apply(program)
