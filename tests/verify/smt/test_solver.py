"""z3 as a process: its answers, and what happens when it is missing, dies or hangs."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from fractions import Fraction

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.smt import solver as solver_module
from hl_dsl.verify.smt.solver import SAT, UNKNOWN, UNSAT, Solver, SolverFailure
from tests.verify.test_verdicts import VERDICTS

NEEDS_SOLVER = VERDICTS / "proved" / "ghost_counter.hl"


def test_solver_returns_answers_and_models():
    with Solver(60) as solver:
        solver.reset(100_000)
        solver.add(
            "(declare-const x Real)",
            "(declare-const n Int)",
            "(declare-const b Bool)",
            "(assert (and (= (* 3.0 x) (- 1.0)) (= n (- 7)) b))",
        )
        assert solver.check() == SAT
        assert solver.values(["x", "n", "b"]) == {"x": Fraction(-1, 3), "n": -7, "b": True}
        solver.add("(assert (> n 0))")
        assert solver.check() == UNSAT


def test_irrational_value_is_returned_as_none():
    with Solver(60) as solver:
        solver.reset(1_000_000)
        solver.add("(declare-const x Real)", "(assert (and (> x 0.0) (= (* x x) 2.0)))")
        assert solver.check() == SAT
        assert solver.values(["x"]) == {"x": None}


def test_resource_limit_holds_for_each_query_and_is_deterministic():
    hard = [
        "(declare-const a Int)",
        "(declare-const b Int)",
        "(declare-const c Int)",
        "(assert (and (> a 0) (> b 0) (> c 0) (= (+ (* a a a) (* b b b)) (* c c c))))",
    ]
    spent = []
    with Solver(60) as solver:
        for _ in range(2):
            solver.reset(20_000)
            solver.add(*hard)
            assert solver.check() == UNKNOWN and solver.reason
            spent.append(solver.spent())
        solver.reset(20_000)
        solver.add("(declare-const a Int)", "(assert (> a 0))")
        assert solver.check() == SAT
    assert spent[0] == spent[1]


def test_error_message_of_the_solver_is_a_failure():
    with Solver(60) as solver:
        solver.reset(1000)
        solver.add("(assert (> nothing 0))")
        with pytest.raises(SolverFailure, match="nothing"):
            solver.check()


def fake(tmp_path, script: str) -> str:
    path = tmp_path / "z3"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


# A z3 that says the same to every question, and keeps the marks that end its answers.
ANSWERING = """while read line; do case $line in
  *check-sat*) printf '{}\\n';; *echo*) line=${{line#*'"'}}; echo "${{line%'"'*}}";; esac; done"""


@pytest.mark.parametrize(
    "script, reason",
    [
        (None, "was not found"),
        ("exec sleep 60", "no answer for 0.2 s and was stopped"),
        ("exit 1", "ended by itself"),
        ("echo nonsense; exec sleep 60", "no answer"),
        ("exec yes nonsense", "stopped"),
        ("while read line; do case $line in *check-sat*) kill -9 $$;; esac; done", "ended by itself"),
        (ANSWERING.format('(error bad)\\nunsat\\n(:reason-unknown "")'), "z3 answered: (error bad)"),
        (ANSWERING.format("unsat"), "z3 answered: unsat"),
        (ANSWERING.format("unsat\\nunsat"), "z3 answered: unsat"),
        ("trap '' TERM; exec python3 -c 'while True: pass'", "no answer"),
    ],
    ids=[
        "missing",
        "hanging",
        "dying",
        "babbling",
        "flooding",
        "killed",
        "complaining",
        "saying no reason",
        "saying it twice",
        "spinning",
    ],
)
def test_goals_are_unknown_if_the_solver_fails(tmp_path, monkeypatch, script, reason):
    monkeypatch.setattr(solver_module, "solver_path", lambda: None if script is None else fake(tmp_path, script))
    proof = Program.load(NEEDS_SOLVER).prove(limits=ProofLimits(hang_seconds=0.2, lanes=4, ticks=10))
    result = next(result for result in proof.results if result.id == "invariant:same")
    assert result.status == "unknown" and reason in result.detail
    assert not proof.passed
    assert all(result.method == "intervals" for result in proof.results if result.status == "proved")


def test_solver_that_runs_out_of_memory_gives_unknown(monkeypatch):
    monkeypatch.setattr(solver_module, "_MEGABYTES", 1)
    result = next(
        result
        for result in Program.load(NEEDS_SOLVER).prove(limits=ProofLimits(lanes=4, ticks=10)).results
        if result.id == "invariant:same"
    )
    assert result.status == "unknown" and "z3" in result.detail


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system's limit is set on Linux only")
def test_operating_system_limits_the_memory_of_the_solver(tmp_path, monkeypatch):
    monkeypatch.setattr(solver_module, "_MEGABYTES", 200)
    monkeypatch.setattr(
        solver_module,
        "solver_path",
        lambda: fake(
            tmp_path, "exec python3 -c 'import time; time.sleep(0.5); held = bytearray(10**9); time.sleep(60)'"
        ),
    )
    with Solver(30) as solver:
        solver.reset(1000)
        with pytest.raises(SolverFailure, match="(?s)ended by itself.*MemoryError"):
            solver.check()


def test_solver_that_does_not_read_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(solver_module, "solver_path", lambda: fake(tmp_path, "exec sleep 60"))
    with Solver(0.2) as solver:
        solver.reset(1000)
        solver.add("(declare-const a Int)" * 100_000)
        with pytest.raises(SolverFailure, match="no answer for 0.2 s"):
            solver.check()


@pytest.mark.parametrize(
    "script",
    ["while read line; do case $line in *check-sat*) kill -9 $$;; esac; done", None],
    ids=["killed", "missing"],
)
def test_command_reports_unknown_if_the_solver_fails(tmp_path, script):
    path = repr(None if script is None else fake(tmp_path, script))
    code = (
        f"from hl_dsl.verify.smt import solver; solver.solver_path = lambda: {path}; from hl_dsl.verify.methods "
        f"import search_cache as memo; memo.solver_path = solver.solver_path;"
        f"import sys; sys.argv = ['hl', 'verify', {str(NEEDS_SOLVER)!r}, '--json']; from hl_dsl.cli.main import "
        f"main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "HL_CACHE": str(tmp_path)},
        timeout=120,
    )
    found = json.loads(done.stdout)
    assert done.returncode == found["exit_code"] == 3
    same = next(item for item in found["obligations"] if item["id"] == "invariant:same")
    assert same["status"] == "unknown" and ("ended by itself" in same["detail"] or "was not found" in same["detail"])


def test_solver_that_dies_between_queries_is_a_failure(monkeypatch):
    solver = Solver(60)
    solver.reset(1000)
    solver.add("(declare-const a Int)")
    assert solver.check() == SAT
    solver._process.kill()
    solver._process.wait()
    with pytest.raises(SolverFailure):
        solver.check()
    solver.close()
