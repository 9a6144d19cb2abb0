"""z3 as a process: its answers, and what happens when it is missing, dies or hangs."""

from __future__ import annotations

import stat
from fractions import Fraction

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import Limits
from hl_dsl.verify.solver import SAT, UNKNOWN, UNSAT, Solver, SolverFailure
from hl_dsl.verify import solver as solver_module
from tests.verify.test_corpus import CORPUS

NEEDS_SOLVER = CORPUS / "proved" / "ghost_counter.hl"


def test_answers_and_models():
    with Solver(60) as solver:
        solver.fresh(100_000)
        solver.tell("(declare-const x Real)", "(declare-const n Int)", "(declare-const b Bool)",
                    "(assert (and (= (* 3.0 x) (- 1.0)) (= n (- 7)) b))")
        assert solver.check() == SAT
        assert solver.values(["x", "n", "b"]) == {"x": Fraction(-1, 3), "n": -7, "b": True}
        solver.tell("(assert (> n 0))")
        assert solver.check() == UNSAT


def test_an_irrational_value_is_none():
    with Solver(60) as solver:
        solver.fresh(1_000_000)
        solver.tell("(declare-const x Real)", "(assert (and (> x 0.0) (= (* x x) 2.0)))")
        assert solver.check() == SAT
        assert solver.values(["x"]) == {"x": None}


def test_the_resource_limit_is_per_question_and_repeats():
    hard = ["(declare-const a Int)", "(declare-const b Int)", "(declare-const c Int)",
            "(assert (and (> a 0) (> b 0) (> c 0) (= (+ (* a a a) (* b b b)) (* c c c))))"]
    spent = []
    with Solver(60) as solver:
        for _ in range(2):
            solver.fresh(20_000)
            solver.tell(*hard)
            assert solver.check() == UNKNOWN and solver.reason
            spent.append(solver.spent())
        solver.fresh(20_000)
        solver.tell("(declare-const a Int)", "(assert (> a 0))")
        assert solver.check() == SAT
    assert spent[0] == spent[1]


def test_a_complaint_is_no_answer():
    with Solver(60) as solver:
        solver.fresh(1000)
        solver.tell("(assert (> nothing 0))")
        with pytest.raises(SolverFailure, match="nothing"):
            solver.check()


def fake(tmp_path, script: str) -> str:
    path = tmp_path / "z3"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize("script, reason", [
    (None, "was not found"),
    ("exec sleep 60", "no answer for 0.2 s and was stopped"),
    ("exit 1", "ended by itself"),
    ("echo nonsense; exec sleep 60", "no answer"),
], ids=["missing", "hanging", "dying", "babbling"])
def test_without_a_working_solver_nothing_is_proved_by_it(tmp_path, monkeypatch, script, reason):
    monkeypatch.setattr(solver_module, "solver_path", lambda: None if script is None else fake(tmp_path, script))
    proof = Program.load(NEEDS_SOLVER).prove(limits=Limits(hang_seconds=0.2, lanes=4, ticks=10))
    result = next(result for result in proof.results if result.id == "invariant:same")
    assert result.status == "unknown" and reason in result.detail
    assert not proof.passed
    assert all(result.method == "intervals" for result in proof.results if result.status == "proved")


def test_a_solver_that_dies_between_questions(monkeypatch):
    solver = Solver(60)
    solver.fresh(1000)
    solver.tell("(declare-const a Int)")
    assert solver.check() == SAT
    solver._process.kill()
    solver._process.wait()
    with pytest.raises(SolverFailure):
        solver.check()
    solver.close()
