"""Cases: what they demand, what they are on disk, and that a bad one is told of."""

import json

import numpy as np
import pytest
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts
from hl_dsl.synth.regressions.case import EpisodeCase, TraceCase, Window, content_hash
from hl_dsl.synth.regressions.files import BadCase, nearest_folder, read_case, read_cases, remove_case, write_case
from hl_dsl.synth.regressions.property_monitor import watcher
from hl_dsl.synth.regressions.verdicts import broken, of_episode, of_trace, value_of
from hl_dsl.synth.rollouts.candidate_batch import Episode
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.verify.results.counterexample_files import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.cards import load_card
from hl_dsl.program import Program
from tests.support.study_runs import LEAN

CARD = load_card("CartPole-v1")
BASE = EpisodeCase("kept", "CartPole-v1", "standard", 7, least_return=3.0)


def episode(rewards, angles=None, status=EpisodeStatus.FINISHED):
    """An episode of CartPole with given rewards, and pole angles at its ticks."""
    ticks = len(rewards)
    observation = np.zeros((ticks, 4), np.float32)
    observation[:, 2] = 0.0 if angles is None else angles
    shown = {
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
        Recording(shown, np.zeros(ticks, np.int32)),
    )


windows = st.builds(Window, st.integers(0, 30), st.integers(1, 30))
played = st.builds(
    EpisodeCase,
    st.just("case"),
    st.just("CartPole-v1"),
    st.just("standard"),
    st.integers(0, 49),
    st.none() | st.integers(1, 900),
    st.none() | st.integers(1, 900),
    st.none() | windows,
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.sampled_from(["pole.angle > 0", "cart.position in [-1, 1]"]),
    st.text(),
)


@settings(max_examples=20, deadline=None)  # each is synced to the disk
@given(played)
def test_a_case_is_what_was_written(tmp_path_factory, case):
    folder = tmp_path_factory.mktemp("cases") / "regressions"
    path = write_case(folder, case)
    assert read_case(path, CARD) == case and read_cases(folder, CARD) == (case,)
    with pytest.raises(BadCase, match="already"):
        write_case(folder, case)
    assert remove_case(folder, "case") == path and read_cases(folder) == ()


@given(played, st.text())
def test_where_it_comes_from_is_no_part_of_the_demand(case, origin):
    fields = {name: getattr(case, name) for name in case.__dataclass_fields__}
    assert content_hash(EpisodeCase(**fields | {"origin": origin})) == content_hash(case)
    assert content_hash(EpisodeCase(**fields | {"seed": (case.seed + 1) % 50})) != content_hash(case)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_what_windows_bring_adds_up_to_the_return(rewards, lengths):
    shown, start, total = episode(rewards), 0, 0.0
    for ticks in [*lengths, 100]:
        value = value_of(
            EpisodeCase("w", "CartPole-v1", "standard", 7, window=Window(start, ticks), least_return=0.0), shown
        )
        assert value == sum(rewards[start : start + ticks])
        start, total = start + ticks, total + value
    assert total == value_of(BASE, shown) == sum(rewards)


def test_verdicts_on_episodes():
    def outcome(shown, **demands):
        return of_episode(EpisodeCase("case", "CartPole-v1", "standard", 7, **demands), shown, CARD)

    assert outcome(episode([1, 1, 1]), least_return=3.0).passed is True
    assert outcome(episode([1, 1]), least_return=3.0).detail == "a return of 2 is less than 3"
    assert outcome(episode([1, 1], status=EpisodeStatus.CUT), least_return=1.0).passed is None, (
        "a cut episode says nothing"
    )
    moment = {"window": Window(2, 2)}
    assert outcome(episode([0, 0, 1, 1, 0]), least_return=2.0, **moment).passed is True
    assert "in ticks 2 to 3 is less" in outcome(episode([9, 9, 1, 0]), least_return=2.0, **moment).detail
    for length in (1, 2):
        assert "before tick 2" in outcome(episode([9] * length), least_return=-5.0, **moment).detail, (
            "a moment that never came is not passed"
        )
    rising = episode([1] * 5, angles=[0.0, 0.1, 0.2, 0.3, 0.4])
    assert outcome(rising, holds="pole.angle < 0.25").detail == "`pole.angle < 0.25` is false at tick 3"
    assert outcome(rising, holds="pole.angle < 0.25", window=Window(0, 3)).passed is True
    assert outcome(rising, holds="within 2 of pole.angle > 0: pole.angle > 0.25").passed is True, "patterns over ticks"
    assert outcome(rising, holds="within 1 of pole.angle > 0: pole.angle > 0.25").passed is False


