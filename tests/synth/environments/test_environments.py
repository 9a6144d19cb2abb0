"""`Environments` on the real EnvPool: lanes, seeds, step counts, protocols and the check of cards."""

import envpool
import numpy as np
import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.cards import known_environments, load_card
from hl_dsl.cards.reader import parse_card
from hl_dsl.cards.writer import card_text
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.environments.protocols import ATARI_PROTOCOLS, protocol_options
from hl_dsl.synth.environments.simulator_pool import SimulatorPool

CARTPOLE, BREAKOUT = load_card("CartPole-v1"), load_card("Breakout-v5")
RIGHT = 1


def play(card, protocol, seeds, actions, **options):
    """The frames of `actions` (steps, lanes); the actions of a lane are skipped once it is done."""
    lanes = Environments(card, protocol, seeds, **options)
    frames = [lanes.reset()]
    for row in actions:
        alive = frames[-1].alive() if frames[-1].ended else frames[-1]
        if not len(alive.lanes):
            break
        frames.append(lanes.step(np.ascontiguousarray(row[alive.lanes])))
    lanes.close()
    return frames, lanes


def shown(frame, row):
    state = frame.observation if frame.ram is None else frame.ram
    return state[row].tobytes(), float(frame.reward[row]), int(frame.step[row]), bool(frame.done[row])


def test_a_lane_does_not_depend_on_lanes_that_end():
    actions = np.random.default_rng(3).integers(0, 2, (200, 8)).astype(np.int32)
    together, lanes = play(CARTPOLE, "standard", range(8), actions, num_threads=2)
    lengths = set()
    for lane in range(8):
        alone, _ = play(CARTPOLE, "standard", [lane], actions[:, lane : lane + 1], num_threads=1)
        mine = [(frame, np.flatnonzero(frame.lanes == lane)) for frame in together]
        mine = [shown(frame, row[0]) for frame, row in mine if len(row)]
        assert mine == [shown(frame, 0) for frame in alone]
        assert mine[-1][-1] and not any(done for *_, done in mine[:-1])
        lengths.add(len(alone) - 1)
    assert len(lengths) > 3, "the lanes must end at different times for this to mean anything"
    assert lanes.steps == sum(len(frame.lanes) for frame in together[1:])


def test_a_breakout_lane_does_not_depend_on_lanes_that_are_not_kept():
    actions = np.random.default_rng(0).integers(0, 4, (120, 3)).astype(np.int32)
    lanes = Environments(BREAKOUT, "sticky", [5, 6, 7])
    frame = lanes.reset()
    seen = []
    for row in actions:
        if len(seen) == 40:
            lanes.keep(np.array([2], np.int32))
        frame = lanes.step(np.ascontiguousarray(row if len(seen) < 40 else row[2:]))
        seen.append(shown(frame, -1) + (frame.observation[-1].tobytes(),))
    lanes.close()
    assert lanes.steps == 40 * 3 + 80
    alone, _ = play(BREAKOUT, "sticky", [7], actions[:, 2:])
    assert seen == [shown(frame, 0) + (frame.observation[0].tobytes(),) for frame in alone[1:]]


def test_every_step_of_every_lane_is_counted_once():
    simulators = SimulatorPool()
    frames, lanes = play(BREAKOUT, "deterministic", [0, 1], np.zeros((25, 2), np.int32), simulators=simulators)
    assert lanes.steps == 50 == simulators.steps_taken
    simulators.count(7)
    assert simulators.steps_taken == 57
    assert [int(frame.step[0]) for frame in frames] == list(range(26))
    assert not frames[0].reward.any() and not frames[0].done.any()


def test_a_step_limit_is_a_truncation():
    frames, _ = play(BREAKOUT, "noop", [0, 1], np.zeros((50, 2), np.int32), max_steps=7)
    assert len(frames) == 8 and frames[-1].ended
    assert frames[-1].done.all() and frames[-1].truncated.all() and not frames[-2].done.any()
    frames, _ = play(CARTPOLE, "standard", [0], np.full((50, 1), RIGHT, np.int32))
    assert frames[-1].done.all() and not frames[-1].truncated.any() and len(frames) < 20


