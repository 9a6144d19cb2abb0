"""Schemas of the ledger: lines of `hl.trials/1` are read in the words of `hl.trials/2`, and both may be in one file."""

import hashlib
import json
from pathlib import Path

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.synth.runs import run_settings
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.ledger_format import FIRST_SCHEMA, SCHEMA, UnknownSchema, current_event
from hl_dsl.synth.runs.run_folder import RunFolder, settings_in
from hl_dsl.synth.runs.statuses import GATES, Gate, TrialKind, TrialStatus
from hl_dsl.synth.runs.trial import Trial, trials_of
from hl_dsl.synth.runs.trials_table import show_trials

POLICIES = sorted(Path(__file__).parents[3].glob("policies/*/trials.jsonl"))


def old_line(sequence: int, **fields) -> str:
    """A sealed line as it was written before lines named their schema."""
    body = json.dumps({"sequence": sequence, "time": "2026-01-01T00:00:00Z", **fields}, separators=(",", ":"))[:-1]
    return f'{body},"checksum":"{hashlib.sha256(body.encode()).hexdigest()[:16]}"}}\n'


def old_trial(sequence: int, gate: str, reason: str = "", **fields) -> str:
    return old_line(
        sequence,
        event="trial",
        kind="search",
        gate=gate,
        accepted=gate == "accepted",
        reason=reason,
        environment_steps=1,
        **fields,
    )


@pytest.fixture
def old_ledger(tmp_path) -> Ledger:
    path = tmp_path / "trials.jsonl"
    path.write_text(
        old_trial(1, "smoke", "3 on the smoke seeds; one of many points, and the middle of them is played on")
        + old_trial(2, "development", "3 is worse than the best program", options={"dry_steps": 70, "max_steps": None})
        + old_trial(3, "smoke", "left: far behind the best program at the same tick")
        + old_trial(4, "development", "3 on 8 seeds is clearly worse than the best program there")
        + old_trial(5, "accepted")
    )
    return Ledger(path)


def test_old_gates_and_options_are_read_in_the_words_of_the_current_schema(old_ledger):
    events = old_ledger.read()
    trials = trials_of(events)
    assert [trial.gate for trial in trials] == [
        Gate.QUICK_SEEDS,
        Gate.ALL_SEEDS,
        Gate.PRUNED,
        Gate.PRUNED,
        Gate.ACCEPTED,
    ]
    assert trials[1].options == {"no_reward_steps": 70, "max_steps": None}
    assert {event["schema"] for event in events} == {FIRST_SCHEMA}
    assert show_trials(old_ledger.path, as_json=True)["totals"]["by_gate"] == dict.fromkeys(GATES, 0) | {
        "quick_seeds": 1,
        "all_seeds": 1,
        "pruned": 2,
        "accepted": 1,
    }


def test_the_old_kind_film_is_read_as_video():
    assert current_event({"event": "trial", "kind": "film"})["kind"] is TrialKind.VIDEO


def test_a_new_line_names_its_schema_and_may_follow_old_lines(old_ledger):
    before = old_ledger.path.read_bytes()
    appended = old_ledger.append(Trial(kind="search", gate="pruned", reason="left: a word of this reason").to_event())
    text = old_ledger.path.read_bytes()
    assert text.startswith(before), "recorded lines are never edited"
    assert appended["schema"] == SCHEMA and json.loads(text.splitlines()[-1])["schema"] == SCHEMA
    events = old_ledger.read()
    assert [event["schema"] for event in events] == [FIRST_SCHEMA] * 5 + [SCHEMA] and events[-1] == appended
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5, 6]


def test_old_words_on_a_line_of_the_current_schema_are_an_error(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"event": "trial", "kind": "search", "gate": "smoke", "accepted": False})
    with pytest.raises(HLError, match="smoke"):
        trials_of(ledger.read())


def test_a_line_of_a_later_schema_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "trials.jsonl"
    path.write_text(old_line(1, event="trial", schema="hl.trials/9"))
    with pytest.raises(UnknownSchema, match="hl.trials/9") as caught:
        Ledger(path).read()
    assert "version of HL" in caught.value.hint


def test_an_event_cannot_set_its_schema(tmp_path):
    with pytest.raises(HLError, match="`schema`"):
        Ledger(tmp_path / "trials.jsonl").append({"schema": SCHEMA})


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.parent.name)
def test_recorded_trials_of_policies_load(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    recorded = [line for line in lines if line["event"] == "trial"]
    trials = trials_of(Ledger(path).read())
    names = {"smoke": Gate.QUICK_SEEDS, "development": Gate.ALL_SEEDS}
    for line, trial in zip(recorded, trials, strict=True):
        assert trial.gate in (names.get(line["gate"], line["gate"]), Gate.PRUNED)
        assert (trial.kind, list(trial.returns), trial.program_hash) == (
            line["kind"],
            line["returns"],
            line["program_hash"],
        )
        assert trial.options.get("no_reward_steps") == line["options"].get(
            "dry_steps", line["options"].get("no_reward_steps")
        )
    document = show_trials(path, as_json=True)
    assert document["totals"]["environment_steps"] == sum(line["environment_steps"] for line in recorded)


def test_a_run_with_an_old_ledger_is_read_but_not_resumed(tmp_path):
    (tmp_path / "run.json").write_text('{"kind": "synth", "dry_steps": 70, "version": "0.1.0 (code 12345678)"}')
    assert settings_in(tmp_path)["no_reward_steps"] == 70
    with RunFolder(tmp_path) as folder, pytest.raises(HLError, match="hl.trials/1") as caught:
        run_settings.check_resumable(folder, {"kind": "synth"})
    assert "best.hl" in caught.value.hint and "0.1.0 (code 12345678)" in caught.value.hint


def test_status_of_a_trial_follows_from_its_gate():
    assert {gate: TrialStatus.of(gate).value for gate in (Gate.ACCEPTED, Gate.PRUNED, Gate.PROVE, Gate.NONE)} == {
        "accepted": "accepted",
        "pruned": "pruned",
        "prove": "rejected",
        "none": "not a candidate",
    }
