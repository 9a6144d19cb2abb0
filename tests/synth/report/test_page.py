"""The page: well formed, complete, self-contained, with escaped texts."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.synth.report.drawing.chart import ticks
from hl_dsl.synth.report.drawing.markup import element, escaped
from hl_dsl.synth.report.report import write_report
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import GATES
from hl_dsl.synth.runs.trial import Trial, trials_of
from tests.support.parsed_report import Page
from tests.support.step_counter import steps_taken
from tests.synth.report.conftest import EVIL

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def reported(run, **more):
    document = write_report(run, run / "report.html", **{"videos": False, **more})
    return document, Page((run / "report.html").read_text(encoding="utf-8"))


def test_page_is_self_contained_and_takes_no_steps(run):
    before, ledger = steps_taken(), (run / "trials.jsonl").read_bytes()
    document, page = reported(run)
    page.check_self_contained()
    assert steps_taken() == before and (run / "trials.jsonl").read_bytes() == ledger and not (run / "videos").exists()
    (policy,) = (one["content"] for one in page.of("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert json.loads(json.dumps(document, allow_nan=False)) == document and document["schema"] == "hl.report/2"


def test_every_accepted_step_is_shown_with_diff_and_author(run):
    document, page = reported(run)
    accepted = [trial for trial in trials_of(Ledger(run / "trials.jsonl").read()) if trial.accepted]
    assert len(accepted) == 3 and [one["trial"] for one in document["steps"]] == [trial.index for trial in accepted]
    assert len(page.of("details")) == len(accepted) + 1  # and the settings
    for trial, step, summary in zip(accepted, document["steps"], page.texts["summary"]):
        assert summary.startswith(f"trial {trial.index}: {trial.mean:,.6g} {trial.change or 'initial program'}")
        assert (step["program_hash"], step["proposer"], step["model"]) == (
            trial.program_hash,
            trial.proposer,
            trial.model,
        )
    first, better, best = document["steps"]
    assert (
        first["diff"] is None
        and better["diff"][:2] == ["--- trial 0", "+++ trial 2"]
        and best["parent"] in ("trial 0", "trial 2")
    )
    assert (
        "-    when pole.angle > 0 => RIGHT" in better["diff"]
        and "+    when pole.angle + 0.01 * pole.velocity > 0 => RIGHT" in better["diff"]
    )
    lines = page.texts["span"]
    assert all(line in lines for step in (better, best) for line in step["diff"])
    assert better["said"].startswith("I hope") and best["said"] == ""


def test_rejections_calls_cost_proof_and_the_best_program(run):
    document, page = reported(run)
    counts = {row["gate"]: row["count"] for row in document["rejections"]}
    assert set(counts) == set(GATES[:-1])
    assert {gate: count for gate, count in counts.items() if count} == {"parse": 1, "prove": 1, "duplicate": 1}
    assert sum(counts.values()) + len(document["steps"]) == document["spent"]["programs"] == 6
    recorded = trials_of(Ledger(run / "trials.jsonl").read())
    assert (
        document["spent"]["environment_steps"]
        == document["end"]["environment_steps"]
        == sum(trial.environment_steps for trial in recorded)
    )
    assert document["spent"]["budget_steps"] == 20_000
    assert (
        document["spent"]["calls"]["calls"] == 5 and document["end"]["tokens"] == document["spent"]["tokens"] == 5 * 820
    )
    assert document["best"]["mean"] == 500 and document["best"]["program"].strip() in page.text
    assert (
        document["proof"]["passed"] is True and document["status"] == "stopped" and document["stop_reason"] in page.text
    )
    assert all(
        one["status"] == "proved" and one["claim"] in page.text
        for one in document["proof"]["results"]
        if one["kind"] == "invariant"
    )


def test_report_counts_rejections_by_gate(run):
    common = {"kind": "search", "environment": "CartPole-v1", "protocol": "standard", "environment_steps": 7}
    trials = [
        Trial(gate=gate, reason=reason, **common)
        for gate, reason in (
            ("pruned", "return far below"),
            ("pruned", "return far below"),
            ("quick_seeds", "3 on the quick seeds"),
            ("regression", "breaks `first`"),
        )
    ]
    Ledger(run / "trials.jsonl").append_many([trial.to_event() for trial in trials])
    document, page = reported(run)
    rows = {row["gate"]: (row["count"], row["environment_steps"]) for row in document["rejections"]}
    assert (rows["pruned"], rows["quick_seeds"], rows["all_seeds"], rows["regression"]) == (
        (2, 14),
        (1, 7),
        (0, 0),
        (1, 7),
    )
    assert "2 × return far below" in page.text and "1 × breaks `first`" in page.text


def test_scores_are_drawn_against_steps_and_against_tokens(run):
    document, page = reported(run)
    points = document["points"]
    assert [point["score"] for point in points] == sorted(point["score"] for point in points) and len(points) == 3
    assert all(
        one["environment_steps"] < other["environment_steps"] and one["tokens"] < other["tokens"]
        for one, other in zip(points, points[1:])
    )
    assert points[0]["tokens"] == 0 and points[-1]["best_so_far"] == 500
    charts = [one for one in page.of("svg") if one["class"] == "chart"]
    assert [one["aria-label"] for one in charts] == ["Scores against environment steps", "Scores against tokens"]
    assert len([one for one in page.of("circle") if one.get("class") == "accepted"]) == 2 * len(points)
    assert len(page.of("polyline")) == 2
    for drawn in re.findall("<svg.*?</svg>", (run / "report.html").read_text(encoding="utf-8"), re.DOTALL):
        assert ElementTree.fromstring(drawn).tag == "svg", "it is XML, too"


def test_lineage_is_drawn(run):
    document, page = reported(run)
    nodes, edges = document["lineage"]["nodes"], document["lineage"]["edges"]
    assert [node["trial"] for node in nodes] == [0, 2, 4] and [node["best"] for node in nodes] == [False, False, True]
    assert (
        nodes[0]["layer"] == 0
        and len(edges) == 2
        and len([one for one in page.of("path") if "edge" in one["class"]]) == 2
    )


def test_texts_of_models_are_escaped(run):
    document, page = reported(run)
    page.check_self_contained()
    assert (
        EVIL in page.text
        and f"m<b>{EVIL}" in page.text
        and any(text.startswith(f"I hope {EVIL}") for text in page.texts["pre"])
    )
    assert f"# look ahead {EVIL}" in document["steps"][1]["program"]


@FEW
@given(change=st.text(), program=st.text(), reason=st.text(), model=st.text(), name=st.text())
def test_any_text_of_a_model_is_escaped(tmp_path_factory, change, program, reason, model, name):
    folder = tmp_path_factory.mktemp("any")
    common = {
        "environment": "CartPole-v1",
        "protocol": "standard",
        "seeds": [0],
        "returns": [1.0],
        "lengths": [1],
        "model": model,
        "program_name": name,
        "kind": "search",
    }
    trials = [
        Trial(index=0, program_hash="a", program="one", gate="accepted", accepted=True, **common),
        Trial(
            index=1,
            program_hash="b",
            program=program,
            parent_hashes=("a",),
            change=change,
            gate="accepted",
            accepted=True,
            **common,
        ),
        Trial(index=2, program_hash=name, program=program, change=change, reason=reason, gate="quick_seeds", **common),
    ]
    Ledger(folder / "trials.jsonl").append_many([trial.to_event() for trial in trials])
    document, page = reported(folder)
    page.check_self_contained()
    assert len(page.of("details")) == len(document["steps"]) == 2 and len(page.texts["section"]) == len(
        page.texts["h2"]
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_escaped_text_is_read_as_written(text):
    page = Page("<!DOCTYPE html>\n" + element("body", element("p", text, title=text)))
    assert page.text == text and page.of("p") == [{"title": text}]


@given(st.text())
def test_any_text_can_be_escaped(text):
    escaped(text).encode("utf-8")


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 9))
def test_axis_ticks_are_in_their_range_and_limited_in_number(low, width, most):
    high = low + width
    if high - low > abs(low) * 1e-9:
        found = ticks(low, high, most)
        assert len(found) <= most + 1 and all(low - width * 1e-6 <= one <= high + width * 1e-6 for one in found)


@FEW
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=2), st.booleans()), min_size=1, max_size=12
    )
)
def test_a_parent_is_in_an_earlier_layer_than_its_child(tmp_path_factory, given_trials):
    folder = tmp_path_factory.mktemp("any")
    trials = [
        Trial(
            kind="search",
            index=number,
            program_hash=str(one),
            parent_hashes=tuple(map(str, parents)),
            program=f"p{one}",
            gate="accepted" if accepted else "quick_seeds",
            accepted=accepted,
            environment="E",
            protocol="p",
            seeds=[0],
            returns=[number],
            lengths=[1],
        )
        for number, (one, parents, accepted) in enumerate(given_trials)
    ]
    Ledger(folder / "trials.jsonl").append_many([trial.to_event() for trial in trials])
    document, _ = reported(folder)
    nodes = {node["program_hash"]: node for node in document["lineage"]["nodes"]}
    assert {one.program_hash for one in trials if one.accepted} <= set(nodes)
    assert len({(node["layer"], node["place"]) for node in nodes.values()}) == len(nodes)
    assert all(nodes[edge["from"]]["layer"] < nodes[edge["to"]]["layer"] for edge in document["lineage"]["edges"])
    assert document["steps"] == [] or pytest.approx(document["best"]["mean"]) == max(
        one.returns[0] for one in trials if one.accepted
    )
