"""Programs in folders by the verdict they must get. Every proved one has a twin that one changed bound or guard spoils."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import Limits, screen
from hl_dsl.verify.claims import STATUSES
from hl_dsl.verify.obligations import goals
from hl_dsl.verify.replay import Run, first_break

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.glob("*/*.hl"))
STATUS = {status.replace(" (reals)", "-reals").replace(" ", "-"): status for status in STATUSES}
LIMITS = Limits(solver_steps=300_000, bounded_steps=200_000)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_verdict(path):
    program = Program.load(path)
    proof = program.prove(limits=LIMITS)
    expected = STATUS[path.parent.name]
    assert {result.status for result in proof.results if result.status != "proved"} == ({expected} - {"proved"}), proof.render()
    assert proof.passed == (expected == "proved")
    assert json.loads(json.dumps(proof.to_json(), allow_nan=False))["passed"] == proof.passed
    text = proof.render(program.source)
    for result in proof.results:
        if result.status != "proved":
            assert result.claim in text and result.id in text
        if result.status in ("violated", "ill-defined"):
            assert_replays(program.flow, result)
    if screen(program.flow).passed:
        assert proof.passed or expected == "vacuous"


def assert_replays(flow, result):
    """The trace of a violation, run again from what its JSON says."""
    goal = next(goal for goal in goals(flow) if goal.id == result.id)
    run = Run(result.trace[0]["parameters"], tuple(tuple(tick["inputs"].values()) for tick in result.trace))
    assert first_break(flow, goal, run) == len(result.trace) - 1


def test_every_status_has_programs():
    assert {path.parent.name for path in FILES} == set(STATUS)


def test_every_verdict_repeats():
    path = CORPUS / "violated" / "paddle_winds_up.hl"
    first, second = (Program.load(path).prove(limits=LIMITS) for _ in range(2))
    strip = lambda proof: [{**result, "seconds": 0} for result in proof.to_json()["results"]]
    assert strip(first) == strip(second)
