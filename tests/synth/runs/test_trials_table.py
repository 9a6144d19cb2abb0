"""`hl trials` as text and as JSON."""

from __future__ import annotations

import importlib.util
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hl_dsl.base.errors import HLError
from hl_dsl.synth.runs.ledger import Ledger, LedgerDamaged
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.runs.trials_table import show_trials


def scored(index: int, name: str, *returns: float, gate: str = "accepted", **more) -> Trial:
    values = {
        "kind": "search",
        "index": index,
        "program_hash": name,
        "program": f"policy {name}",
        "gate": gate,
        "accepted": gate == "accepted",
        "environment": "Breakout-v5",
        "protocol": "sticky",
        "seeds": range(len(returns)),
        "returns": returns,
        "lengths": [10] * len(returns),
        "environment_steps": 10 * len(returns),
    }
    fields: dict[str, Any] = values | more
    return Trial(**fields)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"event": "start", "run_seed": 1})
    trials = [
        Trial(kind=TrialKind("probe"), environment="Breakout-v5", environment_steps=1500),
        scored(0, "startstart", 100, 110),
        scored(1, "copycopy", gate="duplicate", reason="same as trial 0"),
        scored(2, "badbad", gate="prove", reason="`aim` leaves its range", change="delete clamp"),
        scored(3, "weak", 20, gate="quick_seeds"),
        scored(
            4,
            "bestbest",
            300,
            320,
            parent_hashes=("startstart", "weak"),
            change="replace [bold]ram[101][/bold] by ram[99]",
            assumption_violations={"paddle_follows": 1234},
            proof="proved",
            tokens=10,
            cost=0.5,
        ),
        scored(5, "bestbest", 864, gate=Gate.NONE, accepted=False, kind="held-out", protocol="noop"),
        scored(6, "nan", math.nan, gate="all_seeds"),
    ]
    ledger.append_many([trial.to_event() for trial in trials])
    ledger.append({"event": "stop", "reason": "budget of environment steps used up"})
    return tmp_path


def text_of(run: Path, width: int = 140, **more) -> str:
    output = io.StringIO()
    Console(file=output, width=width).print(show_trials(run, **more))
    return output.getvalue()


def test_the_table_shows_trials_totals_and_lineage(run):
    text = text_of(run)
    lines = [line.split() for line in text.splitlines()]
    assert ["0", "1,520", "accepted", "105.0", "yes"] in lines
    assert ["2", "1,520", "prove", "-", "delete", "clamp", "·", "`aim`", "leaves", "its", "range"] in lines
    assert text.count("replace [bold]ram[101][/bold] by ram[99]") == 2, "a change must not be taken for markup"
    assert "assumption violated: 1,234" in text
    assert "864.0 (noop)" in text and "held-out" in text
    assert (
        "8 trials, 1,570 environment steps, 7 episodes, 2 accepted, 4 rejected" in text
        and "10 tokens, cost 0.5" in text
    )
    assert "rejected at: duplicate 1, prove 1, quick_seeds 1, all_seeds 1" in text
    assert "stopped: budget of environment steps used up" in text
    tree = text[text.index("Lineage of the best program (proof: proved)") :]
    assert tree.index("startsta") < tree.index("bestbest") < tree.index("crossed with weak")


def test_the_document_has_all_trials_in_plain_json(run):
    document = show_trials(run, as_json=True)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema"] == "hl.trials/2" and document["ledger"].endswith("trials.jsonl")
    assert (document["environment"], document["protocol"]) == ("Breakout-v5", "sticky")
    assert [row["total_steps"] for row in document["trials"]] == [1500, 1520, 1520, 1520, 1530, 1550, 1560, 1570]
    assert [row["best_so_far"] for row in document["trials"]] == [None, 105, 105, 105, 105, 310, 310, 310]
    assert document["trials"][-1]["returns"] == ["NaN"] and document["trials"][0]["sequence"] == 2
    totals = document["totals"]
    assert totals["by_gate"] == {
        "parse": 0,
        "duplicate": 1,
        "check": 0,
        "prove": 1,
        "quick_seeds": 1,
        "pruned": 0,
        "all_seeds": 1,
        "regression": 0,
        "accepted": 2,
    }
    assert totals["accepted"] + totals["rejected"] + totals["not_candidates"] == totals["trials"] == 8
    assert (totals["tokens"], totals["cost"]) == (10, 0.5)
    assert document["best"]["program"] == "policy bestbest" and document["best"]["mean"] == 310
    assert [(step["program_hash"], step["mean"]) for step in document["lineage"]] == [
        ("startstart", 105),
        ("bestbest", 310),
    ]
    assert document["lineage"][1]["crossed_with"] == ["weak"]
    assert document["stop_reason"] == "budget of environment steps used up" and document["torn_bytes"] == 0


def test_showing_changes_no_file_and_accepts_a_ledger(run):
    path = run / "trials.jsonl"
    with open(path, "ab") as file:
        file.write(b'{"sequence":11,"ti')
    before = path.read_bytes()
    assert show_trials(path, as_json=True)["torn_bytes"] == 18
    assert "incomplete after a crash (18 bytes)" in text_of(run)
    assert path.read_bytes() == before and list(run.iterdir()) == [path]


def test_a_long_run_shows_accepted_and_late_trials_and_the_number_of_hidden_ones(run):
    Ledger(run / "trials.jsonl").append_many(
        [scored(index, f"h{index}", gate="duplicate").to_event() for index in range(100, 300)]
    )
    text = text_of(run, rows=10)
    first_words = [line.split()[0] for line in text[: text.index("more, not shown")].splitlines() if line.split()]
    assert [word for word in first_words if word.isdigit()] == ["0", "4", *map(str, range(292, 300)), "198"]
    assert len(text_of(run, rows=None).splitlines()) > 200
    assert len(show_trials(run, as_json=True)["trials"]) == 208


def test_an_empty_ledger_and_one_without_a_score(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.path.write_bytes(b"")
    assert "no trials yet" in text_of(tmp_path)
    document = show_trials(tmp_path, as_json=True)
    assert document["trials"] == [] and document["best"] is None and document["lineage"] == []
    ledger.append(scored(0, "a", gate="parse").to_event())
    assert "no accepted trial has a score yet" in text_of(tmp_path)


def test_a_missing_run_and_a_damaged_run_are_errors(run, tmp_path):
    for missing in (tmp_path / "nothing", tmp_path / "nothing.jsonl", run / "trials.jsonl" / "below"):
        with pytest.raises(HLError, match="there are no trials at") as caught:
            show_trials(missing)
        assert caught.value.hint
    path = run / "trials.jsonl"
    path.write_bytes(path.read_bytes().replace(b"1500", b"1400", 1))
    for as_json in (True, False):
        with pytest.raises(LedgerDamaged, match="line 2"):
            show_trials(run, as_json)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_fits_the_terminal(run, width):
    assert max(map(len, text_of(run, width=width).splitlines())) <= width


def test_a_table_loads_no_matplotlib():
    import subprocess
    import sys

    code = (
        "import sys; import hl_dsl.synth.runs.trials_table, hl_dsl.synth.runs.run_folder;"
        "print([m for m in ('numpy', 'matplotlib', 'rich', 'networkx') if m in sys.modules])"
    )
    assert importlib.util.find_spec("matplotlib")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
