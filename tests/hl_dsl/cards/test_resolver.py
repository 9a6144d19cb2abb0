"""Search for cards: each program has its own search path."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.cards import CardResolver, UnknownEnvironment, load_card
from hl_dsl.cards.writer import write_card
from hl_dsl.program import Program

TEXT = 'policy p for "Mine-v0" { observe obs  act { when obs[0] > 0 => RIGHT  otherwise => LEFT } }\n'


@pytest.fixture
def mine():
    """A function that makes a card of the environment Mine-v0, which no simulator has."""

    def card(says):
        return replace(load_card("CartPole-v1"), environment="Mine-v0", says=says)

    return card


def test_two_programs_have_different_card_folders_at_the_same_time(mine, tmp_path, monkeypatch):
    monkeypatch.delenv("HL_CARDS", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        write_card(mine(f"of the {name} folder"), tmp_path / name)
    first, second = (Program.parse(TEXT, cards=CardResolver((tmp_path / name,))) for name in ("first", "second"))
    assert (first.card.says, second.card.says) == ("of the first folder", "of the second folder")
    assert Program.parse(first.text, cards=first.cards).card == first.card
    assert Program.parse(second.text, cards=second.cards).card == second.card
    with pytest.raises(ProgramError, match="unknown environment"):
        Program.parse(TEXT)


@pytest.mark.parametrize("place", [".", "cards"])
def test_a_card_next_to_a_policy_is_found_for_that_policy_only(mine, place, tmp_path, monkeypatch):
    monkeypatch.delenv("HL_CARDS", raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    write_card(mine("next to the policy"), tmp_path / "policy" / place)
    path = tmp_path / "policy" / "p.hl"
    path.write_text(TEXT)
    program = Program.load(path)
    assert program.card.says == "next to the policy"
    with pytest.raises(UnknownEnvironment):
        load_card("Mine-v0")
    with pytest.raises(ProgramError):
        Program.parse(TEXT)
    assert Program.parse(TEXT, cards=program.cards).card is program.card


def test_folders_are_searched_in_order_after_known_and_packaged_cards(mine, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    write_card(mine("second"), second)
    cards = CardResolver((first, second))
    assert cards.load("Mine-v0").says == "second"
    write_card(mine("first"), first)
    assert cards.load("Mine-v0").says == "first"
    assert CardResolver((second,)).with_folder(first).load("Mine-v0").says == "second"
    assert cards.with_card(mine("known")).load("Mine-v0").says == "known"
    write_card(replace(load_card("CartPole-v1"), says="not packaged"), first)
    assert cards.load("CartPole-v1") == load_card("CartPole-v1")
    assert "Mine-v0" in cards.environments() and "Mine-v0" not in CardResolver().environments()


def test_the_users_folders_are_the_named_one_and_cards(tmp_path, monkeypatch):
    monkeypatch.setenv("HL_CARDS", str(tmp_path))
    assert [str(folder) for folder in CardResolver.of_user().folders] == [str(tmp_path), "cards"]
    monkeypatch.delenv("HL_CARDS")
    assert [str(folder) for folder in CardResolver.of_user().folders] == ["cards"]
