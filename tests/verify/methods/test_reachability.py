"""`reachable` properties: a witness is a replayed run; a property that never holds is vacuous."""

from __future__ import annotations

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, screen
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break

# Without the solver, and next to no simulation: so that "unknown" is easy to have.
POOR = ProofLimits(solver=False, lanes=0)


def program(declarations: str) -> Program:
    return Program.parse(f"""policy p for "Breakout-v5" {{
      observe ram, reward
      {declarations}
      act {{ when ram[0] > 9 => LEFT otherwise => RIGHT }}
    }}""")


def verdict(declarations: str, **options):
    proof = program(declarations).prove(**options)
    return proof, next(result for result in proof.results if result.id == "reachable:wanted")


@pytest.mark.parametrize(
    "declarations, method",
    [
        ("reachable wanted: action == LEFT", "simulation"),
        ("memory n: int in [0, 60] = 0 { next = min(n + 1, 60) } reachable wanted: n == 60", "simulation"),
        (
            "reachable wanted: ram[1] == 77 and ram[2] == 33 and previous(ram[1], 0) == 78 and previous(ram[2], 0) "
            "== 12",
            "bounded model checking",
        ),
        ("assume same: ram[1] == previous(ram[1], 40) + 1 reachable wanted: ram[1] == 55", "simulation"),
        ("assume same: ram[1] + ram[2] == 300 reachable wanted: ram[1] == 250", "bounded model checking"),
    ],
)
def test_witness_is_a_run_that_replays(declarations, method):
    found = program(declarations)
    proof = found.prove()
    result = next(result for result in proof.results if result.id == "reachable:wanted")
    assert (result.status, result.method, proof.passed) == ("proved", method, True), proof.render()
    assert "the trace below reaches it at its last tick" in result.claim and result.claim in proof.render()
    run = SimulatedRun(result.trace[0]["parameters"], tuple(tuple(tick["inputs"].values()) for tick in result.trace))
    goal = next(goal for goal in list_goals(found.flow) if goal.id == result.id)
    assert first_break(found.flow, goal, run) == len(result.trace) - 1


@pytest.mark.parametrize(
    "declarations",
    [
        "reachable wanted: ram[0] > 255",
        "memory n: int in [0, 9] = 0 { next = if n < 9 then n + 1 else 0 } reachable wanted: n == 9 and previous(n, "
        "9) == 9",
        "assume low: ram[3] < 10 reachable wanted: ram[3] == 10",
        "assume none: ram[3] > 255 reachable wanted: ram[4] == 10",
    ],
)
def test_unreachable_property_is_vacuous(declarations):
    proof, result = verdict(declarations)
    assert (result.status, proof.passed, proof.exit_code) == ("vacuous", False, 1), proof.render()
    assert result.trace == () and "can never hold" in result.claim
    assert not screen(program(declarations).flow).passed


def test_property_without_a_witness_is_unknown_and_does_not_pass():
    needle = "reachable wanted: " + " and ".join(f"ram[{cell}] == {37 * cell % 256}" for cell in range(1, 9))
    proof, result = verdict(needle, limits=POOR)
    assert (result.status, proof.passed, proof.exit_code) == ("unknown", False, 3)
    assert (
        "does not count as reachable" in result.claim
        and "no run that reaches it was found" in result.detail
        and not result.trace
    )
    assert verdict(needle)[1].status == "proved"


def test_screening_accepts_a_property_that_a_quick_run_reaches():
    quick = screen(program("reachable wanted: action == LEFT").flow)
    assert quick.passed and [result.status for result in quick.results] == ["proved"]
    assert not screen(program("reachable wanted: action == LEFT invariant wrong: ram[1] == 0").flow).passed


def test_unreachable_property_is_unknown_if_the_program_is_ill_defined():
    proof, result = verdict("let x = 1 / ram[5] reachable wanted: x > 2")
    assert result.status == "unknown" and "depends on" in result.detail, proof.render()


def test_proof_does_not_assume_the_negation_of_a_reachable_property():
    """Other proofs may use the negation only if it is proved."""
    proof, result = verdict("reachable wanted: ram[1] == 7 invariant other: ram[1] != 7")
    assert result.status == "proved" and {one.status for one in proof.results} == {"proved", "violated"}


def test_violated_response_shows_its_trigger_tick():
    proof = program("invariant soon: within 2 of ram[5] == 1: ram[6] == 1").prove()
    (result,) = proof.results
    states = [tick["properties"]["soon"] for tick in result.trace]
    waited = [tick["memory"]["soon.waited"] for tick in result.trace]
    assert result.status == "violated" and states[-3:] == ["asked", "waiting", "waiting"] and waited[-3:] == [0, 1, 2]
    assert result.trace[-3]["inputs"]["ram[5]"] == 1
    text = proof.render()
    assert f"triggered at tick {len(states) - 3}" in text and "soon.waited" in text and "waiting" in text


def test_trace_does_not_show_other_properties():
    proof = program(
        "invariant soon: within 2 of ram[5] == 1: ram[6] == 1\n monitor calm: after ram[1] == 1 until false: ram[2] "
        "== 0"
    ).prove()
    assert "soon.waited" in proof.render() and "calm" not in proof.render()