@pytest.mark.parametrize(
    "holds, said",
    [
        ("action == LEFT", "speaks of the action"),
        ("pole.angel > 0", "no property over what is observed"),
        ("pole.angle", "no property"),
        ("pole.angle > 0\n  let a = 1", "more than one"),
        ("pole.angle > 0\n  monitor b: pole.angle > 1", "more than one"),
        ("", "no property"),
    ],
)
def test_a_property_is_about_what_is_observed(holds, said):
    with pytest.raises(HLError, match=said) as caught:
        watcher(CARD, holds)
    assert "pole.angle" in caught.value.hint


def test_every_environment_can_be_watched():
    for name in ("Breakout-v5", "Pendulum-v1", "LunarLander-v3"):
        assert watcher(load_card(name), "reward >= -1e9").of_kind("monitor")


@pytest.mark.parametrize(
    "change, said",
    [
        ({"seed": 50}, "`seed` is not a development seed, 0 to 49"),
        ({"seed": True}, "`seed`"),
        ({"seed": None}, "`seed`"),
        ({"least_return": None}, "demands nothing"),
        ({"least_retrun": 3}, "`least_retrun`, which means nothing"),
        ({"least_return": "9"}, "`least_return` is not a number"),
        ({"window": {"start": 1}}, "`window`"),
        ({"window": {"start": 0, "ticks": 0}}, "`window`"),
        ({"max_steps": 0}, "`max_steps`"),
        ({"schema": "x/1"}, "schema"),
        ({"environment": "Breakout-v5"}, "for Breakout-v5, not for CartPole-v1"),
        ({"protocol": "sticky"}, "no protocol `sticky`"),
        ({"holds": "action == LEFT"}, "speaks of"),
    ],
)
def test_a_bad_case_is_told_of(tmp_path, change, said):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(BASE.to_json() | change))
    with pytest.raises(BadCase, match=said) as caught:
        read_case(path, CARD)
    assert str(path) in caught.value.message and caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"schema": "hl.case/1"}', '{"schema": "hl.regression/1"}', "\x00"]
)
def test_a_file_that_is_no_case_is_told_of(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(BadCase, match="bad.json"):
        read_case(path)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 200])
def test_names_stay_in_the_folder(tmp_path, name):
    with pytest.raises(BadCase, match="cannot name a case"):
        write_case(
            tmp_path / "regressions",
            EpisodeCase(**{**{field: getattr(BASE, field) for field in BASE.__dataclass_fields__}, "name": name}),
        )
    (tmp_path / "up.json").write_text(json.dumps(BASE.to_json()))
    with pytest.raises(BadCase, match="no case"):
        remove_case(tmp_path / "regressions", "../up")
    assert (tmp_path / "up.json").exists()


LEANS = LEAN.replace("  act", "  invariant leans: pole.angle < 0.1\n\n  act")


def test_a_counterexample_is_a_case(tmp_path):
    program = Program.parse(LEANS)
    found = TraceCase("leans", cases(program.flow, program.prove())[0])
    path = write_case(tmp_path, found)
    again = read_case(path, CARD)
    assert again == found and again.environment == "CartPole-v1" and "invariant `leans`" in again.says()
    assert of_trace(again, program.flow).passed is False
    mended = Program.parse(LEANS.replace("< 0.1", "< 9"))
    assert of_trace(again, mended.flow).passed is True
    dropped = of_trace(again, Program.parse(LEAN).flow)
    assert dropped.passed is False and "no invariant `leans`" in dropped.detail
    assert broken([of_trace(again, mended.flow), dropped]) is dropped


def test_the_nearest_folder(tmp_path):
    (tmp_path / "task" / "regressions").mkdir(parents=True)
    (tmp_path / "task" / "runs" / "one").mkdir(parents=True)
    assert (
        nearest_folder(tmp_path / "task" / "runs" / "one")
        == tmp_path / "task" / "regressions"
        == nearest_folder(tmp_path / "task")
    )
    assert nearest_folder(tmp_path) is None