@pytest.mark.parametrize("protocol", BREAKOUT.protocols)
def test_a_second_reset_starts_the_same_episodes(protocol):
    lanes = Environments(BREAKOUT, protocol, [1, 2])
    actions = np.random.default_rng(1).integers(0, 4, (60, 2)).astype(np.int32)
    runs = []
    for _ in range(2):
        frames = [lanes.reset()] + [lanes.step(row) for row in actions]
        runs.append([shown(frame, row) for frame in frames for row in (0, 1)])
    lanes.close()
    assert runs[0] == runs[1]


@pytest.mark.parametrize("game", ["Breakout-v5", "Pong-v5", "MontezumaRevenge-v5"])
def test_an_idle_pool_serves_again_with_the_same_episodes(game):
    card, simulators = load_card(game), SimulatorPool()
    actions = np.random.default_rng(2).integers(0, 4, (300, 3)).astype(np.int32)

    def first_two_lanes(simulators):
        frames, _ = play(card, "deterministic", [3, 4], actions[:, :2], simulators=simulators)
        return [shown(frame, row) for frame in frames for row in range(len(frame.lanes))]

    fresh = first_two_lanes(SimulatorPool())
    play(card, "deterministic", [3, 4, 5], actions[::-1], simulators=simulators)
    idle = simulators.idle.of("envpool")
    (first,) = idle
    assert first.seeds == (3, 4, 5)
    assert first_two_lanes(simulators) == fresh
    assert [entry.pool for entry in idle] == [first.pool], "the idle pool must have served"
    play(card, "deterministic", [3], actions[:5, :1], simulators=simulators)
    assert len(idle) == 2, "a pool three times as wide as needed must not serve"
    simulators.close()
    assert not simulators.idle.of("envpool")


def test_a_pool_does_not_serve_again_where_episodes_depend_on_the_seed():
    simulators = SimulatorPool()
    play(BREAKOUT, "noop", [0], np.zeros((3, 1), np.int32), simulators=simulators)
    play(CARTPOLE, "standard", [0], np.zeros((3, 1), np.int32), simulators=simulators)
    assert not simulators.idle.of("envpool")


def test_two_simulator_pools_share_nothing():
    first, second = SimulatorPool(), SimulatorPool()
    play(BREAKOUT, "deterministic", [0], np.zeros((4, 1), np.int32), simulators=first)
    assert (first.steps_taken, second.steps_taken) == (4, 0)
    assert len(first.idle.of("envpool")) == 1 and not second.idle.of("envpool")


@pytest.mark.parametrize("protocol", ATARI_PROTOCOLS)
def test_an_atari_protocol_states_every_option(protocol):
    settings = SimulatorPool().spec("Breakout-v5").settings
    assert set(protocol_options(BREAKOUT, protocol)) == set(settings) - {"task"}
    lanes = Environments(BREAKOUT, protocol, [0])
    assert lanes.options.items() >= protocol_options(BREAKOUT, protocol).items()
    assert lanes.options["max_episode_steps"] == 108000 and lanes.options["use_fire_reset"] is True
    assert lanes.options["simulator"] == f"envpool {envpool.__version__}"


def test_only_the_deterministic_protocol_has_one_start():
    def starts(protocol):
        frame = Environments(BREAKOUT, protocol, range(6)).reset()
        return {row.tobytes() for row in frame.ram}

    assert len(starts("deterministic")) == 1
    assert len(starts("noop")) > 1


def test_a_game_shows_native_pixels_and_memory():
    frame = Environments(BREAKOUT, "deterministic", [0]).reset()
    assert frame.observation.shape == (1, 3, 210, 160) and frame.observation.dtype == np.uint8
    assert frame.ram.shape == (1, 128) and frame.lives.tolist() == [5]


