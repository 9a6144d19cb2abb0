"""Outputs of `hl verify`: narrowed ranges, saved and replayed traces, certificates."""

from __future__ import annotations

import pytest

from hl_dsl.program import Program
from tests.hl_dsl.cli.conftest import START, assert_refused


def test_verify_narrows_ranges_saves_traces_and_replays_them(hl, folder):
    much = START.replace(
        "  act", "  param g: real = 1 in [0, 9]\n  let lean = g * pole.angle\n  invariant small: lean < 1\n  act"
    ).replace("pole.angle > 0", "lean > 0")
    (folder / "much.hl").write_text(much, encoding="utf-8")
    result = hl("verify", "much.hl", "--narrow", "--save-trace", "kept", "--json")
    document = result.document
    assert (result.code, document["exit_code"], document["cases"]) == (1, 1, ["kept/invariant-small.json"])
    (line,) = document["narrowed"]["lines"]
    assert document["narrowed"]["passed"] and line.startswith("param g: real = 1 in [0.0, ")
    assert line in hl("verify", "much.hl", "--narrow").out
    (folder / "less.hl").write_text(much.replace("param g: real = 1 in [0, 9]", line), encoding="utf-8")
    broken, holds = (
        hl("verify", "much.hl", "--replay", "kept", "--json"),
        hl("verify", "less.hl", "--replay", "kept/invariant-small.json", "--json"),
    )
    assert (broken.code, broken.document["schema"], broken.document["cases"][0]["broken"]) == (1, "hl.replay/1", True)
    assert (holds.code, holds.document["cases"][0]["broken"]) == (0, False) and hl("verify", "less.hl").code == 0
    assert (
        hl("verify", "less.hl", "--save-trace", "more", "--json").document["cases"] == []
        and not (folder / "more").exists()
    )
    assert_refused(hl("verify", "much.hl", "--save-trace", "lean.hl"), "lean.hl is a file and not a case")
    assert_refused(hl("verify", "much.hl", "--replay", "lean.hl"), "lean.hl is not a JSON document")
    assert_refused(hl("verify", "much.hl", "--replay", "kept", "--narrow"), "does not prove")


def test_verify_writes_certificates(hl, folder):
    text = START.replace(
        "  act",
        "  memory m: int in [0, 9] = 0 { next = if pole.angle > 0 then 0 else min(m + 1, 9) }\n"
        "  memory n: int in [0, 9] = 0 { next = if pole.angle > 0 then 0 else min(n + 1, 9) }\n"
        "  invariant same: m == n\n  act",
    )
    (folder / "two.hl").write_text(text, encoding="utf-8")
    result = hl("verify", "two.hl", "--certify", "out", "--json")
    document = result.document
    assert (
        result.code == 0
        and document["certificate"]["index"] == "out/index.json"
        and document["certificate"]["uncertified"] == []
    )
    assert {"index.json", *document["certificate"]["files"]} == {path.name for path in (folder / "out").iterdir()}
    assert "out/index.json" in hl("verify", "two.hl", "--certify", "out").out
    assert_refused(hl("verify", "two.hl", "--certify", "lean.hl"), "lean.hl is a file")


def test_certificate_without_scripts_does_not_mention_solver_answers(hl, folder):
    (folder / "plain.hl").write_text(
        START.replace("  act", "  invariant short: pole.angle < 1\n  act"), encoding="utf-8"
    )
    result = hl("verify", "plain.hl", "--certify", "out")
    assert (
        result.code == 0
        and "wrote out/index.json: the proofs needed no solver" in result.out
        and "unsat" not in result.out
    )
    (folder / "wrong.hl").write_text(
        START.replace("  act", "  invariant short: pole.angle < 0\n  act"), encoding="utf-8"
    )
    assert "wrote none/index.json: no proof is certified" in hl("verify", "wrong.hl", "--certify", "none").out


@pytest.mark.parametrize("option", ["--certify", "--save-trace"])
def test_unwritable_output_is_reported_before_the_proof(hl, folder, monkeypatch, option):
    monkeypatch.setattr(Program, "prove", lambda *_, **__: pytest.fail("the proof ran first"))
    (folder / "full").mkdir()
    for name in ("letter.txt", "memory-m.json", "invariant-same.json"):
        (folder / "full" / name).write_text("dear", encoding="utf-8")
    (folder / "kept.hl").write_text(START.replace("  act", "  invariant same: pole.angle < 1\n  act"), encoding="utf-8")
    assert_refused(hl("verify", "kept.hl", option, "full"), "full")
    for place in ("/proc/x", "/proc/x/y", "lean.hl/x"):
        assert_refused(hl("verify", "kept.hl", option, place), f"cannot write to {place}")
    assert sorted(path.name for path in (folder / "full").iterdir()) == [
        "invariant-same.json",
        "letter.txt",
        "memory-m.json",
    ]
