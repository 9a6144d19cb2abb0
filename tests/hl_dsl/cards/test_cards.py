"""Cards say what a policy can observe and do, are data, and are found in order."""

import math
import struct
import subprocess
import sys
from dataclasses import replace

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.cards import BadCard, UnknownEnvironment, known_environments, load_card
from hl_dsl.cards.reader import parse_card, read_card
from hl_dsl.cards.writer import card_text, write_card

CLASSIC = ["Acrobot-v1", "CartPole-v1", "LunarLander-v3", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1"]


def test_every_known_environment_has_a_sound_card():
    known = known_environments()
    assert known == sorted(known) and set(CLASSIC) < set(known)
    assert sum(load_card(one).family == "atari" for one in known) == 104
    for environment in known:
        card = load_card(environment)
        assert card.environment == environment and card.protocols and card.max_episode_steps > 0
        assert {"reward", "step"} <= set(card.fields)
        for name, field in card.fields.items():
            count = field.size or 1
            assert field.name == name and field.says
            assert len(field.low) == len(field.high) == len(field.default) == len(field.index) == count
            for low, default, high in zip(field.low, field.default, field.high):
                assert -math.inf < low <= default <= high < math.inf
                assert all(type(one) is (float if field.base == "real" else int) for one in (low, default, high))
        assert (card.action.names is None) == (
            len(card.action.low) == card.action.size and card.action.dtype != "int32"
        )


def test_atari_shares_one_description_and_each_game_has_its_own_actions():
    breakout, pong = load_card("Breakout-v5"), load_card("Pong-v5")
    assert breakout.fields == pong.fields
    assert breakout.action.names == ("NOOP", "FIRE", "RIGHT", "LEFT")
    assert pong.action.names == ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")
    assert len(load_card("MontezumaRevenge-v5").action.names) == 18
    ram = breakout.fields["ram"]
    assert (ram.base, ram.size, ram.low[0], ram.high[127]) == ("int", 128, 0, 255)
    assert breakout.fields["step"].high == (108000,)


@pytest.mark.parametrize("environment", CLASSIC)
def test_named_observations_make_up_the_whole_vector(environment):
    card = load_card(environment)
    whole = card.fields["obs"]
    for field in card.fields.values():
        if field.source == "observation" and field is not whole:
            (column,) = field.index
            assert (whole.low[column], whole.high[column]) == (field.low[0], field.high[0])
    assert whole.index == tuple(range(whole.size))


def test_a_bound_that_binary32_cannot_hold_is_widened_to_what_arrives():
    position = load_card("MountainCar-v0").fields["car.position"]
    assert position.low == struct.unpack("f", struct.pack("f", -1.2)) and position.low[0] < -1.2
    assert load_card("Pendulum-v1").fields["pole.cos"].high == (1.0,)


def test_an_unknown_environment_is_reported_with_the_nearest_ids():
    with pytest.raises(UnknownEnvironment) as caught:
        load_card("breakot-v5")
    assert isinstance(caught.value, LookupError) and isinstance(caught.value, HLError)
    assert caught.value.suggestions == ("Breakout-v5",) and "Breakout-v5" in caught.value.hint
    with pytest.raises(UnknownEnvironment) as caught:
        load_card("CartPole")
    assert caught.value.suggestions == ("CartPole-v1",)


def test_a_card_of_the_user_is_found_after_the_packaged_ones(tmp_path, monkeypatch):
    made = replace(load_card("CartPole-v1"), environment="suite/Mine-v3", says="from the named folder")
    write_card(made, tmp_path / "named")
    monkeypatch.setenv("HL_CARDS", str(tmp_path / "named"))
    monkeypatch.chdir(tmp_path)
    write_card(replace(made, says="from the working folder"), tmp_path / "cards")
    write_card(replace(made, environment="Other-v0"), tmp_path / "cards")
    write_card(replace(made, environment="CartPole-v1", says="not this one"), tmp_path / "cards")
    assert load_card("suite/Mine-v3").says == "from the named folder"
    assert load_card("Other-v0").fields == made.fields
    assert load_card("CartPole-v1").says != "not this one"
    assert {"suite/Mine-v3", "Other-v0"} < set(known_environments())
    monkeypatch.delenv("HL_CARDS")
    assert load_card("suite/Mine-v3").says == "from the working folder"


@pytest.mark.parametrize("environment", [*CLASSIC, "Breakout-v5"])
def test_a_card_written_and_read_is_the_same_card(environment):
    card = load_card(environment)
    assert parse_card(card_text(card), card.origin) == card


GOOD = card_text(load_card("CartPole-v1"))


@pytest.mark.parametrize(
    "text, message",
    [
        ("environment = ", "not TOML"),
        ("", "missing"),
        (GOOD.replace('base = "real"', 'base = "float"', 1), "must be int, real or bool"),
        (GOOD.replace('source = "observation"', 'source = "screen"', 1), "must be one of"),
        (GOOD.replace("low = -10.0", "low = -inf", 1), "finite"),
        (GOOD.replace("low = -10.0", "low = nan", 1), "finite"),
        (GOOD.replace("low = -10.0", "low = 11.0", 1), "low <= default <= high"),
        (GOOD.replace("low = -10.0", "low = [1, 2]", 1), "numbers for them"),
        (GOOD.replace("low = -10.0", "low = 'a'", 1), "damaged"),
        (GOOD.replace('"LEFT", "RIGHT"', '"LEFT", "LEFT"'), "differ"),
        (GOOD.replace("[fields.", "[field."), "`fields` is missing"),
    ],
)
def test_a_damaged_card_is_reported_by_name(text, message, tmp_path):
    path = tmp_path / "CartPole-v1.toml"
    path.write_text(text)
    with pytest.raises(BadCard) as caught:
        read_card(path)
    assert str(path) in str(caught.value) and message in str(caught.value)


def test_a_card_in_the_file_of_another_environment_is_refused(tmp_path):
    path = write_card(load_card("CartPole-v1"), tmp_path)
    with pytest.raises(BadCard, match="not of `Pendulum-v1`"):
        read_card(path, "Pendulum-v1")
    with pytest.raises(BadCard, match="cannot read"):
        read_card(tmp_path)
    with pytest.raises(BadCard, match="cannot write"):
        write_card(load_card("CartPole-v1"), path)


def test_a_card_is_loaded_without_numpy_or_a_simulator():
    ask = (
        "import sys; from hl_dsl.cards import load_card; load_card('Breakout-v5'); print([m for m in "
        "('numpy', 'envpool', 'gymnasium') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
