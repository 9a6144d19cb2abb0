"""Failures of user environments are reported and recorded."""

from __future__ import annotations

import json
import sys

import pytest

from tests.hl_dsl.cli.conftest import assert_refused
from tests.hl_dsl.cli.tank_environments import HOLD, TANK, write_policy


@pytest.mark.parametrize("fault, message", [
    ("raises", "step() of `{environment}` raised RuntimeError: the pump is broken"),
    ("exits", "step() of `{environment}` raised SystemExit: 3"),
    ("nan", "step() of `{environment}` gave the reward nan on step 5 of seed"),
    ("old interface", "step() of `{environment}` gave a tuple of 4"),
    ("shape", "step() of `{environment}` gave an observation of shape (3,)"),
    ("text", "step() of `{environment}` gave a list as its observation"),
])  # fmt: skip
def test_failure_during_a_rollout_is_reported_and_recorded(hl, folder, tank, fault, message):
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    sys.modules[tank].Tank.FAULT = fault
    assert_refused(
        hl("eval", write_policy(folder, environment), "--seeds", "0,1"), message.format(environment=environment)
    )
    assert_refused(hl("env", environment), message.format(environment=environment))
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert [trial["kind"] for trial in trials] == ["probe", "evaluation", "probe"]
    assert (
        trials[1]["environment_steps"] == (10 if fault in ("raises", "exits", "nan") else 2)
        and not trials[1]["accepted"]
    )
    assert trials[1]["reason"].startswith("step() of ")
    sys.modules[tank].Tank.FAULT = ""
    assert hl("eval", "hold.hl", "--seeds", "0,1").code == 0, "the ledger can still be appended to"


def test_nan_observation_is_replaced_and_counted(hl, folder, tank):
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    sys.modules[tank].Tank.FAULT = "unseen"
    document = hl("eval", write_policy(folder, environment), "--seeds", "0", "--json").document
    assert document["lengths"] == [30] and document["out_of_range"] == 1


@pytest.mark.parametrize("called, message, hint", [
    (
        "no_such_module:Tank",
        "the module `no_such_module` of the environment `no_such_module:Tank` was not found",
        "working folder",
    ),
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
def test_environment_that_cannot_be_created_is_reported(hl, folder, tank, called, message, hint):
    assert_refused(hl("env", called.format(tank=tank)), message.format(tank=tank), hint)


def test_module_that_cannot_be_imported_is_reported_with_the_line(hl, folder, tank):
    (folder / f"{tank}_bad.py").write_text("import math\n\nmath.sqrt(-1)\n")
    assert_refused(
        hl("env", f"{tank}_bad:Tank"),
        f"the module `{tank}_bad` of `{tank}_bad:Tank` does not import: ValueError",
        f"{tank}_bad.py, line 3",
    )
    (folder / f"{tank}_half.py").write_text("import no_such_library\n")
    assert_refused(hl("env", f"{tank}_half:Tank"), "does not import: ModuleNotFoundError", "line 1")


@pytest.mark.parametrize("written, instead, entry", [
    ("high = [1.0]", "high = [2.0]", "`high` of [action]"),
    ("low = [-1.0]", "low = [-1.5]", "`low` of [action]"),
    ('dtype = "float32"', 'dtype = "float64"', "`dtype` of [action]"),
    ("low = [-1.0]\nhigh = [1.0]", "low = [-1.0, -1.0]\nhigh = [1.0, 1.0]", "[action]"),
    ("size = 2", "size = 3", "`size` of [fields.obs]"),
])  # fmt: skip
def test_card_that_does_not_fit_is_reported_with_its_entry(hl, folder, tank, written, instead, entry):
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    card = folder / "cards" / f"{tank}@Tank.toml"
    text = card.read_text()
    assert written in text
    card.write_text(text.replace(written, instead, 1))
    act = HOLD if "[-1.0, -1.0]" not in instead else HOLD.replace("clamp(-2 * obs[0], -1, 1)", "[0, 0]")
    assert_refused(
        hl("eval", write_policy(folder, environment, act)),
        f"{card.name}) does not fit in {entry}",
        f"fix {entry}",
        "--save",
    )


@pytest.mark.parametrize("command", ["tune", "synth"])
def test_study_whose_environment_raises_reports_the_line(hl, folder, tank, command):
    """A larger budget would not help, so the hint does not mention it."""
    environment = f"{tank}:Tank"
    assert hl("env", environment, "--save", "--steps", "60").code == 0
    (folder / f"{tank}.py").write_text(TANK.replace('FAULT = ""', 'FAULT = "raises"'), encoding="utf-8")
    write_policy(
        folder,
        environment,
        HOLD.replace("observe obs", "observe obs\n\n  param gain: real = 0.1 in [0, 5]").replace(
            "-2 * obs[0]", "0 - gain * obs[0]"
        ),
    )
    line = next(number for number, text in enumerate(TANK.splitlines(), 1) if "the pump is broken" in text)
    result = hl(command, "hold.hl", "--steps", "3000", "--seeds", "0..3", "--run", "run")
    assert_refused(
        result,
        f"step() of `{environment}` raised RuntimeError: the pump is broken",
        f"{tank}.py, line {line}",
        "fix what failed",
    )
    assert "larger budget" not in result.err and "evaluator failed" not in result.err
    tight = hl(command, "hold.hl", "--steps", "4", "--seeds", "0..3", "--run", "tight")
    assert "larger budget" in tight.err


def test_class_that_needs_arguments_is_reported_with_its_line(hl, folder, tank):
    (folder / f"{tank}_more.py").write_text("\n\nclass Tank:\n    def __init__(self, size):\n        pass\n")
    assert_refused(
        hl("env", f"{tank}_more:Tank"),
        "missing 1 required positional argument: 'size'",
        "called without arguments",
        f"{tank}_more.py, line 3",
    )


def test_default_limit_of_steps_is_reported_as_hls_own(hl, folder, tank):
    assert hl("env", f"{tank}:Tank", "--save", "--steps", "60").code == 0
    assert "HL ends it at 100000 (the environment states none)" in hl("env", f"{tank}:Tank", "--json").out
    assert hl("env", "gymnasium:CartPole-v1", "--save", "--steps", "60").code == 0
    assert "the environment ends it at 500 (specification)" in hl("env", "gymnasium:CartPole-v1", "--json").out


@pytest.mark.parametrize(
    "limit, options, source",
    [
        (100_000, [], "truncated by the environment"),
        (12, [], "truncated by the card's limit"),
        (100_000, ["--max-steps", "7"], "truncated by --max-steps"),
    ],
)
def test_truncated_episode_names_the_limit(hl, folder, tank, limit, options, source):
    assert hl("env", f"{tank}:Tank", "--save", "--steps", "60").code == 0
    card = folder / "cards" / f"{tank}@Tank.toml"
    card.write_text(card.read_text().replace("max_episode_steps = 100000", f"max_episode_steps = {limit}"))
    assert f"({source}" in hl("eval", write_policy(folder, f"{tank}:Tank"), "--seeds", "0", *options).out
