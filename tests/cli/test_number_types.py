"""Number types of users' own environments: the cases float16_actions and int64_clock, through the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import refused

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
HALF_CARD = '''
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
'''
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
    (folder / "cards" / f"{module}@Half.toml").write_text(HALF_CARD.format(module=module, dtype=dtype), encoding="utf-8")
    (folder / "push.hl").write_text(HALF_POLICY.format(module=module, limit=limit), encoding="utf-8")
    return module


@pytest.mark.parametrize("limit", [0.7001, 0.7002])
@pytest.mark.parametrize("dtype", ["float16", "longdouble"])
def test_action_type_without_an_exact_cast_is_refused_by_every_command(hl, folder, dtype, limit):
    module = half(folder, dtype, limit)
    for command in (["verify"], ["eval", "--check", "--json"], ["check"], ["export"]):
        ended = hl(command[0], "push.hl", *command[1:])
        assert ended.code == 2 and "must be float32 or float64" in ended.err + ended.out and "wrap the environment" in ended.err + ended.out, ended
    (folder / "cards" / f"{module}@Half.toml").unlink()
    refused(hl("env", f"{module}:Half", "--save"), "a policy here acts in float32 or float64", "wrap it")


@pytest.mark.parametrize("dtype, limit, code", [("float32", 0.7001, 1), ("float32", 0.70010001, 0), ("float64", 0.7001, 0), ("float64", 0.7, 1)])
def test_proof_is_about_the_action_after_the_cast(hl, folder, dtype, limit, code):
    half(folder, dtype, limit)
    assert hl("verify", "push.hl").code == code
