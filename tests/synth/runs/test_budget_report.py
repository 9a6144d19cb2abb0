"""Budget rows of a ledger: spent, reserved and allowed amounts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.program import Program
from hl_dsl.synth.report.report import write_report
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.budget_report import budget_event, budget_lines, budget_rows
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trials_table import show_trials
from tests.support.study_runs import LEAN, search_study

UNITS = ("environment steps", "programs", "tokens", "cost", "seconds")
LIMIT = st.none() | st.integers(1, 10**6)


def stamped(events):
    return [
        {"time": f"2026-01-01T00:00:{place:02d}+00:00", "sequence": place + 1, **event}
        for place, event in enumerate(events)
    ]


def by_unit(events):
    return {row["budget"]: (row["spent"], row["reserved"], row["limit"]) for row in budget_rows(stamped(events))}


def trial(steps, kind="search"):
    return {"event": "trial", "kind": kind, "environment_steps": steps}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 1_000), max_size=6), st.integers(0, 4), st.integers(0, 9_000), LIMIT, st.integers(0, 500)
)
def test_reserved_steps_are_those_left_to_the_open_generation(steps, waiting, reserved, limit, lost):
    proposals = [{"index": number} for number in range(len(steps) + waiting)]
    events = [
        {"event": "budget", "steps": limit},
        {"event": "generation", "reserved_steps": reserved, "proposals": proposals},
        *map(trial, steps),
        trial(lost, "interrupted"),
        trial(7, "simplify"),
    ]
    found = by_unit(events)
    is_open = waiting > 0
    assert found["environment steps"] == (sum(steps) + 7, max(0, reserved - sum(steps)) if is_open else 0, limit)
    assert found["programs"] == (len(steps), waiting, None)
    assert by_unit([*events, {"event": "stop"}])["environment steps"][1] == 0


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=8), st.booleans())
def test_a_tuning_reserves_nothing_between_its_generations(steps, is_settled):
    """Its generations are written down once they are over, and it writes no `stop`."""
    generation = {"event": "generation", "generation": 0, "best": 1.0, "env_steps": sum(steps)}
    events = [
        {"event": "budget", "steps": 9_000},
        *(event for taken in steps for event in (trial(taken, "tune"), generation)),
    ]
    found = by_unit(events if is_settled else events[:-1])
    assert found["environment steps"] == (sum(steps), 0, 9_000) and found["programs"] == (len(steps), 0, None)


def test_an_open_call_is_reserved_and_a_settled_one_is_spent():
    call = {"event": "call", "state": "reserved", "call": 0, "reserved_tokens": 900, "reserved_cost": 0.5}
    settled = {
        "event": "call",
        "state": "settled",
        "call": 0,
        "outcome": "answered",
        "tokens": 300,
        "cost": 0.1,
        "estimated": False,
    }
    limits = {"event": "budget", "tokens": 5_000, "cost": 2.0, "seconds": 60.0}
    assert by_unit([limits, call])["tokens"] == (0, 900, 5_000) and by_unit([limits, call])["cost"] == (0.0, 0.5, 2.0)
    assert by_unit([limits, call, settled])["tokens"] == (300, 0, 5_000)
    # The time counts from the last resume, as its limit does.
    assert by_unit([limits, call, settled])["seconds"] == (2.0, 0.0, 60.0)
    assert by_unit([limits, call, settled, {"event": "budget", "seconds": 9.0}])["seconds"] == (0.0, 0.0, 9.0)


def test_budgets_without_a_limit_are_not_shown():
    rows = budget_rows(stamped([budget_event(Budget(steps=100, cost=1.5)), trial(40)]))
    assert budget_lines(rows) == ["environment steps: 40 of 100", "cost: 0 of 1.5"]
    assert budget_lines(budget_rows([])) == [] and [row["budget"] for row in budget_rows([])] == list(UNITS)


def test_report_and_trials_show_the_budgets(tmp_path):
    path = tmp_path / "run"
    result = search_study(
        Program.parse(LEAN), "standard", path, Budget(steps=800, programs=50, wall_seconds=600.0), seed=3, seeds=(0, 1)
    ).run()
    rows = {row["budget"]: row for row in show_trials(path, as_json=True)["budgets"]}
    assert (rows["environment steps"]["spent"], rows["environment steps"]["limit"]) == (result.env_steps, 800)
    assert (rows["programs"]["spent"], rows["programs"]["limit"], rows["seconds"]["limit"]) == (
        result.trials,
        50,
        600.0,
    )
    assert 0 < rows["seconds"]["spent"] < 600 and rows["tokens"]["limit"] is rows["cost"]["limit"] is None
    document = write_report(path, path / "report.html", False, 10, lambda text: None)
    assert document["spent"]["budgets"][:4] == show_trials(path, as_json=True)["budgets"][:4]
    page = (path / "report.html").read_text()
    assert (
        all(f"<th>{head}</th>" in page or f">{head}</th>" in page for head in ("budget", "spent", "reserved", "limit"))
        and "no limit" in page
    )
    # A resumed run records its larger budget.
    search_study(Program.parse(LEAN), "standard", path, Budget(steps=900), seed=3, seeds=(0, 1)).resume()
    assert show_trials(path, as_json=True)["budgets"][0]["limit"] == 900
    assert [event["event"] for event in Ledger(path / "trials.jsonl").read()].count("budget") == 2
