"""Material for agents and models: the grammar, the first prompt, and a working folder."""

from __future__ import annotations

import re
import shlex

import pytest

from hl_dsl.cards import load_card
from hl_dsl.language.environment_grammar import card_grammar
from hl_dsl.synth.proposers.agents.policy_folder import MOST_CHARACTERS
from tests.hl_dsl.cli.conftest import START, assert_refused
from tests.support.step_counter import steps_taken

FEW = {"eval": ["--max-steps", "20"], "tune": ["--max-steps", "20"], "synth": ["--max-steps", "20"]}


def test_grammar_prints_the_grammar_of_an_environment(hl, folder):
    before = steps_taken()
    shown = hl("grammar", "CartPole-v1")
    assert (shown.code, shown.err, shown.out) == (0, "", card_grammar(load_card("CartPole-v1")))
    document = hl("grammar", "CartPole-v1", "--json").document
    assert (document["schema"], document["environment"], document["syntax"]) == ("hl.grammar/1", "CartPole-v1", "lark")
    assert document["grammar"] == shown.out and steps_taken() == before
    assert_refused(hl("grammar", "CartPool-v1"), "unknown environment `CartPool-v1`", "CartPole-v1")


def test_show_prompt_prints_the_first_prompt_without_steps(hl, folder):
    before = steps_taken()
    shown = hl("synth", "lean.hl", "--show-prompt", "--steps", "777")
    assert shown.code == 0 and START.strip() in shown.out and "777 environment steps" in shown.out
    assert shown.err.startswith("images: ") and "up to 4 frames" in shown.err and "300 x 200 pixels" in shown.err
    assert hl("synth", "lean.hl", "--show-prompt", "--no-images").err == "images: none (--no-images)\n"
    document = hl("synth", "lean.hl", "--show-prompt", "--steps", "777", "--json").document
    assert document["schema"] == "hl.prompt/1" and f"{document['stable']}\n\n{document['variable']}\n" == shown.out
    assert document["characters"] == len(shown.out) - 1
    assert (document["images"]["most"], document["images"]["width"], document["images"]["height"]) == (4, 300, 200)
    assert 100 < document["images"]["bytes"] < document["images"]["most_bytes"]
    assert steps_taken() == before and [path.name for path in folder.iterdir()] == ["lean.hl"]
    assert_refused(hl("synth", "lean.hl", "--show-prompt", "--protocol", "noop"), "no protocol `noop`")
    assert_refused(hl("synth", "none.hl", "--show-prompt"), "none.hl")


def commands(text: str) -> list[list[str]]:
    """Returns the command lines of the fenced blocks, without `hl` and comments."""
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    return [
        shlex.split(line, comments=True)[1:] for block in blocks for line in block.split("\n") if line.startswith("hl ")
    ]


@pytest.mark.parametrize("environment", ["CartPole-v1", "Breakout-v5", "Pendulum-v1"])
def test_every_command_in_the_instructions_for_agents_succeeds(hl, folder, monkeypatch, environment):
    made = hl("new", "mine", "--env", environment, "--json").document
    assert {path.removeprefix("mine/") for path in made["files"]} == {
        "policy.hl",
        "AGENTS.md",
        "ENVIRONMENT.txt",
        "regressions/README.md",
    }
    monkeypatch.chdir(folder / "mine")
    policy = folder / "mine" / "policy.hl"
    # Tuning needs a parameter.
    policy.write_text(
        policy.read_text(encoding="utf-8").replace("{\n", "{\n  param gain: real = 1 in [0, 2]\n", 1), encoding="utf-8"
    )
    assert hl("fmt", "policy.hl").code == 0
    listed = commands((folder / "mine" / "AGENTS.md").read_text(encoding="utf-8"))
    assert {command[0] for command in listed} >= {
        "check",
        "fmt",
        "verify",
        "eval",
        "tune",
        "synth",
        "trials",
        "explain",
    }
    for arguments in listed:
        few = [*FEW.get(arguments[0], []), *(["--steps", "600"] if "--steps" in arguments else [])]
        result = hl(*arguments, *few)
        assert result.code == 0, (arguments, result.err)
    assert (folder / "mine" / "trials.jsonl").exists() and (folder / "mine" / "runs" / "search" / "best.hl").exists()


def test_instructions_for_agents_hold_the_rules_and_the_environment(hl, folder):
    assert hl("new", "mine", "--env", "LunarLander-v3").code == 0
    text = (folder / "mine" / "AGENTS.md").read_text(encoding="utf-8")
    assert len(text) <= MOST_CHARACTERS and max(map(len, text.split("\n"))) <= 130
    for phrase in (
        "0 to 49",
        "Never edit or delete the ledger",
        "Every environment step counts",
        "return of 200",
        "invariant NAME",
    ):
        assert phrase in text
    shown = (folder / "mine" / "ENVIRONMENT.txt").read_text(encoding="utf-8")
    assert "angular.velocity" in shown and "NOOP, LEFT, MAIN, RIGHT" in shown and "rad" in shown


@pytest.mark.parametrize("name", ["policy.hl", "AGENTS.md", "regressions/README.md"])
def test_new_does_not_overwrite_a_file(hl, folder, name):
    (folder / "mine" / "regressions").mkdir(parents=True)
    (folder / "mine" / name).write_text("mine", encoding="utf-8")
    assert_refused(hl("new", "mine", "--env", "CartPole-v1"), f"{name} exists already")
    assert (folder / "mine" / name).read_text(encoding="utf-8") == "mine"
    assert [path for path in (folder / "mine").rglob("*") if path.is_file()] == [folder / "mine" / name]
