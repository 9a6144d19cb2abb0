"""`hl regress`: cases are added from seeds, counterexamples and runs, listed, run, and removed."""

from __future__ import annotations

import json

import pytest

from tests.hl_dsl.cli.conftest import POLICIES, START, assert_refused
from tests.support.step_counter import steps_taken


def add(hl, *arguments):
    result = hl("regress", "add", *arguments, "--json")
    assert (result.code, result.err, result.document["schema"]) == (0, "", "hl.regress.add/1"), result
    return result.document


def test_case_from_a_seed_is_listed_run_and_removed(hl, folder):
    (folder / "balance.hl").write_text(
        (POLICIES / "cartpole" / "balance.hl").read_text(encoding="utf-8"), encoding="utf-8"
    )
    before = steps_taken()
    given = add(hl, "balance.hl", "--seed", "7", "--least-return", "60", "--max-steps", "80")
    assert given["env_steps"] == 0 and steps_taken() == before and not (folder / "trials.jsonl").exists()
    measured = add(hl, "lean.hl", "--seed", "3")
    assert measured["env_steps"] == steps_taken() - before == measured["case"]["least_return"]
    moment = add(hl, "lean.hl", "--seed", "3", "--at-tick", "5", "--within", "6")
    assert (
        moment["case"]["least_return"] == 6
        and moment["env_steps"] == 11
        and moment["case"]["window"] == {"start": 5, "ticks": 6}
    )
    add(hl, "lean.hl", "--seed", "4", "--holds", "cart.position in [-1, 1]", "--name", "stays")
    listed = hl("regress", "list", "--json").document
    assert [case["name"] for case in listed["cases"]] == [
        "seed-3-standard",
        "seed-3-standard-tick-5",
        "seed-7-standard",
        "stays",
    ]
    assert "lean" in listed["cases"][0]["origin"] and hl("regress", "list").out.count("\n") == 4

    before = steps_taken()
    good = hl("regress", "balance.hl", "--json")
    document = good.document
    assert (good.code, good.err, document["schema"], document["broken"], document["exit_code"]) == (
        0,
        "",
        "hl.regress/1",
        0,
        0,
    )
    assert document["env_steps"] == steps_taken() - before == sum(case["steps"] for case in document["cases"])
    trial = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()][-1]
    assert (trial["kind"], trial["gate"], trial["accepted"], trial["environment_steps"]) == (
        "regression",
        "accepted",
        True,
        document["env_steps"],
    )
    assert set(trial["cases"]) == {case["name"] for case in document["cases"]}

    worse = hl("regress", "lean.hl", "--json")
    assert (worse.code, worse.document["broken"], worse.document["exit_code"]) == (1, 1, 1)
    assert [case["name"] for case in worse.document["cases"] if not case["passed"]] == ["seed-7-standard"]
    text = hl("regress", "lean.hl")
    assert (
        text.code == 1
        and "violated: seed-7-standard" in text.out
        and "is less than 60" in text.out
        and "3 of 4 cases hold" in text.out
    )
    assert hl("regress", "remove", "seed-7-standard").code == 0 and hl("regress", "lean.hl").code == 0
    assert_refused(hl("regress", "remove", "seed-7-standard"), "no case `seed-7-standard`")
    assert_refused(hl("regress"), "more than one policy")


def test_counterexample_becomes_a_case_without_steps(hl, folder):
    (folder / "lean.hl").write_text(
        START.replace("  act {", "  invariant leans: pole.angle < 0.1\n\n  act {"), encoding="utf-8"
    )
    assert hl("verify", "lean.hl", "--save-trace", "found").code == 1
    (folder / "regressions").mkdir()
    before = steps_taken()
    document = add(hl, "found/invariant-leans.json", "--name", "leans")
    assert document["kind"] == "counterexample" and document["env_steps"] == 0
    add(hl, "lean.hl", "--seed", "1", "--least-return", "5")
    result = hl("regress", "--json")
    assert (result.code, result.document["env_steps"], result.document["broken"]) == (1, 0, 1)
    unplayed = next(case for case in result.document["cases"] if case["name"] == "seed-1-standard")
    assert unplayed["passed"] is None and "not proved" in unplayed["detail"], (
        "a program that is not proved takes no step"
    )
    assert steps_taken() == before
    (folder / "lean.hl").write_text(START, encoding="utf-8")
    result = hl("regress", "lean.hl")
    assert result.code == 1 and "no invariant `leans`" in result.out, "removing the property does not fix the program"
    (folder / "lean.hl").write_text(
        START.replace("  act {", "  invariant leans: pole.angle < 9\n\n  act {"), encoding="utf-8"
    )
    assert hl("regress", "lean.hl").code == 0


