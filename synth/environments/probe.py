"""Probe of an environment: measures its observations and rewards by a short random run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card, CardResolver, UnknownEnvironment
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.generated_card import generate_card, measured_card
from hl_dsl.synth.environments.simulator_pool import SimulatorPool

_LANES = 4
_CHANGE_PROBABILITY = 0.1  # of a held action, at each step


@dataclass(frozen=True)
class ColumnStatistics:
    """One column of the memory or of the observation: its range, and the share of steps on which it changed."""

    column: int
    low: float
    high: float
    changes: float


@dataclass(frozen=True)
class Probe:
    """Result of `probe`.

    Attributes:
        environment: The id.
        card: Its card.
        carded: Whether the card existed; False where the probe generated it.
        protocol: The protocol of the random run.
        env_steps: Environment steps taken.
        episodes: Number of episodes that ended.
        lengths: Their numbers of steps.
        returns: Their returns.
        reward_low: The least reward of one step.
        reward_high: The largest reward of one step.
        rewarded: Share of steps with a reward other than 0.
        lives: Lives at the start and the least number of lives, None where there are none.
        source: The input source that was measured, "ram" or "observation".
        columns: Its columns.
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
        """The columns that were not constant, by decreasing share of changes."""
        return tuple(sorted((seen for seen in self.columns if seen.low < seen.high), key=lambda seen: -seen.changes))

    def to_json(self) -> dict[str, Any]:
        """All fields, as plain values."""
        return asdict(self)


def probe(
    environment: str,
    steps: int = 2000,
    seed: int = 0,
    simulators: SimulatorPool | None = None,
    cards: CardResolver | None = None,
) -> Probe:
    """Plays at random under the environment's first protocol, and measures what it shows.

    An environment without a card is given one, with ranges from the simulator's own description where it states them,
    and measured ranges elsewhere.

    Args:
        environment: The id.
        steps: Environment steps that are taken at most.
        seed: Seed of the first episode and of the actions; later episodes have `seed + 1`, `seed + 2`, ….
        simulators: Opens the simulator and counts the steps, by default for this probe alone.
        cards: Where the environment's card is looked for, by default in the user's card folders.

    Raises:
        HLError: There is no such environment, or no policy can use its actions or observations.
    """
    if steps < 1:
        raise HLError(f"a probe of {steps} steps sees nothing", "give it a few hundred steps or more")
    simulators = simulators or SimulatorPool()
    try:
        card, carded = (cards or CardResolver.of_user()).load(environment), True
    except UnknownEnvironment:
        card, carded = generate_card(simulators.spec(environment)), False
    lanes = min(_LANES, steps)
    statistics, spent = _ProbeStatistics(card), 0
    actions = RandomActions(card, lanes, seed)
    while spent + lanes <= steps:
        environments = Environments(card, card.protocols[0], range(seed, seed + lanes), simulators=simulators)
        try:
            frame = environments.reset()
            statistics.start(frame)
            while len(frame.lanes) and spent + environments.steps + len(frame.lanes) <= steps:
                frame = environments.step(actions.of(frame.lanes))
                statistics.add(frame)
                if frame.ended:
                    frame = frame.alive()
        finally:
            environments.close()
        spent += environments.steps
        seed += lanes
    measured = statistics.summary()
    if not carded:
        card = measured_card(card, measured["columns"], measured["reward_low"], measured["reward_high"], spent)
    return Probe(
        environment=environment, card=card, carded=carded, protocol=card.protocols[0], env_steps=spent, **measured
    )


class RandomActions:
    """Random actions.

    Where they are numbers, every second lane holds extreme ones for about ten steps: actions that change at every step
    average out, and show little of what a policy can reach.
    """

    def __init__(self, card: Card, lanes: int, seed: int):
        self._action, self._random = card.action, np.random.default_rng(seed)
        self._held = np.zeros((lanes, 0)) if card.action.is_discrete else self._extremes(lanes)

    def of(self, lanes: np.ndarray) -> np.ndarray:
        """The next actions of `lanes`, (k,) int32."""
        action, random = self._action, self._random
        if action.names is not None:
            return random.integers(0, len(action.names), len(lanes)).astype(action.dtype)
        numbers = random.uniform(action.low, action.high, (len(lanes), action.size))
        changing = random.random(self._held.shape) < _CHANGE_PROBABILITY
        self._held = np.where(changing, self._extremes(len(self._held)), self._held)
        holding = lanes % 2 == 1
        numbers[holding] = self._held[lanes[holding]]
        return numbers.astype(action.dtype)

    def _extremes(self, lanes: int) -> np.ndarray:
        action = self._action
        return np.where(self._random.integers(0, 2, (lanes, action.size)), action.high, action.low)


class _ProbeStatistics:
    def __init__(self, card: Card):
        self._source = "ram" if card.has_ram else "observation"
        self._rewards: list[np.ndarray] = []
        self._lengths: list[int] = []
        self._returns: list[float] = []
        self._lives: tuple[int, int] | None = None
        self._low = self._high = np.zeros(0)  # of each column, once a frame was seen
        self._changes: Any = 0
        self._compared = 0

    def start(self, frame: Frame) -> None:
        values = self._values(frame)
        self._last = values.copy()
        self._sums = np.zeros(len(frame.lanes))
        if not self._low.size:
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
            least = int(frame.lives.min())
            first, before = self._lives or (least, least)
            self._lives = (first, min(before, least))
        for row in np.flatnonzero(frame.done):
            self._lengths.append(int(frame.step[row]))
            self._returns.append(float(self._sums[frame.lanes[row]]))

    def _values(self, frame: Frame) -> np.ndarray:
        return getattr(frame, self._source)

    def summary(self) -> dict[str, Any]:
        """The measured fields of a `Probe`."""
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
                for column, (low, high, changes) in enumerate(zip(self._low, self._high, share, strict=True))
            ),
        }
