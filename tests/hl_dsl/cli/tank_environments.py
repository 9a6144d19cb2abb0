"""Text of a module with user environments, which tests write to their folder, and a policy for them."""

from __future__ import annotations

from pathlib import Path

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


def write_policy(folder: Path, environment: str, text: str = HOLD) -> Path:
    """Writes `hold.hl` for the environment."""
    path = folder / "hold.hl"
    path.write_text(text.format(environment=environment), encoding="utf-8")
    return path
