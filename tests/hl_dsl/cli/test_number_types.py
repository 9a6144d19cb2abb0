"""Number types of users' own environments: the cases float16_actions and int64_clock, through the command line."""

from __future__ import annotations

import pytest

from tests.hl_dsl.cli.conftest import assert_refused

HALF = '''
import gymnasium
import numpy as np


class Half(gymnasium.Env):
    """Takes float16 actions; the reward is the action it got."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float64)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float16)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick = 0
        return np.array([0.5]), {}

    def step(self, action):
        self.tick += 1
        return np.array([0.5]), float(np.asarray(action).ravel()[0]), self.tick >= 3, False, {}
'''
HALF_CARD = """
environment = "{module}:Half"
family = "half"
max_episode_steps = 1000
protocols = ["standard"]
says = "Takes float16 actions."

[action]
low = [-1.0]
high = [1.0]
dtype = "{dtype}"

[fields.shown]
base = "real"
source = "observation"
index = [0]
low = -1
high = 1
default = 0
says = "always 0.5"
"""
HALF_POLICY = """policy push for "{module}:Half" {{
  act 0.7001

  invariant limit: action <= {limit}
}}
"""


def half(folder, dtype: str, limit: float = 0.7001) -> str:
    """Writes the environment with its card and a policy; the name of its module, which no other test imports."""
    module = f"half_{dtype}"
    (folder / f"{module}.py").write_text(HALF.replace("np.float16", f"np.{dtype}"), encoding="utf-8")
    (folder / "cards").mkdir(exist_ok=True)
    (folder / "cards" / f"{module}@Half.toml").write_text(
        HALF_CARD.format(module=module, dtype=dtype), encoding="utf-8"
    )
    (folder / "push.hl").write_text(HALF_POLICY.format(module=module, limit=limit), encoding="utf-8")
    return module


@pytest.mark.parametrize("limit", [0.7001, 0.7002])
@pytest.mark.parametrize("dtype", ["float16", "longdouble"])
def test_action_type_without_an_exact_cast_is_refused_by_every_command(hl, folder, dtype, limit):
    module = half(folder, dtype, limit)
    for command in (["verify"], ["eval", "--check", "--json"], ["check"], ["export"]):
        result = hl(command[0], "push.hl", *command[1:])
        assert (
            result.code == 2
            and "must be float32 or float64" in result.err + result.out
            and "wrap the environment" in result.err + result.out
        ), result
    (folder / "cards" / f"{module}@Half.toml").unlink()
    assert_refused(hl("env", f"{module}:Half", "--save"), "a policy here acts in float32 or float64", "wrap it")


@pytest.mark.parametrize(
    "dtype, limit, code",
    [("float32", 0.7001, 1), ("float32", 0.70010001, 0), ("float64", 0.7001, 0), ("float64", 0.7, 1)],
)
def test_proof_is_about_the_action_after_the_cast(hl, folder, dtype, limit, code):
    half(folder, dtype, limit)
    assert hl("verify", "push.hl").code == code


CLOCK = '''
import gymnasium
import numpy as np


class Clock(gymnasium.Env):
    """Shows two times in nanoseconds: a deadline and one a nanosecond later."""

    observation_space = gymnasium.spaces.Box(0, np.iinfo(np.int64).max, (2,), np.int64)
    action_space = gymnasium.spaces.Discrete(2)

    def _shown(self):
        return np.array([FIRST, FIRST + 1], TYPE)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick = 0
        return self._shown(), {}

    def step(self, action):
        self.tick += 1
        return self._shown(), float(action), self.tick >= 3, False, {}
'''
CLOCK_CARD = """
environment = "{module}:Clock"
family = "clock"
max_episode_steps = 100000
protocols = ["standard"]
says = "Two times in nanoseconds."

[action]
names = ["WAIT", "GO"]
dtype = "int32"

[fields.deadline]
base = "int"
source = "observation"
index = [0]
low = 0
high = {high}
default = 0
unit = "ns"
says = "when to go"

[fields.now]
base = "int"
source = "observation"
index = [1]
low = 0
high = {high}
default = 0
unit = "ns"
says = "the time"
"""
CLOCK_POLICY = """policy late for "{module}:Clock" {{
  observe deadline, now

  act {{
    when now > deadline => GO
    otherwise           => WAIT
  }}

  invariant goes: now > deadline implies action == GO
  monitor later: now > deadline
}}
"""


def clock(folder, module: str, first: int, high: int, dtype: str = "np.int64") -> str:
    text = CLOCK.replace("FIRST", str(first)).replace("TYPE", dtype)
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    (folder / "cards").mkdir(exist_ok=True)
    (folder / "cards" / f"{module}@Clock.toml").write_text(
        CLOCK_CARD.format(module=module, high=high), encoding="utf-8"
    )
    (folder / "late.hl").write_text(CLOCK_POLICY.format(module=module), encoding="utf-8")
    return module


def test_int_range_of_a_card_beyond_the_exact_ints_is_refused_by_every_command(hl, folder):
    module = clock(folder, "clock_wide", 2**60, 2 * 10**18)
    for command in ("verify", "eval", "check", "export"):
        result = hl(command, "late.hl")
        assert (
            result.code == 2
            and "±2^53" in result.err + result.out
            and "`deadline`" in result.err + result.out
            and "coarser unit" in result.err + result.out
        ), result
    (folder / "cards" / f"{module}@Clock.toml").unlink()
    assert_refused(hl("env", f"{module}:Clock", "--save"), "±2^53", "`obs`", "coarser unit")
    assert not list((folder / "cards").iterdir())


@pytest.mark.parametrize("module, first, dtype, returned, beyond", [
    ("clock_exact", 2**52, "np.int64", 3, 0),
    ("clock_end", 2**53, "np.int64", 0, 3),  # the later time is clamped to the deadline, and counted each tick
    ("clock_end_unsigned", 2**53, "np.uint64", 0, 3),
    ("clock_beyond", 2**63, "np.uint64", 0, 6),  # a cast to the int64 of the space would wrap
])  # fmt: skip
def test_int64_observation_is_clamped_and_counted_exactly(hl, folder, module, first, dtype, returned, beyond):
    clock(folder, module, first, 2**53, dtype)
    result = hl("eval", "late.hl", "--seeds", "0..0", "--json")
    assert result.code in (0, 1), result
    document = result.document
    assert document["mean"] == returned and document["out_of_range"] == beyond, document


def test_probe_measures_ints_up_to_the_last_exact_one(hl, folder):
    module = clock(folder, "clock_probed", 2**53 - 1, 2**53)
    (folder / "cards" / f"{module}@Clock.toml").unlink()
    assert hl("env", f"{module}:Clock", "--save").code == 0
    assert f"high = {2**53}" in (folder / "cards" / f"{module}@Clock.toml").read_text()
