"""The episode cache returns the episode that the simulator would give."""

from contextlib import suppress
from random import Random

import numpy as np

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.cards import load_card
from hl_dsl.program import Program
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.synth.rollouts.candidate_batch import play
from hl_dsl.synth.rollouts.episode_cache import EpisodeCache
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.resources import Resources
from tests.support.step_counter import steps_taken

CARD = load_card("CartPole-v1")
PARENT = Program.parse("""
policy lean for "CartPole-v1" {
  observe pole.angle, pole.velocity, step
  memory turns: int in [0, 9] = 0 { next = if pole.velocity > 0 then min(turns + 1, 9) else 0 }
  act { when pole.angle + 0.3 * pole.velocity > 0 => RIGHT  when turns > 7 => RIGHT  otherwise => LEFT }
}
""")


def candidates(count):
    subject, found = Subject(PARENT), [PARENT]
    for number in range(count):
        mutant = mutate(subject, Random(number))
        with suppress(ProgramError):
            found.append(Program.from_syntax(mutant.policy, card=CARD))
    return [CheckedCandidate(program, program.hash) for program in found]


def played(programs, seeds, curve=lambda seed: None):
    return play(
        [one.flow for one in programs],
        CARD,
        EpisodeSettings("standard", seeds),
        resources=Resources(),
        hooks=ExecutionHooks(),
        curves={seed: curve(seed) for seed in seeds},
    ).episodes


def test_cached_episode_equals_the_simulated_one():
    seeds = (0, 3)
    every = candidates(60)
    recall = EpisodeCache()
    results, recalled = {}, 0
    for number, (candidate, episodes) in enumerate(zip(every, played(every, seeds))):
        for episode in episodes:
            before = steps_taken()
            name = recall.find(candidate.flow, episode.seed)
            assert steps_taken() == before, "a cache hit takes no step"
            if name is not None:
                recalled += 1
                assert results[name, episode.seed] == (episode.value, episode.length, episode.digest)
            else:
                known = [other for (_, seed), other in results.items() if seed == episode.seed]
                assert (episode.value, episode.length, episode.digest) not in known, (
                    "a known episode was not recognised"
                )
            results[number, episode.seed] = (episode.value, episode.length, episode.digest)
            recall.add(episode.seed, number, episode.recording)
    assert 20 < recalled < 2 * len(every) - 20


def test_recording_holds_the_shown_ticks():
    [[episode]] = played([CheckedCandidate(PARENT, "")], (5,))
    recording = episode.recording
    assert len(recording) == episode.length and recording.shown["step"].tolist() == list(range(episode.length))
    assert recording.shown["reward"].sum() == episode.value - 1, (
        "the last reward is shown at the end, which is not a tick"
    )


def test_lanes_do_not_depend_on_each_other():
    every = candidates(10)
    together = played(every, (0, 1))
    for place in (0, 4, 9):
        [alone] = played([every[place]], (0, 1))
        for one, other in zip(alone, together[place]):
            assert (one.value, one.length, one.status, one.digest) == (
                other.value,
                other.length,
                other.status,
                other.digest,
            )


def test_lane_far_behind_is_pruned_at_a_multiple_of_256_steps():
    every = candidates(0)
    curve = np.full(300, 3000.0)  # far ahead of what one point a tick can give
    [[episode]] = played(every, (0,), curve=lambda seed: curve)
    assert (episode.status, episode.length) == (EpisodeStatus.PRUNED, 256)
    [[episode]] = played(every, (0,), curve=lambda seed: np.arange(1.0, 501.0))
    assert episode.status == EpisodeStatus.FINISHED


def test_episode_without_reward_is_truncated():
    pendulum = load_card("MountainCar-v0")
    idle = Program.parse(
        'policy idle for "MountainCar-v0" { act { otherwise => NONE } }'.replace("NONE", pendulum.action.names[1])
    )
    [[whole]] = play(
        [idle.flow],
        pendulum,
        EpisodeSettings("standard", (0,), no_reward_steps=20),
        resources=Resources(),
        hooks=ExecutionHooks(),
    ).episodes
    assert whole.length == 200, "a reward of -1 is a reward: no truncation"
    breakout = load_card("Breakout-v5")
    still = Program.parse('policy still for "Breakout-v5" { act { otherwise => NOOP } }')
    [[truncated]] = play(
        [still.flow],
        breakout,
        EpisodeSettings("deterministic", (0,), no_reward_steps=150),
        resources=Resources(),
        hooks=ExecutionHooks(),
    ).episodes
    assert (truncated.length, truncated.value, truncated.status) == (150, 0.0, EpisodeStatus.FINISHED)