@pytest.mark.parametrize(
    "environment",
    ["CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1", "Pendulum-v1", "LunarLander-v3"],
)
@pytest.mark.parametrize("style", ["random", "held"])
def test_observations_stay_in_the_ranges_of_the_card(environment, style):
    card = load_card(environment)
    whole, reward = card.fields["obs"], card.fields["reward"]
    choose = np.random.default_rng(0)
    lanes = Environments(card, card.protocols[0], range(8))
    frame = lanes.reset()
    for tick in range(500):
        alive = frame.alive()
        if not len(alive.lanes):
            break
        assert (alive.observation >= whole.low).all() and (alive.observation <= whole.high).all()
        assert (frame.reward >= reward.low[0]).all() and (frame.reward <= reward.high[0]).all()
        assert (alive.step <= card.fields["step"].high[0]).all()
        shape = card.action.shape(len(alive.lanes))
        if card.action.names is not None:
            held = (alive.lanes + tick // 20) % len(card.action.names)
            actions = held if style == "held" else choose.integers(0, len(card.action.names), shape)
        else:
            # In the direction of the motion: the velocity is always the last named observation.
            push = np.sign(alive.observation[:, -1:]) * card.action.high[0]
            actions = push if style == "held" else choose.uniform(card.action.low, card.action.high, shape)
        frame = lanes.step(actions.astype(card.action.dtype))
    lanes.close()


def test_an_atari_card_names_as_many_actions_as_the_game_has():
    games = [name for name in known_environments() if load_card(name).has_ram][::13]
    counts = {game: len(load_card(game).action.names) for game in games}
    assert len(set(counts.values())) > 2
    assert counts == {game: int(SimulatorPool().spec(game).action.maximum) + 1 for game in games}


def test_invalid_evaluation_settings_are_errors():
    with pytest.raises(HLError, match="`CartPole-v1` has no protocol `sticky`") as caught:
        Environments(CARTPOLE, "sticky", [0])
    assert "standard" in caught.value.hint
    with pytest.raises(HLError) as caught:
        Environments(BREAKOUT, "stickey", [0])
    assert all(name in caught.value.hint for name in BREAKOUT.protocols)
    for seeds, message in [([], "at least one seed"), ([-1], "seed -1"), ([2**31], "seed 2147483648")]:
        with pytest.raises(HLError, match=message):
            Environments(CARTPOLE, "standard", seeds)
    with pytest.raises(HLError, match="at most 0 steps"):
        Environments(CARTPOLE, "standard", [0], max_steps=0)


def changed(card, old, new):
    text = card_text(card)
    assert old in text
    return parse_card(text.replace(old, new), "mine.toml")


def test_a_card_that_contradicts_the_simulator_is_an_error():
    with pytest.raises(
        HLError, match=r"mine.toml\) does not fit in `names` of \[action\]: the simulator has 2 actions, not 3"
    ):
        Environments(changed(CARTPOLE, '"RIGHT"', '"RIGHT", "UP"'), "standard", [0])
    with pytest.raises(HLError, match="takes int32 actions"):
        Environments(changed(CARTPOLE, '"int32"', '"int64"'), "standard", [0])
    pendulum = load_card("Pendulum-v1")
    with pytest.raises(HLError, match=r"takes actions of shape \[1\], not \[2\]"):
        Environments(changed(pendulum, "low = [-2.0]\nhigh = [2.0]", "low = [-2, -2]\nhigh = [2, 2]"), "standard", [0])
    with pytest.raises(HLError, match=r"`high` of \[action\]: the simulator takes component 0 up to 2, not 2.5"):
        Environments(changed(pendulum, "high = [2.0]", "high = [2.5]"), "standard", [0])
    Environments(
        changed(pendulum, "high = [2.0]", "high = [1.5]"), "standard", [0]
    )  # a narrower range than the simulator's is allowed
    with pytest.raises(
        HLError, match=r"`index` of \[fields.pole.velocity\]: the simulator shows 4 numbers as observation, not the 5"
    ):
        Environments(changed(CARTPOLE, "index = [3]", "index = [4]"), "standard", [0])
    with pytest.raises(HLError, match=r"`has_pixels` of \[capabilities\]: the simulator shows no pixels"):
        Environments(changed(CARTPOLE, "[capabilities]\n", "[capabilities]\nhas_pixels = true\n"), "standard", [0])
    with pytest.raises(HLError, match="EnvPool has no environment `CartPoll-v1`") as caught:
        Environments(changed(CARTPOLE, 'environment = "CartPole-v1"', 'environment = "CartPoll-v1"'), "standard", [0])
    assert "CartPole-v1" in caught.value.hint


def test_actions_of_another_type_or_shape_are_not_sent_to_the_simulator():
    lanes = Environments(CARTPOLE, "standard", [0, 1])
    lanes.reset()
    for actions in (np.zeros(2), np.zeros(3, np.int32), np.zeros((2, 1), np.int32), np.zeros(4, np.int32)[::2]):
        with pytest.raises(ValueError):
            lanes.step(actions)
    assert lanes.steps == 0
    lanes.close()
