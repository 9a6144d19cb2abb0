"""`--json`: one document on stdout, with its schema, and nothing else there; exit codes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hl_dsl.cli.output.documents import plain
from hl_dsl.program import Program
from tests.hl_dsl.cli.conftest import POLICIES, START, refused
from tests.support.step_counter import steps_taken

EVAL = [
    "policy",
    "program_hash",
    "env",
    "protocol",
    "seeds",
    "returns",
    "lengths",
    "mean",
    "min",
    "max",
    "distinct_trajectories",
    "env_steps",
    "cpu_seconds",
    "wall_seconds",
    "out_of_range",
    "assumption_violations",
    "monitor_violations",
    "proof",
]
OBLIGATION = ["id", "kind", "status", "claim", "method", "seconds", "line"]


def test_eval(hl, folder):
    before = steps_taken()
    ended = hl("eval", "lean.hl", "--seeds", "3..5", "--num-envs", "2", "--json")
    document = ended.document
    assert (ended.code, ended.err, document["schema"]) == (0, "", "hl.eval/1")
    assert set(EVAL) <= set(document)
    assert document["seeds"] == [3, 4, 5] and document["lengths"] == document["returns"]
    assert document["mean"] == sum(document["returns"]) / 3 and document["min"] == min(document["returns"])
    assert document["env_steps"] == sum(document["lengths"]) == steps_taken() - before
    assert document["out_of_range"] == 0 and document["proof"] == "nothing to prove" and document["complete"] is True
    trial = json.loads((folder / "trials.jsonl").read_text())
    assert (trial["program_hash"], trial["returns"]) == (document["program_hash"], document["returns"])


def test_eval_counts_what_it_watches(hl, folder):
    watched = START.replace(
        "  act {", "  assume slow: pole.angle < 0\n  monitor upright: pole.angle in [-0.01, 0.01]\n\n  act {"
    )
    (folder / "lean.hl").write_text(watched, encoding="utf-8")
    document = hl("eval", "lean.hl", "--json").document
    assert document["assumption_violations"]["slow"] > 0 and document["monitor_violations"]["upright"] > 0
    shown = hl("eval", "lean.hl").out
    assert f"assumption `slow` violated: {document['assumption_violations']['slow']} times" in shown


def test_verify(hl, folder):
    ended = hl("verify", POLICIES / "cartpole" / "balance.hl", "--json")
    document = ended.document
    assert (ended.code, ended.err, document["schema"], document["passed"]) == (0, "", "hl.verify/1", True)
    assert all(set(OBLIGATION) <= set(one) and one["status"] == "proved" for one in document["obligations"])
    assert {one["id"] for one in document["obligations"] if one["kind"] == "invariant"} == {
        "invariant:lean_bounded",
        "invariant:falls_right",
        "invariant:falls_left",
    }
    assert all(one["line"] > 0 and one["claim"] and one["method"] for one in document["obligations"])


VIOLATED = "  invariant leans: pole.angle < 0\n\n  act {"
# True of the reals, and beyond what the solver is given: with x² + y² + … never shown to anybody, neither yes nor no.
UNKNOWN = (
    "  let a = sin(pole.angle)\n  let b = cos(pole.angle)\n  invariant circle: a * a + b * b <= 1.0000001\n\n  act {"
)


@pytest.mark.parametrize("declaration, code, status", [(VIOLATED, 1, "violated"), (UNKNOWN, 3, None)])
def test_what_is_not_proved_does_not_run(hl, folder, declaration, code, status):
    (folder / "lean.hl").write_text(START.replace("  act {", declaration), encoding="utf-8")
    verified = hl("verify", "lean.hl", "--json")
    assert (verified.code, verified.document["passed"], verified.document["exit_code"]) == (code, False, code)
    open_ones = [one for one in verified.document["obligations"] if one["status"] != "proved"]
    assert len(open_ones) == 1 and status in (None, open_ones[0]["status"])
    assert not (folder / "trials.jsonl").exists()

    before = steps_taken()
    ended = hl("eval", "lean.hl", "--json", "--trace", "trace.jsonl", "--video", "film.mp4")
    assert steps_taken() == before
    assert (ended.code, ended.document["schema"], ended.document["env_steps"]) == (code, "hl.error/1", 0)
    assert [one["id"] for one in ended.document["obligations"]] == [open_ones[0]["id"]]
    assert "does not run" in ended.err and open_ones[0]["claim"] in ended.err and "`monitor`" in ended.err
    trial = json.loads((folder / "trials.jsonl").read_text())
    assert (trial["kind"], trial["gate"], trial["accepted"], trial["environment_steps"]) == (
        "verify-reject",
        "prove",
        False,
        0,
    )
    assert sorted(path.name for path in folder.iterdir()) == ["lean.hl", "trials.jsonl"]


def test_check_fmt_export_explain_new_trials(hl, folder):
    assert hl("check", "lean.hl", "--json").document == {
        "schema": "hl.check/1",
        "files": [{"file": "lean.hl", "good": True, "policy": "lean", "env": "CartPole-v1", "diagnostics": []}],
    }
    assert hl("fmt", "lean.hl", "--json").document == {"schema": "hl.fmt/1", "changed": [], "written": True}
    exported = hl("export", "lean.hl", "--json").document
    assert exported["schema"] == "hl.export/1" and compile(exported["text"], "lean.py", "exec")
    assert exported["text"] == hl("export", "lean.hl").out.removesuffix("\n")
    for what, key in (("HL204", "code"), ("clamp", "operator"), ("lean.hl", "policy")):
        document = hl("explain", what, "--json").document
        assert document["schema"] == "hl.explain/1" and document[key] in (what, "lean")
    assert hl("new", "mine", "--env", "CartPole-v1", "--json").document["schema"] == "hl.new/1"
    hl("eval", "lean.hl")
    trials = hl("trials", ".", "--json").document
    assert trials["schema"] == "hl.trials/2" and len(trials["trials"]) == 1


def test_env(hl, folder):
    ended = hl("env", "CartPole-v1", "--steps", "100", "--json")
    document = ended.document
    assert (ended.code, document["schema"], document["card_text"]) == (0, "hl.env/1", None)
    assert 0 < document["env_steps"] <= 100
    trial = json.loads((folder / "trials.jsonl").read_text())
    assert (trial["kind"], trial["environment_steps"]) == ("probe", document["env_steps"])


def test_tune(hl, folder):
    (folder / "p.hl").write_text(
        START.replace("  act {", "  param tilt: real = 0.05 in [-0.1, 0.1]\n\n  act {").replace("> 0", "> tilt"),
        encoding="utf-8",
    )
    ended = hl("tune", "p.hl", "--run", "run", "--steps", "2000", "--seeds", "0..1", "--json")
    document = ended.document
    assert (ended.code, ended.err, document["schema"]) == (0, "", "hl.tune/1")
    assert document["env_steps"] <= 2000 and set(document["parameters"]) == {"tilt"}
    assert document["score"] >= document["start_score"]
    assert (folder / "run" / "best.hl").read_text(encoding="utf-8") == document["program"]
    assert (
        sum(one["environment_steps"] for one in hl("trials", "run", "--json").document["trials"])
        == document["env_steps"]
    )


def test_synth_and_resume(hl, folder):
    ended = hl("synth", "lean.hl", "--run", "run", "--steps", "3000", "--seeds", "0..1", "--json")
    document = ended.document
    assert (ended.code, ended.err, document["schema"]) == (0, "", "hl.synth/2")
    assert document["env_steps"] <= 3000 and document["proved"] is True
    assert (folder / "run" / "best.hl").read_text(encoding="utf-8") == document["program"]
    again = hl("synth", "lean.hl", "--run", "run", "--seeds", "0..1", "--steps", "3000")
    assert again.code == 2 and "--resume" in again.err
    more = hl("synth", "lean.hl", "--run", "run", "--steps", "5000", "--seeds", "0..1", "--resume", "--json").document
    assert document["env_steps"] < more["env_steps"] <= 5000 and more["score"] >= document["score"]


def test_what_json_cannot_say_is_text(hl, folder):
    """An overflow's trace holds infinities."""
    big = (
        "  param a: real = 1e300 in [0, 1e308]\n  let b = a * a\n  invariant small: b < 1 or pole.angle < 9\n\n  act {"
    )
    (folder / "lean.hl").write_text(START.replace("  act {", big), encoding="utf-8")
    ended = hl("verify", "lean.hl", "--json")
    found = json.loads(ended.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert ended.code == 1 and float(found["obligations"][0]["trace"][0]["lets"]["b"]) == math.inf
    assert plain({"a": [math.inf, -math.inf, math.nan, 1.5, True], 3: (None, Path("x"))}) == {
        "a": ["Infinity", "-Infinity", "NaN", 1.5, True],
        "3": [None, "x"],
    }


def test_usage_errors_have_a_document_too(hl):
    for arguments in (
        ["bogus"],
        ["eval"],
        ["eval", "lean.hl", "--num-envs", "0"],
        ["eval", "lean.hl", "--bogus"],
        ["verify", "lean.hl", "more"],
    ):
        ended = hl(*arguments, "--json")
        assert (ended.code, ended.document["schema"], ended.document["exit_code"]) == (2, "hl.error/1", 2)
        assert ended.document["error"] and "Usage: hl" in ended.err


def test_help_and_version(hl):
    for arguments in ([], ["--help"], ["eval", "--help"], ["synth", "-h"]):
        ended = hl(*arguments)
        assert "Usage: hl" in ended.out + ended.err and ended.code == (0 if arguments else 2)
    assert hl("--version").out.startswith("hl ")


def test_diff(hl, folder):
    (folder / "same.hl").write_text(
        START.replace("lean", "other").replace("pole.angle > 0", "0 < pole.angle"), encoding="utf-8"
    )
    (folder / "dead.hl").write_text(
        START.replace("    otherwise", "    when pole.angle > 1 => LEFT\n    otherwise"), encoding="utf-8"
    )
    (folder / "far.hl").write_text(START.replace("> 0", "> 0.4"), encoding="utf-8")
    for other, code, status in (
        ("same.hl", 0, "identical"),
        ("dead.hl", 0, "equal for every float input"),
        ("far.hl", 1, "different"),
    ):
        ended = hl("diff", "lean.hl", other, "--json")
        document = ended.document
        assert (ended.code, ended.err, document["schema"], document["status"], document["exit_code"]) == (
            code,
            "",
            "hl.diff/1",
            status,
            code,
        )
        assert document["claim"] in hl("diff", "lean.hl", other).out
    (tick,) = document["trace"]
    assert 0 < tick["inputs"]["pole.angle"] <= 0.4 and (tick["A"]["action"], tick["B"]["action"]) == ("RIGHT", "LEFT")
    refused(hl("diff", "lean.hl", POLICIES / "breakout" / "start.hl"), "CartPole-v1", "Breakout-v5")


def test_warnings(hl, folder):
    (folder / "w.hl").write_text(
        START.replace("    otherwise", "    when pole.angle > 1 => LEFT\n    otherwise").replace(
            "  act", "  let a = 1\n\n  act"
        ),
        encoding="utf-8",
    )
    checked, verified = hl("check", "w.hl", "--json"), hl("verify", "w.hl", "--json")
    assert (checked.code, [item["code"] for item in checked.document["files"][0]["diagnostics"]]) == (0, ["HL501"])
    assert (verified.code, [item["code"] for item in verified.document["warnings"]]) == (0, ["HL501", "HL510"])
    assert all(item["severity"] == "warning" for item in verified.document["warnings"])
    assert "warning[HL510]" in verified.err and "`pole.angle` is in [" in verified.err


def test_verify_narrows_saves_and_replays(hl, folder):
    much = START.replace(
        "  act", "  param g: real = 1 in [0, 9]\n  let lean = g * pole.angle\n  invariant small: lean < 1\n  act"
    ).replace("pole.angle > 0", "lean > 0")
    (folder / "much.hl").write_text(much, encoding="utf-8")
    ended = hl("verify", "much.hl", "--narrow", "--save-trace", "kept", "--json")
    document = ended.document
    assert (ended.code, document["exit_code"], document["cases"]) == (1, 1, ["kept/invariant-small.json"])
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
    refused(hl("verify", "much.hl", "--save-trace", "lean.hl"), "lean.hl is a file and not a case")
    refused(hl("verify", "much.hl", "--replay", "lean.hl"), "lean.hl is not a JSON document")
    refused(hl("verify", "much.hl", "--replay", "kept", "--narrow"), "does not prove")


def test_verify_certifies(hl, folder):
    text = START.replace(
        "  act",
        "  memory m: int in [0, 9] = 0 { next = if pole.angle > 0 then 0 else min(m + 1, 9) }\n  memory n: int in [0, 9] = 0 { next = if pole.angle > 0 then 0 else min(n + 1, 9) }\n"
        "  invariant same: m == n\n  act",
    )
    (folder / "two.hl").write_text(text, encoding="utf-8")
    ended = hl("verify", "two.hl", "--certify", "out", "--json")
    document = ended.document
    assert (
        ended.code == 0
        and document["certificate"]["index"] == "out/index.json"
        and document["certificate"]["uncertified"] == []
    )
    assert {"index.json", *document["certificate"]["files"]} == {path.name for path in (folder / "out").iterdir()}
    assert "out/index.json" in hl("verify", "two.hl", "--certify", "out").out
    refused(hl("verify", "two.hl", "--certify", "lean.hl"), "lean.hl is a file")


def test_a_certificate_without_scripts_does_not_ask_for_answers(hl, folder):
    (folder / "plain.hl").write_text(
        START.replace("  act", "  invariant short: pole.angle < 1\n  act"), encoding="utf-8"
    )
    ended = hl("verify", "plain.hl", "--certify", "out")
    assert (
        ended.code == 0
        and "wrote out/index.json: the proofs needed no solver" in ended.out
        and "unsat" not in ended.out
    )
    (folder / "wrong.hl").write_text(
        START.replace("  act", "  invariant short: pole.angle < 0\n  act"), encoding="utf-8"
    )
    assert "wrote none/index.json: no proof is certified" in hl("verify", "wrong.hl", "--certify", "none").out


@pytest.mark.parametrize("option", ["--certify", "--save-trace"])
def test_what_cannot_be_written_is_told_before_anything_is_proved(hl, folder, monkeypatch, option):
    monkeypatch.setattr(Program, "prove", lambda *_, **__: pytest.fail("it was proved first"))
    (folder / "full").mkdir()
    for name in ("letter.txt", "memory-m.json", "invariant-same.json"):
        (folder / "full" / name).write_text("dear", encoding="utf-8")
    (folder / "kept.hl").write_text(START.replace("  act", "  invariant same: pole.angle < 1\n  act"), encoding="utf-8")
    refused(hl("verify", "kept.hl", option, "full"), "full")
    for place in ("/proc/x", "/proc/x/y", "lean.hl/x"):
        refused(hl("verify", "kept.hl", option, place), f"cannot write to {place}")
    assert sorted(path.name for path in (folder / "full").iterdir()) == [
        "invariant-same.json",
        "letter.txt",
        "memory-m.json",
    ]
