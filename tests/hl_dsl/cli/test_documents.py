"""`--json`: one document with its schema on stdout, and exit codes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hl_dsl.cli.output.documents import plain
from tests.hl_dsl.cli.conftest import POLICIES, START, assert_refused
from tests.support.step_counter import steps_taken

EVAL = {
    "policy", "program_hash", "env", "protocol", "seeds", "returns", "lengths", "mean", "min", "max",
    "distinct_trajectories", "env_steps", "cpu_seconds", "wall_seconds", "out_of_range", "assumption_violations",
    "monitor_violations", "proof",
}  # fmt: skip
OBLIGATION = {"id", "kind", "status", "claim", "method", "seconds", "line"}


def test_eval_document_holds_scores_and_counts(hl, folder):
    before = steps_taken()
    result = hl("eval", "lean.hl", "--seeds", "3..5", "--num-envs", "2", "--json")
    document = result.document
    assert (result.code, result.err, document["schema"]) == (0, "", "hl.eval/1")
    assert set(document) >= EVAL
    assert document["seeds"] == [3, 4, 5] and document["lengths"] == document["returns"]
    assert document["mean"] == sum(document["returns"]) / 3 and document["min"] == min(document["returns"])
    assert document["env_steps"] == sum(document["lengths"]) == steps_taken() - before
    assert document["out_of_range"] == 0 and document["proof"] == "nothing to prove" and document["complete"] is True
    trial = json.loads((folder / "trials.jsonl").read_text())
    assert (trial["program_hash"], trial["returns"]) == (document["program_hash"], document["returns"])


def test_eval_counts_violations_of_assumptions_and_monitors(hl, folder):
    watched = START.replace(
        "  act {", "  assume slow: pole.angle < 0\n  monitor upright: pole.angle in [-0.01, 0.01]\n\n  act {"
    )
    (folder / "lean.hl").write_text(watched, encoding="utf-8")
    document = hl("eval", "lean.hl", "--json").document
    assert document["assumption_violations"]["slow"] > 0 and document["monitor_violations"]["upright"] > 0
    shown = hl("eval", "lean.hl").out
    assert f"assumption `slow` violated: {document['assumption_violations']['slow']} times" in shown


def test_verify_document_holds_every_obligation(hl, folder):
    result = hl("verify", POLICIES / "cartpole" / "balance.hl", "--json")
    document = result.document
    assert (result.code, result.err, document["schema"], document["passed"]) == (0, "", "hl.verify/1", True)
    assert all(
        set(obligation) >= OBLIGATION and obligation["status"] == "proved" for obligation in document["obligations"]
    )
    assert {obligation["id"] for obligation in document["obligations"] if obligation["kind"] == "invariant"} == {
        "invariant:lean_bounded",
        "invariant:falls_right",
        "invariant:falls_left",
    }
    assert all(
        obligation["line"] > 0 and obligation["claim"] and obligation["method"]
        for obligation in document["obligations"]
    )


VIOLATED = "  invariant leans: pole.angle < 0\n\n  act {"
# True over the reals. The solver has no axiom for sin² + cos², so the result is unknown.
UNKNOWN = (
    "  let a = sin(pole.angle)\n  let b = cos(pole.angle)\n  invariant circle: a * a + b * b <= 1.0000001\n\n  act {"
)


@pytest.mark.parametrize("declaration, code, status", [(VIOLATED, 1, "violated"), (UNKNOWN, 3, None)])
def test_program_that_is_not_proved_is_not_evaluated(hl, folder, declaration, code, status):
    (folder / "lean.hl").write_text(START.replace("  act {", declaration), encoding="utf-8")
    verified = hl("verify", "lean.hl", "--json")
    assert (verified.code, verified.document["passed"], verified.document["exit_code"]) == (code, False, code)
    open_obligations = [
        obligation for obligation in verified.document["obligations"] if obligation["status"] != "proved"
    ]
    assert len(open_obligations) == 1 and status in (None, open_obligations[0]["status"])
    assert not (folder / "trials.jsonl").exists()

    before = steps_taken()
    result = hl("eval", "lean.hl", "--json", "--trace", "trace.jsonl", "--video", "film.mp4")
    assert steps_taken() == before
    assert (result.code, result.document["schema"], result.document["env_steps"]) == (code, "hl.error/1", 0)
    assert [obligation["id"] for obligation in result.document["obligations"]] == [open_obligations[0]["id"]]
    assert "does not run" in result.err and open_obligations[0]["claim"] in result.err and "`monitor`" in result.err
    trial = json.loads((folder / "trials.jsonl").read_text())
    assert (trial["kind"], trial["gate"], trial["accepted"], trial["environment_steps"]) == (
        "verify-reject",
        "prove",
        False,
        0,
    )
    assert sorted(path.name for path in folder.iterdir()) == ["lean.hl", "trials.jsonl"]


def test_check_fmt_export_explain_new_and_trials_print_documents(hl, folder):
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


def test_env_document_holds_steps_that_are_recorded(hl, folder):
    result = hl("env", "CartPole-v1", "--steps", "100", "--json")
    document = result.document
    assert (result.code, document["schema"], document["card_text"]) == (0, "hl.env/1", None)
    assert 0 < document["env_steps"] <= 100
    trial = json.loads((folder / "trials.jsonl").read_text())
    assert (trial["kind"], trial["environment_steps"]) == ("probe", document["env_steps"])


def test_tune_document_repeats_the_best_program(hl, folder):
    (folder / "p.hl").write_text(
        START.replace("  act {", "  param tilt: real = 0.05 in [-0.1, 0.1]\n\n  act {").replace("> 0", "> tilt"),
        encoding="utf-8",
    )
    result = hl("tune", "p.hl", "--run", "run", "--steps", "2000", "--seeds", "0..1", "--json")
    document = result.document
    assert (result.code, result.err, document["schema"]) == (0, "", "hl.tune/1")
    assert document["env_steps"] <= 2000 and set(document["parameters"]) == {"tilt"}
    assert document["score"] >= document["start_score"]
    assert (folder / "run" / "best.hl").read_text(encoding="utf-8") == document["program"]
    assert (
        sum(trial["environment_steps"] for trial in hl("trials", "run", "--json").document["trials"])
        == document["env_steps"]
    )


def test_synth_stops_at_its_budget_and_resumes(hl, folder):
    result = hl("synth", "lean.hl", "--run", "run", "--steps", "3000", "--seeds", "0..1", "--json")
    document = result.document
    assert (result.code, result.err, document["schema"]) == (0, "", "hl.synth/2")
    assert document["env_steps"] <= 3000 and document["proved"] is True
    assert (folder / "run" / "best.hl").read_text(encoding="utf-8") == document["program"]
    again = hl("synth", "lean.hl", "--run", "run", "--seeds", "0..1", "--steps", "3000")
    assert again.code == 2 and "--resume" in again.err
    resumed = hl(
        "synth", "lean.hl", "--run", "run", "--steps", "5000", "--seeds", "0..1", "--resume", "--json"
    ).document
    assert document["env_steps"] < resumed["env_steps"] <= 5000 and resumed["score"] >= document["score"]


def test_infinity_and_nan_are_written_as_text(hl, folder):
    """The trace of an overflow holds infinities."""
    big = (
        "  param a: real = 1e300 in [0, 1e308]\n  let b = a * a\n  invariant small: b < 1 or pole.angle < 9\n\n  act {"
    )
    (folder / "lean.hl").write_text(START.replace("  act {", big), encoding="utf-8")
    result = hl("verify", "lean.hl", "--json")
    document = json.loads(result.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert result.code == 1 and float(document["obligations"][0]["trace"][0]["lets"]["b"]) == math.inf
    assert plain({"a": [math.inf, -math.inf, math.nan, 1.5, True], 3: (None, Path("x"))}) == {
        "a": ["Infinity", "-Infinity", "NaN", 1.5, True],
        "3": [None, "x"],
    }


def test_usage_error_is_one_document(hl):
    for arguments in (
        ["bogus"],
        ["eval"],
        ["eval", "lean.hl", "--num-envs", "0"],
        ["eval", "lean.hl", "--bogus"],
        ["verify", "lean.hl", "more"],
    ):
        result = hl(*arguments, "--json")
        assert (result.code, result.document["schema"], result.document["exit_code"]) == (2, "hl.error/1", 2)
        assert result.document["error"] and "Usage: hl" in result.err


def test_help_and_version_are_printed(hl):
    for arguments in ([], ["--help"], ["eval", "--help"], ["synth", "-h"]):
        result = hl(*arguments)
        assert "Usage: hl" in result.out + result.err and result.code == (0 if arguments else 2)
    assert hl("--version").out.startswith("hl ")


def test_diff_document_holds_status_and_trace(hl, folder):
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
        result = hl("diff", "lean.hl", other, "--json")
        document = result.document
        assert (result.code, result.err, document["schema"], document["status"], document["exit_code"]) == (
            code,
            "",
            "hl.diff/1",
            status,
            code,
        )
        assert document["claim"] in hl("diff", "lean.hl", other).out
    (tick,) = document["trace"]
    assert 0 < tick["inputs"]["pole.angle"] <= 0.4 and (tick["A"]["action"], tick["B"]["action"]) == ("RIGHT", "LEFT")
    assert_refused(hl("diff", "lean.hl", POLICIES / "breakout" / "start.hl"), "CartPole-v1", "Breakout-v5")


def test_check_and_verify_report_warnings(hl, folder):
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