def test_unknown_proof_has_exit_code_3(hl, folder):
    unknown = (
        "  let a = sin(pole.angle)\n  let b = cos(pole.angle)\n"
        "  invariant circle: a * a + b * b <= 1.0000001\n\n  act {"
    )
    add(hl, "lean.hl", "--seed", "1", "--least-return", "5")
    (folder / "lean.hl").write_text(START.replace("  act {", unknown), encoding="utf-8")
    result = hl("regress", "--json")
    assert (result.code, result.document["broken"], result.document["env_steps"]) == (3, 0, 0)


def test_case_from_a_run_uses_its_rules_and_recorded_returns(hl, folder):
    (folder / "regressions").mkdir()
    run = hl(
        "synth", "lean.hl", "--run", "runs/one", "--steps", "2500", "--seeds", "0..1", "--max-steps", "90", "--json"
    ).document
    before = steps_taken()
    known = add(hl, "runs/one", "--seed", "1")
    assert (
        known["env_steps"] == 0
        and steps_taken() == before
        and known["case"]["max_steps"] == 90
        and known["case"]["no_reward_steps"]
    )
    assert 0 < known["case"]["least_return"] <= 90
    new = add(hl, "runs/one", "--seed", "20")
    assert new["env_steps"] == steps_taken() - before > 0
    result = hl("regress", "runs/one", "--json")
    assert (
        result.code == 0
        and result.document["program_hash"] == run["program_hash"]
        and len(result.document["cases"]) == 2
    )
    spent = sum(trial["environment_steps"] for trial in hl("trials", "runs/one", "--json").document["trials"])
    assert spent == run["env_steps"] + new["env_steps"] + result.document["env_steps"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["lean.hl"], "needs a seed"),
        (["lean.hl", "--seed", "50"], "may not use seed 50"),
        (["lean.hl", "--seed", "1", "--at-tick", "3"], "a first tick and a length"),
        (["lean.hl", "--seed", "1", "--protocol", "sticky"], "no protocol `sticky`"),
        (["lean.hl", "--seed", "1", "--holds", "action == LEFT"], "uses the action"),
        (["lean.hl", "--seed", "1", "--name", "a/b"], "cannot be the name of a case"),
        (["none.hl", "--seed", "1"], "none.hl"),
        (["none.json"], "regressions"),
        ([".", "--seed", "1"], "is not the folder of a run"),
        (["lean.hl", "--seed", "1", "--at-tick", "499", "--within", "5"], "before tick 499"),
        (["lean.hl", "--seed", "1", "--least-return", "nan"], "is not a return"),
    ],
)
def test_invalid_case_is_refused(hl, folder, arguments, message):
    assert_refused(hl("regress", "add", *arguments), message)
    assert not (folder / "regressions").exists()


def test_bad_files_and_folders_are_refused(hl, folder):
    assert_refused(hl("regress", "none.hl"), "none.hl")
    (folder / "regressions").mkdir()
    (folder / "regressions" / "bad.json").write_text("{}", encoding="utf-8")
    for arguments in (["regress", "lean.hl"], ["regress", "list"], ["synth", "lean.hl", "--run", "run"]):
        assert_refused(hl(*arguments), "bad.json", "schema")
    assert not (folder / "run").exists()
    assert_refused(
        hl("regress", "add", "lean.hl", "--seed", "1", "--least-return", "5", "--cases", "lean.hl"),
        "cannot create the folder",
    )


def test_regress_without_cases_takes_no_step(hl, folder):
    result = hl("regress", "lean.hl", "--json")
    assert (result.code, result.document["cases"], result.document["env_steps"]) == (0, [], 0) and not (
        folder / "trials.jsonl"
    ).exists()
    assert "no cases" in hl("regress").out and "no cases" in hl("regress", "list").out
