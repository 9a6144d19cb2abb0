import numpy as np
import pytest

from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.compiler.controller import Controller
from tests.support.session_executor import session_executor, studies_share_a_worker  # noqa: F401
from tests.support.study_runs import LEAN


class Scripted(Controller):
    """Acts on a digest of what its row shows and of how often that lane has acted, so any mix-up of lanes shows.

    Counts a violation of its one assumption on every tick of odd digest, and one observation out of range per tick.
    """

    def __init__(self, card):
        self.action = card.action
        self.ticks = []

    def reset(self, num_lanes):
        self.memory = np.zeros(num_lanes, np.int64)
        self.out_of_range = np.zeros(num_lanes, np.int64)
        self.assumption_violations = np.zeros((num_lanes, 1), np.int64)
        self.monitor_violations = np.zeros((num_lanes, 0), np.int64)

    def counts(self):
        return EpisodeCounts.rows(self.out_of_range, self.assumption_violations, self.monitor_violations)

    def digest(self, frame):
        shown = frame.observation if frame.ram is None else frame.ram
        bits = np.ascontiguousarray(shown).view(np.uint8).reshape(len(shown), -1).astype(np.int64)
        weights = np.arange(1, bits.shape[1] + 1)
        return (bits * weights).sum(axis=1) + 7 * self.memory[frame.lanes] + frame.step

    def tick(self, frame):
        digest = self.digest(frame)
        self.memory[frame.lanes] += 1
        self.out_of_range[frame.lanes] += 1
        self.assumption_violations[frame.lanes, 0] += digest % 2
        self.ticks.append(len(frame.lanes))
        if self.action.names is not None:
            return (digest % len(self.action.names)).astype(self.action.dtype)
        share = (digest % 101)[:, None] / 100
        low, high = np.array(self.action.low), np.array(self.action.high)
        return np.ascontiguousarray((low + share * (high - low)).astype(self.action.dtype))


class Balancing(Scripted):
    """Holds the pole for a while: a lane's skill comes from its own digest, so lengths differ."""

    def tick(self, frame):
        clumsy = super().tick(frame)
        right = frame.observation[:, 2] + 0.1 * frame.observation[:, 3] > 0
        return np.where(self.digest(frame) % 3 == 0, clumsy, right).astype(np.int32)


@pytest.fixture
def scripted():
    return Scripted


@pytest.fixture
def balancing():
    return Balancing


@pytest.fixture
def lean(tmp_path):
    path = tmp_path / "lean.hl"
    path.write_text(LEAN)
    return path


@pytest.fixture
def leaning(lean):
    """The same with a param."""
    lean.write_text(
        LEAN.replace("  act", "  param lean: real = 0.1 in [-0.2, 0.2]\n\n  act").replace("> 0 ", "> lean ")
    )
    return lean
