"""Mistyped arguments: each is refused with its own message and hint, before any step and without any file."""

from __future__ import annotations

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.seeds import parse_seeds
from tests.hl_dsl.cli.conftest import START, assert_refused
from tests.support.step_counter import steps_taken

WRONG = {
    "another environment": (
        ["eval", "lean.hl", "--env", "Breakout-v5"],
        "for CartPole-v1, not for Breakout-v5",
        "HL601",
    ),
    "a protocol of other environments": (
        ["eval", "lean.hl", "--protocol", "sticky"],
        "no protocol `sticky`",
        "standard",
    ),
    "a folder that is missing, for a video": (["eval", "lean.hl", "--video", "none/film.mp4"], "no folder `none`"),
    "a folder that is missing, for a trace": (["eval", "lean.hl", "--trace", "none/t.jsonl"], "no folder `none`"),
    "a folder for a trace": (["eval", "lean.hl", "--trace", "."], "is a folder"),
    "another kind of video": (["eval", "lean.hl", "--video", "film.avi"], "does not end with .mp4", "FILE.mp4"),
    "one file for two": (["eval", "lean.hl", "--video", "a.mp4", "--trace", "a.mp4"], "would overwrite"),
    "a trace over the ledger": (["eval", "lean.hl", "--trace", "trials.jsonl"], "would overwrite"),
    "a ledger in a folder that is missing": (
        ["eval", "lean.hl", "--trials", "none/t.jsonl"],
        "cannot write to the ledger",
        "create the folder",
    ),
    "a folder for a ledger": (["eval", "lean.hl", "--trials", "."], "cannot write to the ledger", "it is a folder"),
    "a ledger where no file can be": (["eval", "lean.hl", "--trials", "/proc/t.jsonl"], "does not accept new files"),
    "no such option": (["eval", "lean.hl", "--seed", "3"], "No such option: --seed"),
    "a planner's seed without a plan": (["eval", "lean.hl", "--planner-seed", "3"], "has no `plan`", "remove it"),
    "too many threads": (["eval", "lean.hl", "--threads", "99999"], "--threads"),
    "no steps": (["eval", "lean.hl", "--max-steps", "0"], "--max-steps"),
    "a name that cannot be": (["new", "9lives", "--env", "CartPole-v1"], "cannot be the name of a policy"),
    "a word of the language": (["new", "policy", "--env", "CartPole-v1"], "is a reserved word", "`policy_`"),
    "an unknown environment for new": (
        ["new", "x", "--env", "Pendulm-v1"],
        "unknown environment `Pendulm-v1`",
        "Pendulum-v1",
    ),
    "a folder under a file": (["new", "lean.hl/x", "--env", "CartPole-v1"], "a part of the path is a file"),
    "a folder where none can be": (["new", "/proc/x", "--env", "CartPole-v1"], "cannot create the folder"),
    "an environment that EnvPool lacks": (["env", "Breakout-v6"], "no environment `Breakout-v6`", "Breakout-v5"),
    "no environment at all": (["env", "../../etc/passwd"], "no environment"),
    "no trials": (["trials", "none"], "no trials at none"),
    "a code that there is not": (["explain", "HL999"], "unknown code `HL999`"),
    "an operator that there is not": (["explain", "clmp"], "is not a diagnostic's code", "`clamp`"),
    "another language": (["export", "lean.hl", "--to", "java"], "`java` is not a target language", "python"),
    "an export over the policy": (["export", "lean.hl", "-o", "./lean.hl"], "would overwrite the policy"),
    "an export into a folder that is missing": (
        ["export", "lean.hl", "-o", "none/lean.py"],
        "the folder does not exist",
    ),
    "a param that there is not": (["tune", "p.hl", "--run", "r", "--params", "gain"], "no parameter `gain`", "tilt"),
    "an empty param": (["tune", "p.hl", "--run", "r", "--params", "tilt,"], "empty name"),
    "no params": (["tune", "lean.hl", "--run", "r"], "has no parameters", "declare one"),
    "a protocol for tune": (["tune", "p.hl", "--run", "r", "--protocol", "noop"], "no protocol `noop`"),
    "seeds for tune": (["tune", "p.hl", "--run", "r", "--seeds", "5..1"], "empty range"),
    "a run that is a file": (["tune", "p.hl", "--run", "lean.hl"], "it is a file"),
    "a run where none can be": (["tune", "p.hl", "--run", "/proc/r"], "cannot use /proc/r as a run folder"),
    "no run": (["synth", "lean.hl"], "Missing option '--run'"),
    "a protocol for synth": (["synth", "lean.hl", "--run", "r", "--protocol", "noop"], "no protocol `noop`"),
    "a proposer that there is not": (
        ["synth", "lean.hl", "--run", "r", "--proposer", "oracle"],
        "unknown proposer `oracle`",
        "local",
    ),
    "no tuning to resume": (["tune", "p.hl", "--run", "r", "--resume"], "not hold a run to resume"),
    "no search to resume": (["synth", "lean.hl", "--run", "r", "--resume"], "not hold a run to resume"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistyped_argument_is_refused_without_steps_or_files(hl, folder, name):
    (folder / "p.hl").write_text(
        START.replace("  act {", "  param tilt: real = 0 in [-1, 1]\n\n  act {").replace("> 0", "> tilt"),
        encoding="utf-8",
    )
    before = steps_taken()
    arguments, *words = WRONG[name]
    assert_refused(hl(*arguments), *words)
    assert steps_taken() == before
    assert {path.name for path in folder.iterdir()} == {"lean.hl", "p.hl"}
    assert (folder / "lean.hl").read_text(encoding="utf-8") == START


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "0..",
        "..3",
        "0...3",
        "1.5",
        "3,,4",
        "0-9",
        "-1",
        "9..0",
        "3,3",
        "0..2,2",
        "2147483648",
        "0..99999999999",
        "0..100000",
        "9" * 5000,
        "0x3",
        "∞",
        "3;4",
    ],
)
def test_invalid_seeds_are_refused(hl, text):
    assert_refused(hl("eval", "lean.hl", f"--seeds={text}"))


@pytest.mark.parametrize(
    "text, seeds",
    [
        ("3", [3]),
        ("0..2", [0, 1, 2]),
        ("0,4,7..9", [0, 4, 7, 8, 9]),
        (" 5 .. 6 ", [5, 6]),
        ("2147483647", [2147483647]),
    ],
)
def test_seeds_are_numbers_ranges_and_lists(text, seeds):
    assert parse_seeds(text) == seeds


def test_at_most_100_000_seeds_are_allowed():
    assert len(parse_seeds("0..99999")) == 100_000
    with pytest.raises(HLError, match="too many"):
        parse_seeds("0..49999,50000..100000")


def test_new_keeps_existing_files(hl, folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "policy.hl").write_text("my own")
    assert_refused(hl("new", "mine", "--env", "CartPole-v1"), "exists already")
    assert (folder / "mine" / "policy.hl").read_text() == "my own"
