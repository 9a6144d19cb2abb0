"""A probe: what a policy can observe and do in an environment, measured by a short random run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.generated_card import measured_card, sketch_card

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card, UnknownEnvironment, load_card

_LANES = 4
_LET_GO = 0.1  # how often a held action is drawn anew


@dataclass(frozen=True)
class ColumnStatistics:
    """One column of the memory or of the observation: its extremes, and the share of steps on which it changed."""

    column: int
    low: float
    high: float
    changes: float


@dataclass(frozen=True)
class Probe:
    """What `probe` found. `columns` are of `source`, "ram" or "observation". `lives` is (at the start, least), or None.

    `carded` is False where the card was made by this probe. `env_steps` is what it cost.
    """

    environment: str
    card: Card
    carded: bool
    protocol: str
    env_steps: int
    episodes: int
    lengths: tuple[int, ...]
    returns: tuple[float, ...]
    reward_low: float
    reward_high: float
    rewarded: float
    lives: tuple[int, int] | None
    source: str
    columns: tuple[ColumnStatistics, ...]

    @property
    def changing(self) -> tuple[ColumnStatistics, ...]:
        """The columns that were not constant, the busiest first."""
        return tuple(sorted((seen for seen in self.columns if seen.low < seen.high), key=lambda seen: -seen.changes))

    def to_json(self) -> dict[str, Any]:
        """Everything found, as plain values."""
        return asdict(self)


def probe(environment: str, steps: int = 2000, seed: int = 0) -> Probe:
    """Plays at random for at most `steps` environment steps, from seeds `seed`, `seed + 1`, … under the usual protocol.

    An environment without a card is given one, with ranges from the simulator's own description where it states them
    and measured otherwise. Raises HLError: no such environment, or one whose actions or observations no policy can use.
    """
    if steps < 1:
        raise HLError(f"a probe of {steps} steps sees nothing", "give it a few hundred steps or more")
    try:
        card, carded = load_card(environment), True
    except UnknownEnvironment:
        card, carded = sketch_card(environment), False
    lanes = min(_LANES, steps)
    tally, spent = _ProbeStatistics(card), 0
    actions = _Actions(card, lanes, seed)
    while spent + lanes <= steps:
        lanes_of_round = Environments(card, card.protocols[0], range(seed, seed + lanes))
        try:
            frame = lanes_of_round.reset()
            tally.start(frame)
            while len(frame.lanes) and spent + lanes_of_round.steps + len(frame.lanes) <= steps:
                frame = lanes_of_round.step(actions.of(frame.lanes))
                tally.add(frame)
                if frame.ended:
                    frame = frame.alive()
        finally:
            lanes_of_round.close()
        spent += lanes_of_round.steps
        seed += lanes
    found = tally.found()
    if not carded:
        card = measured_card(card, found["columns"], found["reward_low"], found["reward_high"], spent)
    return Probe(
        environment=environment, card=card, carded=carded, protocol=card.protocols[0], env_steps=spent, **found
    )


class _Actions:
    """Random actions. Where they are numbers, every second lane holds the strongest ones either way for a while: what
    changes at every step averages out, and shows little of what a policy can reach."""

    def __init__(self, card: Card, lanes: int, seed: int):
        self._action, self._choose = card.action, np.random.default_rng(seed)
        self._held = None if card.action.names is not None else self._strongest(lanes)

    def of(self, lanes: np.ndarray) -> np.ndarray:
        action, choose = self._action, self._choose
        if action.names is not None:
            return choose.integers(0, len(action.names), len(lanes)).astype(action.dtype)
        numbers = choose.uniform(action.low, action.high, (len(lanes), action.size))
        again = choose.random(self._held.shape) < _LET_GO
        self._held = np.where(again, self._strongest(len(self._held)), self._held)
        holding = lanes % 2 == 1
        numbers[holding] = self._held[lanes[holding]]
        return numbers.astype(action.dtype)

    def _strongest(self, lanes: int) -> np.ndarray:
        action = self._action
        return np.where(self._choose.integers(0, 2, (lanes, action.size)), action.high, action.low)


class _ProbeStatistics:
    def __init__(self, card: Card):
        self._source = "ram" if "ram" in card.fields else "observation"
        self._rewards: list[np.ndarray] = []
        self._lengths: list[int] = []
        self._returns: list[float] = []
        self._lives: tuple[int, int] | None = None
        self._low: np.ndarray | None = None
        self._changes: Any = 0
        self._compared = 0

    def start(self, frame: Frame) -> None:
        values = self._values(frame)
        self._last = values.copy()
        self._sums = np.zeros(len(frame.lanes))
        if self._low is None:
            self._low, self._high = values.min(axis=0), values.max(axis=0)
        if frame.lives is not None:
            first = int(frame.lives.max())
            self._lives = (first, first if self._lives is None else min(first, self._lives[1]))

    def add(self, frame: Frame) -> None:
        values = self._values(frame)
        self._low = np.minimum(self._low, values.min(axis=0))
        self._high = np.maximum(self._high, values.max(axis=0))
        self._changes = self._changes + (values != self._last[frame.lanes]).sum(axis=0)
        self._compared += len(values)
        self._last[frame.lanes] = values
        self._sums[frame.lanes] += frame.reward
        self._rewards.append(frame.reward)
        if frame.lives is not None:
            self._lives = (self._lives[0], min(self._lives[1], int(frame.lives.min())))
        for row in np.flatnonzero(frame.done):
            self._lengths.append(int(frame.step[row]))
            self._returns.append(float(self._sums[frame.lanes[row]]))

    def _values(self, frame: Frame) -> np.ndarray:
        return frame.ram if self._source == "ram" else frame.observation

    def found(self) -> dict[str, Any]:
        rewards = np.concatenate(self._rewards)
        share = self._changes / self._compared
        return {
            "episodes": len(self._lengths),
            "lengths": tuple(self._lengths),
            "returns": tuple(self._returns),
            "reward_low": float(rewards.min()),
            "reward_high": float(rewards.max()),
            "rewarded": float(np.mean(rewards != 0)),
            "lives": self._lives,
            "source": self._source,
            "columns": tuple(
                ColumnStatistics(column, low.item(), high.item(), float(changes))
                for column, (low, high, changes) in enumerate(zip(self._low, self._high, share))
            ),
        }
