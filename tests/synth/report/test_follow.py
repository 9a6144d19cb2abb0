"""`hl trials --follow`: each trial once and in order, until the run ends."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.synth.runs.follow import follow
from hl_dsl.synth.runs.ledger import Ledger, LedgerDamaged
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.trial import Trial


def trial(index, **more):
    return Trial(
        kind="search", index=index, gate="quick_seeds", environment_steps=1_000, change=f"change {index}", **more
    ).to_event()


def numbers(lines):
    return [int(line.split()[0]) for line in lines if line.split()[0].isdigit()]


def test_each_new_trial_is_one_line_until_the_run_ends(tmp_path):
    folder = RunFolder(tmp_path / "run")
    # What happens while the follower waits, one thing at a time.
    script = [
        lambda: folder.ledger.append({"event": "generation"}),
        lambda: folder.ledger.append(trial(0, reason="weak\nmore")),
        lambda: None,
        lambda: folder.ledger.append_many([trial(1), trial(2)]),
        lambda: (
            folder.ledger.append_many([trial(3, model="\x1b[2J"), {"event": "stop", "reason": "enough"}]),
            folder.close(),
        ),
    ]
    lines = list(follow(tmp_path / "run", lambda seconds: script.pop(0)()))
    assert script == [] and numbers(lines) == [0, 1, 2, 3] and lines[-1] == "stopped: enough" and len(lines) == 5
    assert (
        lines[0] == "     0         1,000 steps  quick_seeds           -  change 0 · weak" and "4,000 steps" in lines[3]
    )


def test_a_stopped_run_shows_its_last_trials(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append_many([trial(number) for number in range(25)])
    lines = list(follow(tmp_path, lambda seconds: pytest.fail("it waited")))
    assert (
        lines[0] == "… 15 trials before"
        and numbers(lines[1:]) == list(range(15, 25))
        and lines[-1] == "the run is not active"
    )
    ledger.append({"event": "stop", "reason": "enough"})
    ledger.append(Trial(kind="held-out", environment_steps=1).to_event())
    assert list(follow(ledger.path))[-1] == "stopped: enough"


def test_follow_waits_for_the_ledger_of_a_new_run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    script = [lambda: None, lambda: folder.ledger.append(trial(0)), folder.close]
    assert numbers(follow(tmp_path / "run", lambda seconds: script.pop(0)())) == [0] and script == []


def test_control_characters_of_models_are_not_sent_to_the_terminal(tmp_path):
    Ledger(tmp_path / "trials.jsonl").append(trial(0) | {"change": "\x1b[2Jgone\r\u202e"})
    assert list(follow(tmp_path))[0].endswith("�[2Jgone��")


def test_a_missing_run_and_damage_are_errors(tmp_path):
    with pytest.raises(HLError, match="there are no trials"):
        next(follow(tmp_path / "none"))
    folder = RunFolder(tmp_path / "run")
    folder.ledger.append_many([trial(0), trial(1)])

    def damage(seconds):
        folder.ledger.append(trial(2))
        folder.ledger.path.write_bytes(folder.ledger.path.read_bytes().replace(b"change 2", b"change 9"))

    following = follow(tmp_path / "run", damage)
    assert numbers([next(following), next(following)]) == [0, 1]
    with pytest.raises(LedgerDamaged, match="line 3"):
        next(following)
    folder.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 4_000), max_size=12))
def test_reading_in_parts_equals_reading_at_once(tmp_path_factory, cuts):
    """The ledger may be read at any point of a write."""
    folder = tmp_path_factory.mktemp("cut")
    whole = Ledger(folder / "whole.jsonl")
    whole.append_many([trial(number, reason="r" * (number * 37)) for number in range(12)])
    data = whole.path.read_bytes()
    growing, found, offset = Ledger(folder / "growing.jsonl"), [], 0
    for cut in [*sorted(cuts), len(data)]:
        growing.path.write_bytes(data[:cut])
        events, offset = growing.read_from(offset, len(found))
        found += events
    assert found == whole.read() and offset == len(data)
    shutil.rmtree(folder)
