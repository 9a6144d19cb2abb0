"""Environments that people wrote themselves, and those of Gymnasium's registry: played, recorded, and their failures told."""

from __future__ import annotations

import json
import sys

import pytest

from tests.hl_dsl.cli.conftest import refused

TANK = '''
import numpy as np
from gymnasium import spaces

class Tank:
    """The level of a tank, to be held at 0. FAULT makes it misbehave."""

    FAULT = ""

    def __init__(self, render_mode=None):
        self.observation_space = spaces.Box(-20, 20, (2,), np.float32)
        self.action_space = spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        print("a new tank")
        self.level, self.ticks = np.random.default_rng(seed).uniform(-3, 3), 0
        return self._seen(), {}

    def step(self, action):
        self.ticks += 1
        if self.FAULT == "raises" and self.ticks == 5:
            raise RuntimeError("the pump is broken")
        if self.FAULT == "exits" and self.ticks == 5:
            raise SystemExit(3)
        if self.FAULT == "fragile" and abs(float(action[0])) > 0.9:
            raise RuntimeError("the pump is broken")
        self.level += 0.2 * float(action[0])
        reward = -abs(self.level)
        if self.FAULT == "nan" and self.ticks == 5:
            reward = float("nan")
        if self.FAULT == "old interface":
            return self._seen(), reward, False, {}
        seen = np.zeros(3) if self.FAULT == "shape" else ["a", "b"] if self.FAULT == "text" else self._seen()
        return seen, reward, self.level > 10, self.ticks >= 30, {}

    def _seen(self):
        return np.array([np.nan if self.FAULT == "unseen" and self.ticks == 3 else self.level, 0.0], np.float32)


class Chain:
    """Five cells; the actions are numbered from 1."""

    observation_space = spaces.Discrete(5)
    action_space = spaces.Discrete(2, start=1)

    def reset(self, *, seed=None, options=None):
        self.cell = 0
        return self.cell, {}

    def step(self, action):
        assert action in (1, 2)
        self.cell = min(max(self.cell + (1 if action == 2 else -1), 0), 4)
        return self.cell, 1, self.cell == 4, False, {}


class Pictures(Tank):
    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Tuple((spaces.Discrete(2),))


class Steered(Tank):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.MultiBinary(3)


class Endless(Tank):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)


def broken():
    raise ValueError("no licence")


number = 3


def nothing():
    return None
'''
HOLD = """policy hold for "{environment}" {{
  observe obs

  act {{
    otherwise => clamp(-2 * obs[0], -1, 1)
  }}
}}
"""


@pytest.fixture
def tank(folder, session_executor):
    """The name of a module in the working folder that no other test has imported."""
    name = f"tank_{folder.name.translate(str.maketrans('-[]', '___'))}"
    (folder / f"{name}.py").write_text(TANK, encoding="utf-8")
    before = list(sys.path)
    session_executor.close()  # a worker of another test looks for modules in the folder of that one
    yield name
    session_executor.close()
    sys.path[:] = before


def policy(folder, environment, text=HOLD):
    path = folder / "hold.hl"
    path.write_text(text.format(environment=environment), encoding="utf-8")
    return path


