"""Cases: the results of episodes and counterexamples, and the checks against an environment."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.cards import load_card
from hl_dsl.cases.documents import case_document
from hl_dsl.cases.files import InvalidCase, add_case
from hl_dsl.cases.records import EpisodeCase, Window
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.program import Program
from hl_dsl.synth.regressions.files import read_case, read_cases
from hl_dsl.synth.regressions.property_monitor import monitor_program
from hl_dsl.synth.regressions.verdicts import case_return, check_counterexample, check_episode, first_failure
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.verify.results.counterexamples import counterexamples
from tests.support.study_runs import LEAN

CARD = load_card("CartPole-v1")
BASE = EpisodeCase("kept", "CartPole-v1", "standard", 7, least_return=3.0)


def episode(rewards, angles=None, status=EpisodeStatus.FINISHED):
    """An episode of CartPole with given rewards, and pole angles at its ticks."""
    ticks = len(rewards)
    observation = np.zeros((ticks, 4), np.float32)
    observation[:, 2] = 0.0 if angles is None else angles
    columns = {
        "observation": observation,
        "reward": np.array([0.0, *rewards[:-1]], np.float32)[:ticks],
        "step": np.arange(ticks, dtype=np.int32),
    }
    return Episode(
        7,
        float(np.sum(rewards, dtype=np.float64)),
        ticks,
        status,
        "",
        EpisodeCounts(),
        Recording(columns, np.zeros(ticks, np.int32)),
    )


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_returns_of_adjacent_windows_add_up_to_the_return(rewards, lengths):
    played, start, total = episode(rewards), 0, 0.0
    for ticks in [*lengths, 100]:
        case = EpisodeCase("w", "CartPole-v1", "standard", 7, window=Window(start, ticks), least_return=0.0)
        value = case_return(case, played)
        assert value == sum(rewards[start : start + ticks])
        start, total = start + ticks, total + value
    assert total == case_return(BASE, played) == sum(rewards)


def check(played, **requirement):
    return check_episode(EpisodeCase("case", "CartPole-v1", "standard", 7, **requirement), played, CARD)


def test_episode_passes_if_its_return_is_reached():
    assert check(episode([1, 1, 1]), least_return=3.0).passed is True
    assert check(episode([1, 1]), least_return=3.0).detail == "a return of 2 is less than 3"


def test_cut_episode_has_no_result():
    assert check(episode([1, 1], status=EpisodeStatus.CUT), least_return=1.0).passed is None


def test_window_counts_only_the_rewards_of_its_ticks():
    window = {"window": Window(2, 2)}
    assert check(episode([0, 0, 1, 1, 0]), least_return=2.0, **window).passed is True
    assert "in ticks 2 to 3 is less" in check(episode([9, 9, 1, 0]), least_return=2.0, **window).detail


@pytest.mark.parametrize("length", [1, 2])
def test_episode_that_ends_before_the_window_fails(length):
    assert "before tick 2" in check(episode([9] * length), least_return=-5.0, window=Window(2, 2)).detail


def test_property_must_hold_at_every_tick_of_the_window():
    rising = episode([1] * 5, angles=[0.0, 0.1, 0.2, 0.3, 0.4])
    assert check(rising, holds="pole.angle < 0.25").detail == "`pole.angle < 0.25` is false at tick 3"
    assert check(rising, holds="pole.angle < 0.25", window=Window(0, 3)).passed is True
    assert check(rising, holds="within 2 of pole.angle > 0: pole.angle > 0.25").passed is True
    assert check(rising, holds="within 1 of pole.angle > 0: pole.angle > 0.25").passed is False


@pytest.mark.parametrize(
    "holds, message",
    [
        ("action == LEFT", "uses the action"),
        ("pole.angel > 0", "is not a property over the observations"),
        ("pole.angle", "is not a property"),
        ("pole.angle > 0\n  let a = 1", "more than one"),
        ("pole.angle > 0\n  monitor b: pole.angle > 1", "more than one"),
        ("", "is not a property"),
    ],
)
def test_property_that_is_not_about_observations_is_rejected(holds, message):
    with pytest.raises(HLError, match=message) as caught:
        monitor_program(CARD, holds)
    assert "pole.angle" in caught.value.hint


@pytest.mark.parametrize("name", ["Breakout-v5", "Pendulum-v1", "LunarLander-v3"])
def test_every_environment_has_a_monitor_program(name):
    assert monitor_program(load_card(name), "reward >= -1e9").of_kind("monitor")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"seed": 50}, "`seed` is not a development seed, 0 to 49"),
        ({"environment": "Breakout-v5"}, "for Breakout-v5, not for CartPole-v1"),
        ({"protocol": "sticky"}, "no protocol `sticky`"),
        ({"holds": "action == LEFT"}, "uses the action"),
    ],
)
def test_cases_that_do_not_fit_the_environment_are_reported(tmp_path, change, message):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(case_document(BASE) | change))
    with pytest.raises(InvalidCase, match=message) as caught:
        read_case(path, CARD)
    assert str(path) in caught.value.message and caught.value.hint


def test_read_cases_sorts_by_name(tmp_path):
    second = EpisodeCase("a", "CartPole-v1", "standard", 7, least_return=3.0)
    for case in (BASE, second):
        add_case(tmp_path / "regressions", case)
    assert read_cases(tmp_path / "regressions", CARD) == (second, BASE)
    assert read_cases(tmp_path / "none") == ()


LEANS = LEAN.replace("  act", "  invariant leans: pole.angle < 0.1\n\n  act")


def test_counterexample_fails_until_its_property_holds(tmp_path):
    program = Program.parse(LEANS)
    (case,) = counterexamples(program.flow, program.prove())
    stored = read_case(add_case(tmp_path, case), CARD)
    assert stored == case and "invariant `leans`" in stored.describe()
    assert check_counterexample(stored, program.flow).passed is False
    repaired = check_counterexample(stored, Program.parse(LEANS.replace("< 0.1", "< 9")).flow)
    assert repaired.passed is True
    removed = check_counterexample(stored, Program.parse(LEAN).flow)
    assert removed.passed is False and "no invariant `leans`" in removed.detail
    assert first_failure([repaired, removed]) is removed
