"""First steps of a user: `hl new`, and `hl env` for an environment without a card."""

from __future__ import annotations

import pytest

from tests.hl_dsl.cli.conftest import assert_refused


@pytest.mark.parametrize(
    "environment",
    [
        "Breakout-v5",
        "Pong-v5",
        "CartPole-v1",
        "Acrobot-v1",
        "LunarLander-v3",
        "Pendulum-v1",
        "MountainCarContinuous-v0",
    ],
)
def test_new_policy_is_checked_proved_and_evaluated(hl, folder, environment):
    made = hl("new", "some/first", "--env", environment, "--json")
    assert made.code == 0 and made.document["file"] == "some/first/policy.hl" and made.document["policy"] == "first"
    path = made.document["file"]
    assert hl("check", path).code == 0 and hl("fmt", "--check", path).code == 0 and hl("verify", path).code == 0
    played = hl("eval", path, "--max-steps", "20", "--env", environment, "--json")
    assert played.code == 0 and 0 < played.document["lengths"][0] <= 20 and played.document["out_of_range"] == 0


def test_commands_that_new_suggests_succeed(hl, folder):
    made = hl("new", "first", "--env", "CartPole-v1", "--json").document
    assert [command.split()[1] for command in made["next"]] == ["env", "verify", "eval", "synth"]
    for command in made["next"]:
        options = ["--steps", "200"] if command.split()[1] in ("env", "synth") else []
        assert hl(*command.split()[1:], *options).code == 0, command


@pytest.mark.parametrize("environment, action", [("FrozenLake-v1", "action_1"), ("Swimmer-v4", None)])
def test_env_prints_the_card_of_an_environment_that_has_none(hl, folder, environment, action):
    assert_refused(hl("new", "mine", "--env", environment), f"unknown environment `{environment}`", "hl env")
    shown = hl("env", environment, "--steps", "300")
    assert shown.code == 0 and not (folder / "cards").exists()
    _, _, card = shown.out.partition(f"cards/{environment}.toml:\n\n")
    (folder / "cards").mkdir()
    (folder / "cards" / f"{environment}.toml").write_text(card, encoding="utf-8")  # as the text instructs
    _runs(hl, folder, environment, action)


def test_env_saves_a_card_once(hl, folder, monkeypatch):
    monkeypatch.setenv("HL_CARDS", str(folder / "mine"))
    saved = hl("env", "Swimmer-v4", "--steps", "300", "--save", "--json")
    assert saved.code == 0 and saved.document["card_file"] == str(folder / "mine" / "Swimmer-v4.toml")
    assert (folder / "mine" / "Swimmer-v4.toml").read_text(encoding="utf-8") == saved.document["card_text"]
    _runs(hl, folder, "Swimmer-v4", None)
    again = hl("env", "Swimmer-v4", "--steps", "50", "--save", "--json")
    assert again.code == 0 and again.document["card_file"] is None and "already has a card" in again.err


def _runs(hl, folder, environment, action) -> None:
    assert hl("new", "first", "--env", environment).code == 0
    path = folder / "first" / "policy.hl"
    if action is not None:
        path.write_text(path.read_text(encoding="utf-8").replace("action_0", action), encoding="utf-8")
    assert hl("check", path).code == 0 and hl("verify", path).code == 0
    played = hl("eval", path, "--max-steps", "15", "--json")
    assert played.code == 0 and 0 < played.document["env_steps"] <= 15


def test_damaged_card_is_reported_with_its_file(hl, folder):
    (folder / "cards").mkdir()
    for text in ("", "environment = 3", "not toml", "\0", '[action]\nnames = ["A"]'):
        (folder / "cards" / "Mine-v0.toml").write_text(text, encoding="utf-8")
        assert_refused(hl("new", "first", "--env", "Mine-v0"), "Mine-v0.toml")
