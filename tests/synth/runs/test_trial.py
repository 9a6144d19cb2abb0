"""Trials: to and from events, what is comparable, the best, its lineage, and the table."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.lineage import lineage
from hl_dsl.synth.runs.statuses import GATES, Gate, TrialKind
from hl_dsl.synth.runs.summary_csv import summary_csv, write_summary
from hl_dsl.synth.runs.trial import Trial, proof_summary, trials_of, violations
from hl_dsl.synth.runs.trial_statistics import best_trial, cumulative, main_setting


def scored(
    name: str, *returns: float, gate: str = "accepted", parents: tuple[str, ...] = (), protocol: str = "sticky", **more
) -> Trial:
    values = {
        "kind": "search",
        "program_hash": name,
        "program_name": "p",
        "parent_hashes": parents,
        "gate": gate,
        "accepted": gate == "accepted",
        "environment": "Breakout-v5",
        "protocol": protocol,
        "seeds": range(len(returns)),
        "returns": returns,
        "lengths": [10] * len(returns),
        "environment_steps": 10 * len(returns),
    }
    fields: dict[str, Any] = values | more
    return Trial(**fields)


FULL = Trial(
    kind=TrialKind("evaluation"),
    program_name="breakout_ram",
    program_hash="ab12",
    program="policy breakout_ram … # é\n",
    parent_hashes=("00ff", "11ee"),
    proposer="openai",
    model="some-model",
    change="replace `ram[101]`",
    gate=Gate("accepted"),
    accepted=True,
    reason="best so far",
    environment="Breakout-v5",
    protocol="noop",
    options={"noop_max": 30, "use_fire_reset": True},
    seeds=(3, 1),
    returns=(864.0, 2.5),
    lengths=(9000, 12),
    distinct_trajectories=2,
    environment_steps=9050,
    cpu_seconds=1.25,
    wall_seconds=2.5,
    proof={"status": "proved", "obligations": 16},
    out_of_range={"ram": 1},
    assumption_violations={"paddle_follows": 7},
    monitor_violations={"slow": 0},
    parameters={"deadband": 3.0, "stuck_after": 1024},
    tokens=1200,
    cost=0.01,
    run_seed=4,
    index=17,
    fitness=433.25,
)


def test_every_field_survives_the_ledger(tmp_path):
    unset = [
        item.name
        for item in dataclasses.fields(FULL)
        if getattr(FULL, item.name) == item.default and item.name not in ("sequence", "time")
    ]
    assert unset == []
    ledger = Ledger(tmp_path / "trials.jsonl")
    event = ledger.append(FULL.to_event())
    assert (event["mean"], event["min"], event["max"]) == (433.25, 2.5, 864.0)
    (trial,) = trials_of(ledger.read())
    assert dataclasses.replace(trial, sequence=None, time=None) == FULL
    assert (trial.sequence, trial.time) == (1, event["time"])


@given(st.lists(st.floats(), max_size=5))
def test_returns_of_any_value_survive_the_ledger(returns):
    trial = scored("a", *returns)
    from hl_dsl.base.json_values import plain

    back = Trial.from_event(json.loads(json.dumps(plain(trial.to_event()), allow_nan=False)))
    assert repr(back.returns) == repr(trial.returns)


def test_unknown_fields_are_ignored_and_missing_ones_have_defaults():
    trial = Trial.from_event({"event": "trial", "kind": "probe", "from_the_future": 1})
    assert trial == Trial(kind=TrialKind("probe")) and trial.gate == Gate.NONE and not trial.accepted


@pytest.mark.parametrize(
    "event", [{}, {"kind": "x", "gate": "nowhere"}, {"kind": "x", "returns": ["many"]}, {"kind": "x", "seeds": 3}]
)
def test_an_invalid_trial_event_is_an_error(event):
    with pytest.raises(HLError, match="event 5 of the ledger") as caught:
        Trial.from_event({"event": "trial", "sequence": 5, **event})
    assert caught.value.hint


@pytest.mark.parametrize(
    "values",
    [
        {"gate": "gone"},
        {"gate": "check", "accepted": True},
        {"gate": "accepted"},
        {"seeds": [1], "returns": [1.0]},
        {"seeds": [1]},
    ],
)
def test_a_contradictory_trial_is_refused(values):
    with pytest.raises(ValueError):
        Trial(kind=TrialKind("search"), **values)


def test_totals_count_probes_and_rejected_trials_too():
    trials = [
        Trial(kind=TrialKind("probe"), environment_steps=500),
        scored("a", 10, 20),
        scored("b", 5, gate="quick_seeds"),
        scored("c", 30, 30, 30),
        scored("d", gate="prove"),
        scored("e", 16),
    ]
    entries = list(cumulative(trials))
    assert [entry.total_steps for entry in entries] == [500, 520, 530, 560, 560, 570]
    assert [entry.total_episodes for entry in entries] == [0, 2, 3, 6, 6, 7]
    assert [entry.best for entry in entries] == [None, 15, 15, 30, 30, 30]


def test_only_comparable_accepted_finite_scores_can_be_best():
    trials = [
        scored("other protocol", 900, protocol="deterministic"),
        scored("start", 100),
        scored("rejected", 800, gate="all_seeds"),
        scored("held out", 700, gate=Gate.NONE, kind="held-out"),
        scored("broken", math.nan),
        scored("endless", math.inf),
        scored("good", 200),
        scored("equal", 200),
    ]
    assert main_setting(trials) == ("Breakout-v5", "sticky")
    assert best_trial(trials).program_hash == "good"
    assert [entry.best for entry in cumulative(trials)] == [None, 100, 100, 100, 100, 100, 200, 200]
    assert best_trial([]) is None and best_trial(trials[2:3]) is None and main_setting([]) is None


def test_lineage_follows_the_first_parent_to_the_start():
    trials = [
        scored("start", 100),
        scored("side", 120, parents=("start",)),
        scored("rejected", 10, parents=("start",), gate="quick_seeds"),
        scored("middle", 150, parents=("start",)),
        scored("end", 300, parents=("middle", "side")),
    ]
    chain = lineage(trials)
    assert [ancestor.trial.program_hash for ancestor in chain] == ["start", "middle", "end"]
    assert chain[-1].crossed_with == ("side",) and all(ancestor.missing_parent is None for ancestor in chain)
    assert [ancestor.trial.program_hash for ancestor in lineage(trials, trials[1])] == ["start", "side"]


def test_lineage_of_a_tuned_program_has_no_cycle():
    """Tuning leaves the structure, so a trial may be its own parent by hash; and an edit may be undone."""
    trials = [
        scored("a", 100),
        scored("a", 150, parents=("a",), parameters={"k": 2.0}),
        scored("b", 200, parents=("a",)),
        scored("a", 250, parents=("b",)),
    ]
    assert [ancestor.trial.mean for ancestor in lineage(trials)] == [100, 200, 250]
    assert [ancestor.trial.mean for ancestor in lineage(trials[:2])] == [100, 150]


def test_lineage_of_a_program_evaluated_again_goes_through_its_first_trial():
    trials = [scored("start", 100), scored("end", 200, parents=("start",)), scored("end", 220)]
    assert [ancestor.trial.mean for ancestor in lineage(trials)] == [100, 220]


def test_lineage_names_a_parent_that_is_not_in_the_ledger():
    (only,) = lineage([scored("end", 5, parents=("elsewhere",))])
    assert only.missing_parent == "elsewhere" and lineage([]) == []


def test_a_parent_is_searched_only_before_its_child():
    (only,) = lineage([scored("a", 300, parents=("b",)), scored("b", 50, parents=("a",))])
    assert (only.trial.mean, only.missing_parent) == (300, "b")


def test_a_parent_rejected_first_and_accepted_later_is_shown_as_accepted():
    trials = [scored("p", gate="quick_seeds"), scored("p", 50), scored("end", 200, parents=("p",))]
    assert [ancestor.trial.mean for ancestor in lineage(trials)] == [50, 200]


def test_summary_has_one_row_for_each_trial_and_survives_any_text(tmp_path):
    trials = [
        Trial(kind=TrialKind("probe"), environment_steps=500),
        FULL,
        scored("x", 1, gate="check", reason='line one\nline "two", and\0 three\r', protocol="noop"),
    ]
    path = write_summary(trials, tmp_path / "summary.csv")
    assert path.read_text() == summary_csv(trials)
    rows = list(csv.DictReader(io.StringIO(path.read_text(), newline=""), strict=True))
    assert [row["kind"] for row in rows] == ["probe", "evaluation", "search"]
    assert [row["total_steps"] for row in rows] == ["500", "9550", "9560"] and rows[0]["mean"] == ""
    assert (rows[1]["mean"], rows[1]["accepted"], rows[1]["parents"], rows[1]["proof"]) == (
        "433.25",
        "true",
        "00ff 11ee",
        "proved",
    )
    assert (rows[1]["out_of_range"], rows[1]["assumption_violations"], rows[1]["best_so_far"]) == ("1", "7", "433.25")
    assert rows[2]["reason"] == 'line one\nline "two", and three ' and rows[2]["accepted"] == "false"
    assert all(None not in row and None not in row.values() for row in rows)


def test_a_proof_is_summed_up_in_words():
    assert proof_summary(None) == "" and proof_summary("violated") == "violated"
    assert proof_summary({"status": "unknown", "rlimit": 5}) == "unknown"
    assert proof_summary({"proved": 14, "violated": 0, "unknown": 1}) == "14 proved, 1 unknown"
    assert violations({"a": 2, "b": 3}) == 5 and violations(4) == 4 and violations({}) == 0


def test_gates_are_in_the_order_of_the_search():
    assert GATES == (
        "parse",
        "duplicate",
        "check",
        "prove",
        "quick_seeds",
        "pruned",
        "all_seeds",
        "regression",
        "accepted",
    )
