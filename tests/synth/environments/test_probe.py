"""Probes and films: what a short random run finds, and what a card made from it is good for."""

import imageio_ffmpeg
import numpy as np
import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.cards import load_card
from hl_dsl.cards.writer import write_card
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.environments.probe import RandomActions, probe
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from hl_dsl.synth.rollouts.video import Video, needs_render
from tests.support.step_counter import steps_taken

CARTPOLE, BREAKOUT = load_card("CartPole-v1"), load_card("Breakout-v5")


def test_a_probe_of_breakout_finds_what_moves_and_says_what_it_cost():
    before = steps_taken()
    found = probe("Breakout-v5", steps=600)
    assert found.env_steps == 600 == steps_taken() - before
    assert found.carded and found.card == BREAKOUT and found.protocol == "deterministic"
    moving = {seen.column for seen in found.changing}
    assert {72, 99, 101} <= moving and len(found.columns) == 128 and len(moving) < 64
    paddle = found.columns[72]
    assert 55 <= paddle.low < paddle.high <= 191 and 0 < paddle.changes < 1
    assert found.lives[0] == 5
    assert probe("Breakout-v5", steps=600).to_json() == found.to_json()


def test_a_probe_spends_no_more_than_it_may():
    found = probe("CartPole-v1", steps=50)
    assert 0 < found.env_steps <= 50
    assert probe("CartPole-v1", steps=1).env_steps == 1
    with pytest.raises(HLError):
        probe("CartPole-v1", steps=0)


def test_a_probe_counts_whole_episodes():
    found = probe("CartPole-v1", steps=400)
    assert found.episodes == len(found.lengths) == len(found.returns) > 3
    assert found.returns == tuple(float(length) for length in found.lengths)
    assert (found.reward_low, found.reward_high, found.rewarded, found.lives) == (1.0, 1.0, 1.0, None)
    assert sum(found.lengths) <= found.env_steps


@pytest.mark.parametrize(
    "environment, base, size",
    [("CheetahRun-v1", "real", 17), ("FrozenLake-v1", "int", None), ("HumanoidStandup-v5", "real", 348)],
)
def test_an_environment_without_a_card_gets_one_that_runs(environment, base, size, scripted, tmp_path, monkeypatch):
    found = probe(environment, steps=300)
    assert not found.carded
    whole = found.card.fields["obs"]
    assert (whole.base, whole.size) == (base, size)
    for seen, low, high in zip(found.columns, whole.low, whole.high):
        assert low <= seen.low <= seen.high <= high
    write_card(found.card, tmp_path)
    monkeypatch.setenv("HL_CARDS", str(tmp_path))
    card = load_card(environment)
    assert (card.fields, card.action, card.max_episode_steps) == (
        found.card.fields,
        found.card.action,
        found.card.max_episode_steps,
    )
    rollout = evaluate(scripted(card), card, EpisodeSettings("standard", [0, 1], max_steps=20))
    assert rollout.complete and rollout.env_steps == sum(rollout.lengths) > 0


def test_every_second_lane_of_a_probe_holds_strong_actions():
    action = load_card("BipedalWalker-v3").action
    actions = RandomActions(load_card("BipedalWalker-v3"), 4, 0)
    seen = np.array([actions.of(np.arange(4)) for _ in range(200)])
    assert seen.dtype == action.dtype and set(np.unique(seen[:, 1::2])) == {-1.0, 1.0}
    assert np.all(np.abs(seen[:, ::2]) < 1) and len(np.unique(seen[:, ::2])) > 1000
    let_go = np.mean(seen[1:, 1::2] != seen[:-1, 1::2])
    assert 0.02 < let_go < 0.1
    assert actions.of(np.array([3])).shape == (1, 4)


def test_limits_of_a_probe_are_reported():
    with pytest.raises(HLError, match="EnvPool has no environment `Brekout-v5`") as caught:
        probe("Brekout-v5")
    assert "Breakout-v5" in caught.value.hint
    with pytest.raises(HLError, match="shows 27648 numbers"):
        probe("CarRacing-v3")


@pytest.mark.parametrize(
    "card, protocol, size", [(BREAKOUT, "deterministic", (480, 630)), (CARTPOLE, "standard", (600, 400))]
)
def test_a_film_shows_every_tick_of_the_first_seed(card, protocol, size, scripted, tmp_path):
    path = tmp_path / "out.mp4"
    film = Video(path, card)
    rollout = evaluate(
        scripted(card),
        card,
        EpisodeSettings(protocol, [3, 4, 5], max_steps=25),
        resources=Resources(num_envs=2),
        callbacks=RolloutCallbacks(on_tick=film, render=needs_render(card)),
    )
    film.close()
    plain = evaluate(
        scripted(card), card, EpisodeSettings(protocol, [3, 4, 5], max_steps=25), resources=Resources(num_envs=2)
    )
    assert plain.digests == rollout.digests
    assert film.frames == rollout.lengths[0] + 1
    pictures = imageio_ffmpeg.read_frames(str(path))
    assert tuple(next(pictures)["size"]) == size
    shown = [np.frombuffer(picture, np.uint8) for picture in pictures]
    assert len(shown) == film.frames and all(picture.std() > 0 for picture in shown)


def test_a_video_that_cannot_be_written_is_reported_and_loses_no_result(scripted, tmp_path, monkeypatch):
    with pytest.raises(HLError, match="MP4"):
        Video(tmp_path / "out.avi", CARTPOLE)
    with pytest.raises(HLError, match="cannot write the video"):
        Video(tmp_path / "missing" / "out.mp4", CARTPOLE)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    film = Video(tmp_path / "out.mp4", BREAKOUT)
    rollout = evaluate(
        scripted(BREAKOUT),
        BREAKOUT,
        EpisodeSettings("deterministic", [0], max_steps=30),
        callbacks=RolloutCallbacks(on_tick=film),
    )
    assert rollout.complete and rollout.lengths == (30,)
    with pytest.raises(HLError, match="cannot write the video"):
        film.close()
