"""The first minutes: `hl new`, and `hl env` for an environment that has no card."""

from __future__ import annotations

import pytest

from tests.hl_dsl.cli.conftest import refused


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
def test_what_new_makes_checks_proves_and_runs(hl, folder, environment):
    made = hl("new", "some/first", "--env", environment, "--json")
    assert made.code == 0 and made.document["file"] == "some/first/policy.hl" and made.document["policy"] == "first"
    path = made.document["file"]
    assert hl("check", path).code == 0 and hl("fmt", "--check", path).code == 0 and hl("verify", path).code == 0
    played = hl("eval", path, "--max-steps", "20", "--env", environment, "--json")
    assert played.code == 0 and 0 < played.document["lengths"][0] <= 20 and played.document["out_of_range"] == 0


def test_what_new_suggests_can_be_typed(hl, folder):
    made = hl("new", "first", "--env", "CartPole-v1", "--json").document
    assert [command.split()[1] for command in made["next"]] == ["env", "verify", "eval", "synth"]
    for command in made["next"]:
        more = ["--steps", "200"] if command.split()[1] in ("env", "synth") else []
        assert hl(*command.split()[1:], *more).code == 0, command


@pytest.mark.parametrize("environment, action", [("FrozenLake-v1", "action_1"), ("Swimmer-v4", None)])
def test_an_environment_without_a_card(hl, folder, environment, action):
    refused(hl("new", "mine", "--env", environment), f"unknown environment `{environment}`", "hl env")
    shown = hl("env", environment, "--steps", "300")
    assert shown.code == 0 and not (folder / "cards").exists()
    _, _, card = shown.out.partition(f"cards/{environment}.toml:\n\n")
    (folder / "cards").mkdir()
    (folder / "cards" / f"{environment}.toml").write_text(card, encoding="utf-8")  # as the text says
    _runs(hl, folder, environment, action)


def test_a_card_is_saved(hl, folder, monkeypatch):
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


def test_a_damaged_card(hl, folder):
    (folder / "cards").mkdir()
    for text in ("", "environment = 3", "not toml", "\0", '[action]\nnames = ["A"]'):
        (folder / "cards" / "Mine-v0.toml").write_text(text, encoding="utf-8")
        refused(hl("new", "first", "--env", "Mine-v0"), "Mine-v0.toml")