def test_an_environment_of_ones_own_is_probed_played_and_recorded(hl, folder, tank):
    environment = f"{tank}:Tank"
    refused(
        hl("eval", policy(folder, environment)),
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
    assert document["distinct_trajectories"] == 4 and all(-40 < one < 0 for one in document["returns"])
    assert document["options"]["simulator"].startswith(f"{tank} (code ")
    assert "a new tank" in played.err
    again = hl("eval", "hold.hl", "--seeds", "0..3", "--num-envs", "1", "--json").document
    assert again["returns"] == document["returns"]
    assert hl("eval", "hold.hl", "--seeds", "0", "--max-steps", "7", "--json").document["lengths"] == [7]
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert [one["environment_steps"] for one in trials] == [120, 120, 120, 7]


@pytest.mark.parametrize("fault", ["", "fragile"])
def test_a_run_plays_it_in_its_worker(hl, folder, tank, fault):
    """Where the environment breaks under some programs, those are trials that came to nothing, and the run goes on."""
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    (folder / f"{tank}.py").write_text(TANK.replace('FAULT = ""', f'FAULT = "{fault}"'), encoding="utf-8")
    text = HOLD.replace("observe obs", "observe obs\n\n  param gain: real = 0.1 in [0, 5]").replace(
        "-2 * obs[0]", "0 - gain * obs[0]"
    )
    policy(folder, environment, text)
    found = hl("synth", "hold.hl", "--steps", "3000", "--seeds", "0..3", "--run", "run", "--json")
    assert found.code == 0, found.err
    trials = [json.loads(line) for line in (folder / "run" / "trials.jsonl").read_text().splitlines()]
    failed = [one for one in trials if "the pump is broken" in (one.get("reason") or "")]
    assert bool(failed) == bool(fault)
    assert sum(one.get("environment_steps", 0) for one in trials) > 1000


def test_a_run_folder_keeps_the_card_of_its_environment(hl, folder, tank):
    """Its folder can be read after the policy and the card next to it are gone."""
    environment, name = f"{tank}:Tank", f"{tank}@Tank.toml"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    (folder / "mine").mkdir()
    (folder / "cards" / name).rename(folder / "mine" / name)
    assert (
        hl("synth", policy(folder / "mine", environment), "--steps", "1000", "--seeds", "0,1", "--run", "run").code == 0
    )
    (folder / "mine").rename(folder / "gone")
    told = hl("report", "run", "--no-videos", "--json")
    assert told.code == 0 and "cannot read" not in told.document["proof"]["summary"]
    assert hl("eval", "run/best.hl", "--seeds", "0").code == 0


@pytest.mark.parametrize("environment, lengths", [("gymnasium:Pendulum-v1", {200}), ("gymnasium:CartPole-v1", None)])
def test_an_environment_of_the_registry(hl, folder, environment, lengths):
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
    policy(folder, environment, text)
    document = hl("eval", "hold.hl", "--seeds", "0..2", "--json").document
    assert lengths is None or set(document["lengths"]) == lengths
    assert document["options"]["simulator"].startswith("gymnasium ") and document["distinct_trajectories"] == 3
    if lengths is None:
        assert document["mean"] > 150


def test_the_card_may_lie_beside_the_policy(hl, folder, tank, monkeypatch):
    assert hl("env", f"{tank}:Chain", "--save", "--steps", "50").code == 0
    for place in ("one", "two/cards"):
        (folder / place).mkdir(parents=True)
        (folder / place / f"{tank}@Chain.toml").write_text((folder / "cards" / f"{tank}@Chain.toml").read_text())
    (folder / "cards" / f"{tank}@Chain.toml").unlink()
    text = 'policy climb for "{environment}" {{\n  observe obs\n\n  act {{\n    when obs < 4 => action_1\n    otherwise => action_0\n  }}\n}}\n'
    for place in ("one", "two"):
        path = policy(folder / place, f"{tank}:Chain", text)
        document = hl("eval", path, "--json").document
        assert document["lengths"] == [4] and document["returns"] == [4] and document["truncated"] == [False]


@pytest.mark.parametrize("fault, told", [
    ("raises", "step() of `{environment}` raised RuntimeError: the pump is broken"),
    ("exits", "step() of `{environment}` raised SystemExit: 3"),
    ("nan", "step() of `{environment}` gave the reward nan on step 5 of seed"),
    ("old interface", "step() of `{environment}` gave a tuple of 4"),
    ("shape", "step() of `{environment}` gave an observation of shape (3,)"),
    ("text", "step() of `{environment}` gave a list as its observation"),
])  # fmt: skip
def test_what_breaks_while_it_plays_is_told_and_recorded(hl, folder, tank, fault, told):
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    sys.modules[tank].Tank.FAULT = fault
    refused(hl("eval", policy(folder, environment), "--seeds", "0,1"), told.format(environment=environment))
    refused(hl("env", environment), told.format(environment=environment))
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert [one["kind"] for one in trials] == ["probe", "evaluation", "probe"]
    assert (
        trials[1]["environment_steps"] == (10 if fault in ("raises", "exits", "nan") else 2)
        and not trials[1]["accepted"]
    )
    assert trials[1]["reason"].startswith("step() of ")
    sys.modules[tank].Tank.FAULT = ""
    assert hl("eval", "hold.hl", "--seeds", "0,1").code == 0, "the record must go on"


def test_a_nan_among_the_observations_is_mended_and_counted_as_anywhere(hl, folder, tank):
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    sys.modules[tank].Tank.FAULT = "unseen"
    document = hl("eval", policy(folder, environment), "--seeds", "0", "--json").document
    assert document["lengths"] == [30] and document["out_of_range"] == 1


@pytest.mark.parametrize("called, told, mend", [
    ("no_such_module_at_all:Tank", "the module `no_such_module_at_all` of the environment `no_such_module_at_all:Tank` was not found", "working folder"),
    ("{tank}:Bucket", "has no callable `Bucket`", "Tank"),
    ("{tank}:number", "has no callable `number`", "Tank"),
    ("{tank}:broken", "`{tank}:broken` raised ValueError: no licence", "line"),
    ("{tank}:nothing", "gave a NoneType without action_space", "observation_space"),
    ("{tank}:Pictures", "observation_space of `{tank}:Pictures` is a Tuple", "FlattenObservation"),
    ("{tank}:Steered", "action_space of `{tank}:Steered` is a MultiBinary", "wrap it"),
    ("{tank}:Endless", "no policy here can act in `{tank}:Endless`", "finite bounds"),
    ("gymnasium:Pendulun-v1", "Gymnasium has no environment `Pendulun-v1`", "gymnasium:Pendulum-v1"),
    ("gymnasium:", "Gymnasium ", ""),
    (":Tank", "", ""),
])  # fmt: skip
def test_what_cannot_be_made_is_told(hl, folder, tank, called, told, mend):
    refused(hl("env", called.format(tank=tank)), told.format(tank=tank), mend)


def test_a_module_that_does_not_import_is_told_with_the_line(hl, folder, tank):
    (folder / f"{tank}_bad.py").write_text("import math\n\nmath.sqrt(-1)\n")
    refused(
        hl("env", f"{tank}_bad:Tank"),
        f"the module `{tank}_bad` of `{tank}_bad:Tank` does not import: ValueError",
        f"{tank}_bad.py, line 3",
    )
    (folder / f"{tank}_half.py").write_text("import no_such_library\n")
    refused(hl("env", f"{tank}_half:Tank"), "does not import: ModuleNotFoundError", "line 1")


@pytest.mark.parametrize("written, instead, entry", [
    ("high = [1.0]", "high = [2.0]", "`high` of [action]"),
    ("low = [-1.0]", "low = [-1.5]", "`low` of [action]"),
    ('dtype = "float32"', 'dtype = "float64"', "`dtype` of [action]"),
    ("low = [-1.0]\nhigh = [1.0]", "low = [-1.0, -1.0]\nhigh = [1.0, 1.0]", "[action]"),
    ("size = 2", "size = 3", "`size` of [fields.obs]"),
])  # fmt: skip
def test_a_card_that_does_not_fit_is_told_by_its_entry(hl, folder, tank, written, instead, entry):
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    card = folder / "cards" / f"{tank}@Tank.toml"
    text = card.read_text()
    assert written in text
    card.write_text(text.replace(written, instead, 1))
    act = HOLD if "[-1.0, -1.0]" not in instead else HOLD.replace("clamp(-2 * obs[0], -1, 1)", "[0, 0]")
    refused(
        hl("eval", policy(folder, environment, act)), f"{card.name}) does not fit in {entry}", f"fix {entry}", "--save"
    )


@pytest.mark.parametrize("command", ["tune", "synth"])
def test_a_run_that_cannot_begin_names_the_line_that_raised(hl, folder, tank, command):
    """More budget would not help, so it is not what is advised."""
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    (folder / f"{tank}.py").write_text(TANK.replace('FAULT = ""', 'FAULT = "raises"'), encoding="utf-8")
    policy(
        folder,
        environment,
        HOLD.replace("observe obs", "observe obs\n\n  param gain: real = 0.1 in [0, 5]").replace(
            "-2 * obs[0]", "0 - gain * obs[0]"
        ),
    )
    line = next(number for number, text in enumerate(TANK.splitlines(), 1) if "the pump is broken" in text)
    told = hl(command, "hold.hl", "--steps", "3000", "--seeds", "0..3", "--run", "run")
    refused(
        told,
        f"step() of `{environment}` raised RuntimeError: the pump is broken",
        f"{tank}.py, line {line}",
        "fix what failed",
    )
    assert "larger budget" not in told.err and "evaluator failed" not in told.err
    tight = hl(command, "hold.hl", "--steps", "4", "--seeds", "0..3", "--run", "tight")
    assert "larger budget" in tight.err


def test_a_class_that_needs_arguments_is_told_with_its_own_line(hl, folder, tank):
    (folder / f"{tank}_more.py").write_text("\n\nclass Tank:\n    def __init__(self, size):\n        pass\n")
    refused(
        hl("env", f"{tank}_more:Tank"),
        "missing 1 required positional argument: 'size'",
        "called without arguments",
        f"{tank}_more.py, line 3",
    )


def test_a_limit_that_no_environment_states_is_told_as_hls_own(hl, folder, tank):
    assert hl("env", f"{tank}:Tank", "--save", "--steps", "60").code == 0
    assert "HL ends it at 100000 (the environment states none)" in hl("env", f"{tank}:Tank", "--json").out
    assert hl("env", "gymnasium:CartPole-v1", "--save", "--steps", "60").code == 0
    assert "the environment ends it at 500 (specification)" in hl("env", "gymnasium:CartPole-v1", "--json").out


@pytest.mark.parametrize(
    "limit, more, whose",
    [
        (100_000, [], "truncated by the environment"),
        (12, [], "truncated by the card's limit"),
        (100_000, ["--max-steps", "7"], "truncated by --max-steps"),
    ],
)
def test_whose_limit_cut_an_episode_is_told(hl, folder, tank, limit, more, whose):
    assert hl("env", f"{tank}:Tank", "--save", "--steps", "60").code == 0
    card = folder / "cards" / f"{tank}@Tank.toml"
    card.write_text(card.read_text().replace("max_episode_steps = 100000", f"max_episode_steps = {limit}"))
    assert f"({whose}" in hl("eval", policy(folder, f"{tank}:Tank"), "--seeds", "0", *more).out
