"""A new simulator is one class in one file and one entry in the registry: here a corridor, made in this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.cards import Capabilities, CardResolver, Rendering
from hl_dsl.cards.writer import write_card
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.program import Program
from hl_dsl.synth.environments.backends.backend import (
    ArraySpec,
    EnvironmentBackend,
    EnvironmentSpec,
    SimulatorRequest,
)
from hl_dsl.synth.environments.backends.registry import BACKENDS
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.probe import probe
from hl_dsl.synth.environments.protocols import draws_at_random
from hl_dsl.synth.environments.simulator_pool import SimulatorPool
from hl_dsl.synth.evaluation.evaluate import evaluate_program
from hl_dsl.synth.rollouts.candidate_batch import play
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.executor import ExecutionHooks, InProcessExecutor
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.video import check_render
from hl_dsl.synth.runs.ledger import Ledger

ID = "corridor/Short-v0"
LENGTH = 5
POLICY = f"""policy walk for "{ID}" {{
  observe obs, reward

  invariant never_back: action != action_0

  act {{
    when obs < {LENGTH} => action_1
    otherwise => action_2
  }}
}}
"""


class CorridorBackend(EnvironmentBackend):
    """A corridor of cells 0 to 5. Action 1 goes right, action 2 stays. The right end gives 10 and ends the episode."""

    name = "corridor"

    @classmethod
    def owns(cls, environment: str) -> bool:
        return environment.startswith("corridor/")

    @classmethod
    def describe(cls, environment, options, folders, idle) -> EnvironmentSpec:
        if environment != ID:
            raise HLError(f"the corridor has no environment `{environment}`")
        return EnvironmentSpec(
            environment=environment,
            family="corridor",
            simulator="corridor 1",
            settings=dict(options),
            max_episode_steps=20,
            reward_threshold=10.0,
            players=1,
            action=ArraySpec((), np.dtype(np.int32), 0, 2),
            observation=(ArraySpec((), np.dtype(np.int64), 0, LENGTH),),
            widths={"reward": 1, "step": 1},
            capabilities=Capabilities(rendering=Rendering.NONE, draws_at_random=False),
        )

    def __init__(self, request: SimulatorRequest, idle: Any):
        self._cells = np.zeros(len(request.seeds), np.int64)
        self._steps = np.zeros(len(request.seeds), np.int32)
        self._max_steps = request.max_episode_steps

    def reset(self, lanes: np.ndarray) -> Frame:
        self._cells[lanes] = self._steps[lanes] = 0
        return self._frame(lanes)

    def step(self, lanes: np.ndarray, actions: np.ndarray) -> Frame:
        self._cells[lanes] = np.clip(self._cells[lanes] + np.array([-1, 1, 0])[actions], 0, LENGTH)
        self._steps[lanes] += 1
        return self._frame(lanes)

    def close(self) -> None:
        pass

    def _frame(self, lanes: np.ndarray) -> Frame:
        at_end = self._cells[lanes] == LENGTH
        truncated = ~at_end & (self._steps[lanes] >= self._max_steps)
        sources = {
            "observation": self._cells[lanes][:, None],
            "reward": np.where(at_end, 10.0, 0.0).astype(np.float32),
            "step": self._steps[lanes],
        }
        done = at_end | truncated
        return Frame(lanes, sources, done, truncated, bool(done.any()))


@pytest.fixture
def simulators() -> SimulatorPool:
    return SimulatorPool((CorridorBackend, *BACKENDS))


@pytest.fixture
def cards(simulators: SimulatorPool, tmp_path: Path) -> CardResolver:
    """A search path with the card that a probe generates."""
    write_card(probe(ID, steps=200, simulators=simulators).card, tmp_path / "cards")
    return CardResolver((tmp_path / "cards",))


def test_a_probe_generates_the_card_of_the_new_simulator(simulators, cards):
    found = probe(ID, steps=200, simulators=simulators, cards=cards)
    assert found.carded and found.env_steps > 100 and found.reward_high == 10
    assert simulators.steps_taken == 2 * found.env_steps
    card = found.card
    assert (card.family, card.max_episode_steps, card.solved) == ("corridor", 20, 10.0)
    assert (card.fields["obs"].base, card.fields["obs"].low, card.fields["obs"].high) == ("int", (0,), (LENGTH,))
    assert card.action.names == ("action_0", "action_1", "action_2")
    assert card.capabilities == Capabilities(rendering=Rendering.NONE, draws_at_random=False)
    assert not draws_at_random(card, "standard")
    with pytest.raises(HLError, match="draws no pictures"):
        check_render(card)


def test_a_program_is_checked_proved_and_evaluated_on_the_new_simulator(simulators, cards, tmp_path):
    program = Program.parse(POLICY, cards=cards)
    assert program.prove().passed
    with pytest.raises(ProgramError, match="unknown environment"):
        Program.parse(POLICY)
    ledger = Ledger(tmp_path / "trials.jsonl")
    resources = Resources(num_envs=2, executor=InProcessExecutor(simulators))
    before = simulators.steps_taken
    evaluation = evaluate_program(program, EpisodeSettings("standard", (0, 1, 2)), ledger=ledger, resources=resources)
    assert evaluation.rollout.returns == (10.0,) * 3 and evaluation.rollout.lengths == (LENGTH,) * 3
    assert evaluation.rollout.env_steps == simulators.steps_taken - before == 3 * LENGTH
    assert evaluation.rollout.options["simulator"] == "corridor 1"
    assert ledger.read()[0]["environment"] == ID


@pytest.mark.parametrize("backend", ["tape", "numpy", "interpreter"])
def test_every_back_end_of_the_compiler_plays_the_new_simulator(simulators, cards, backend):
    policy = Program.parse(POLICY, cards=cards).compile(backend=backend)
    environments = Environments(cards.load(ID), "standard", [0, 1], simulators=simulators)
    policy.reset(2)
    frame = environments.reset()
    while len(frame.lanes):
        frame = environments.step(policy.tick(frame)).alive()
    assert environments.steps == 2 * LENGTH


def test_episodes_of_the_new_simulator_are_recorded(simulators, cards):
    program = Program.parse(POLICY, cards=cards)
    ((episode,),) = play(
        [program.flow],
        program.card,
        EpisodeSettings("standard", (0,)),
        resources=Resources(executor=InProcessExecutor(simulators)),
        hooks=ExecutionHooks(),
    ).episodes
    assert episode.status is EpisodeStatus.FINISHED and episode.value == 10
    assert sorted(episode.recording.shown) == ["observation", "reward", "step"]
    assert episode.recording.shown["observation"].ravel().tolist() == [0, 1, 2, 3, 4]
    assert episode.recording.actions.tolist() == [1] * LENGTH
