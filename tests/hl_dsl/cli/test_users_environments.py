"""User environments and those of Gymnasium's registry: probed, evaluated and recorded."""

from __future__ import annotations

import json

import pytest

from tests.hl_dsl.cli.conftest import assert_refused
from tests.hl_dsl.cli.tank_environments import HOLD, TANK, write_policy


def test_users_environment_is_probed_evaluated_and_recorded(hl, folder, tank):
    environment = f"{tank}:Tank"
    assert_refused(
        hl("eval", write_policy(folder, environment)),
        f"unknown environment `{environment}`",
        f"hl env {environment} --save",
        code=1,
    )
    saved = hl("env", environment, "--save", "--steps", "120", "--json")
    assert (
        saved.code == 0
        and saved.document["env_steps"] == 120
        and saved.document["card_file"] == f"cards/{tank}@Tank.toml"
    )
    played = hl("eval", "hold.hl", "--seeds", "0..3", "--num-envs", "3", "--json")
    assert played.code == 0, played.err
    document = played.document
    assert document["lengths"] == [30] * 4 and document["truncated"] == [True] * 4 and document["env_steps"] == 120
    assert document["distinct_trajectories"] == 4 and all(-40 < value < 0 for value in document["returns"])
    assert document["options"]["simulator"].startswith(f"{tank} (code ")
    assert "a new tank" in played.err
    again = hl("eval", "hold.hl", "--seeds", "0..3", "--num-envs", "1", "--json").document
    assert again["returns"] == document["returns"]
    assert hl("eval", "hold.hl", "--seeds", "0", "--max-steps", "7", "--json").document["lengths"] == [7]
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert [trial["environment_steps"] for trial in trials] == [120, 120, 120, 7]


@pytest.mark.parametrize("fault", ["", "fragile"])
def test_study_evaluates_users_environment_in_its_worker(hl, folder, tank, fault):
    """Programs that make the environment fail are recorded as failed trials, and the run continues."""
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    (folder / f"{tank}.py").write_text(TANK.replace('FAULT = ""', f'FAULT = "{fault}"'), encoding="utf-8")
    text = HOLD.replace("observe obs", "observe obs\n\n  param gain: real = 0.1 in [0, 5]").replace(
        "-2 * obs[0]", "0 - gain * obs[0]"
    )
    write_policy(folder, environment, text)
    result = hl("synth", "hold.hl", "--steps", "3000", "--seeds", "0..3", "--run", "run", "--json")
    assert result.code == 0, result.err
    trials = [json.loads(line) for line in (folder / "run" / "trials.jsonl").read_text().splitlines()]
    failed = [trial for trial in trials if "the pump is broken" in (trial.get("reason") or "")]
    assert bool(failed) == bool(fault)
    assert sum(trial.get("environment_steps", 0) for trial in trials) > 1000


def test_run_folder_holds_the_card_of_its_environment(hl, folder, tank):
    """The run folder can be read after the policy and its card were moved."""
    environment, name = f"{tank}:Tank", f"{tank}@Tank.toml"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    (folder / "mine").mkdir()
    (folder / "cards" / name).rename(folder / "mine" / name)
    assert (
        hl(
            "synth", write_policy(folder / "mine", environment), "--steps", "1000", "--seeds", "0,1", "--run", "run"
        ).code
        == 0
    )
    (folder / "mine").rename(folder / "gone")
    result = hl("report", "run", "--no-videos", "--json")
    assert result.code == 0 and "cannot read" not in result.document["proof"]["summary"]
    assert hl("eval", "run/best.hl", "--seeds", "0").code == 0


@pytest.mark.parametrize("environment, lengths", [("gymnasium:Pendulum-v1", {200}), ("gymnasium:CartPole-v1", None)])
def test_environment_of_gymnasiums_registry_is_evaluated(hl, folder, environment, lengths):
    assert hl("env", environment, "--save", "--steps", "300").code == 0
    text = (
        HOLD
        if "Pendulum" in environment
        else """policy lean for "{environment}" {{
  observe obs

  act {{
    when obs[2] + 0.3 * obs[3] > 0 => action_1
    otherwise => action_0
  }}
}}
"""
    )
    write_policy(folder, environment, text)
    document = hl("eval", "hold.hl", "--seeds", "0..2", "--json").document
    assert lengths is None or set(document["lengths"]) == lengths
    assert document["options"]["simulator"].startswith("gymnasium ") and document["distinct_trajectories"] == 3
    if lengths is None:
        assert document["mean"] > 150


def test_card_may_lie_next_to_the_policy(hl, folder, tank, monkeypatch):
    assert hl("env", f"{tank}:Chain", "--save", "--steps", "50").code == 0
    for place in ("one", "two/cards"):
        (folder / place).mkdir(parents=True)
        (folder / place / f"{tank}@Chain.toml").write_text((folder / "cards" / f"{tank}@Chain.toml").read_text())
    (folder / "cards" / f"{tank}@Chain.toml").unlink()
    text = (
        'policy climb for "{environment}" {{\n  observe obs\n\n'
        "  act {{\n    when obs < 4 => action_1\n    otherwise => action_0\n  }}\n}}\n"
    )
    for place in ("one", "two"):
        path = write_policy(folder / place, f"{tank}:Chain", text)
        document = hl("eval", path, "--json").document
        assert document["lengths"] == [4] and document["returns"] == [4] and document["truncated"] == [False]
