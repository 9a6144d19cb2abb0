"""Invalid programs: every command refuses them with the place, the expected text, and exit code 1."""

from __future__ import annotations

import pytest

from tests.hl_dsl.cli.conftest import START, assert_refused
from tests.support.step_counter import steps_taken

MANY = 50_000


def with_let(expression: str) -> str:
    return START.replace("  act {", f"  let a = {expression}\n\n  act {{")


BAD = {
    "empty": ("", "HL101", "the file is empty"),
    "only a comment": ("# nothing\n", "HL104", "`policy`"),
    "nested": (with_let("(" * 10_000 + "1" + ")" * 10_000), "HL111", "brackets are nested"),
    "nested without an end": (with_let("(" * 10_000), "HL111", "brackets are nested"),
    "nested conditions": (with_let("if true then 1 else " * 5_000 + "1"), "HL111", "nested"),
    "a long sum": (with_let("+".join(["1"] * MANY)), "HL111", "nested"),
    "a long sum of names": (with_let(" + ".join(["pole.angle"] * MANY)), "HL110", "characters"),
    "nots": (with_let("not " * 5_000 + "true"), "HL111", "nested"),
    "a real too large": (with_let("1e999"), "HL106", "too large for a real"),
    "an int too large": (with_let("9" * 400), "HL106", "too large"),
    "a param too large": (
        START.replace("  act {", "  param a: real = 1e999 in [0, 1e999]\n  act {"),
        "HL106",
        "too large for a real",
    ),
    "an unknown environment": (START.replace("CartPole", "CartPool"), "HL600", '"CartPole-v1"'),
    "an environment of no kind": (START.replace("CartPole-v1", "Nonsense"), "HL600", "hl env"),
    "an unknown observation": (START.replace("observe pole.angle", "observe pole.angel"), "HL206", "`pole.angle`"),
    "an observation of another environment": (
        START.replace("observe pole.angle", "observe pole.angle, ram"),
        "HL206",
        "no observation `ram`",
    ),
    "an unknown action": (START.replace("=> RIGHT", "=> UP"), "HL209", "LEFT, RIGHT"),
    "actions of another environment": (START.replace("=> LEFT", "=> FIRE"), "HL209", "LEFT, RIGHT"),
    "a vector for an action": (START.replace("=> LEFT", "=> [0.0, 1.0]"), "HL", "expected"),
    "control characters": (START.replace("lean", "le\x07an", 1), "HL105", "control character"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", ["check", "eval"])
def test_invalid_program_is_refused_with_its_place(hl, folder, name, command):
    text, code, words = BAD[name]
    (folder / "bad.hl").write_text(text, encoding="utf-8")
    before = steps_taken()
    assert_refused(hl(command, "bad.hl"), f"[{code}", words, "bad.hl:", code=1)
    assert steps_taken() == before
    assert sorted(path.name for path in folder.iterdir()) == ["bad.hl", "lean.hl"]


@pytest.mark.parametrize(
    "command", [("verify",), ("fmt",), ("export",), ("explain",), ("tune", "--run", "r"), ("synth", "--run", "r")]
)
def test_invalid_program_is_refused_by_every_command(hl, folder, command):
    (folder / "bad.hl").write_text(START.replace("pole.angle >", "pole.angel >"), encoding="utf-8")
    if command[0] == "fmt":  # `fmt` only needs a program that parses
        (folder / "bad.hl").write_text(START.replace("when", "wenn"), encoding="utf-8")
    assert_refused(hl(command[0], "bad.hl", *command[1:]), "error[HL", code=1)
    assert sorted(path.name for path in folder.iterdir()) == ["bad.hl", "lean.hl"]


def test_document_holds_every_diagnostic(hl, folder):
    (folder / "bad.hl").write_text(START.replace("RIGHT", "UP").replace("LEFT", "DOWN"), encoding="utf-8")
    result = hl("verify", "bad.hl", "--json")
    assert (result.code, result.document["schema"], result.document["exit_code"]) == (1, "hl.error/1", 1)
    assert [diagnostic["code"] for diagnostic in result.document["diagnostics"]] == ["HL209", "HL209"]
    assert result.document["error"] == result.document["diagnostics"][0]["message"]


def test_check_reports_every_file(hl, folder):
    (folder / "bad.hl").write_text("policy", encoding="utf-8")
    result = hl("check", "lean.hl", "bad.hl", "missing.hl", "--json")
    assert result.code == 2
    assert [(entry["file"], entry["good"]) for entry in result.document["files"]] == [
        ("lean.hl", True),
        ("bad.hl", False),
        ("missing.hl", False),
    ]
    assert "no file `missing.hl`" in result.document["files"][2]["error"]
