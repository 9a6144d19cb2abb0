"""The cache of solver answers changes the cost of a proof and never its results."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, SearchCache, SolverAnswerCache
from hl_dsl.verify.smt import answer_cache as cache_module
from hl_dsl.verify.smt import solver as solver_module
from hl_dsl.verify.smt.answer_cache import _seal
from hl_dsl.verify.smt.solver import Solver
from tests.verify.smt.test_solver import ANSWERING, fake
from tests.verify.test_verdicts import VERDICTS, assert_replays

LIMITS = ProofLimits(solver_steps=300_000, bounded_steps=100_000, lanes=8, ticks=20)
FILES = [
    VERDICTS / name
    for name in (
        "proved/ghost_counter.hl",
        "proved/stuck_then_turns.hl",
        "violated/two_ticks_back.hl",
        "unknown/no_cubes.hl",
        "unconfirmed/absorbed.hl",
        "vacuous/conditions_agree.hl",
        "proved-reals/product_commutes.hl",
    )
]


def said(proof) -> list[dict]:
    return [{**result, "seconds": 0} for result in proof.to_json()["results"]]


def proved(path_or_program, path, limits=LIMITS):
    """Returns the results of a proof with the cache in a file, and the number of queries."""
    program = path_or_program if isinstance(path_or_program, Program) else Program.load(path_or_program)
    cache, search_cache = SolverAnswerCache(str(path)), SearchCache()
    try:
        return said(program.prove(limits=limits, search_cache=search_cache, answer_cache=cache)), search_cache.queries
    finally:
        search_cache.close()
        cache.close()


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_second_proof_has_the_same_results_without_queries(file, tmp_path):
    plain = said(Program.load(file).prove(limits=LIMITS))
    cold, asked = proved(file, tmp_path / "answers")
    warm, again = proved(file, tmp_path / "answers")
    assert plain == cold == warm
    assert asked > 0 and again == 0
    other, _ = proved(
        file,
        tmp_path / "answers",
        ProofLimits(solver_steps=299_000, bounded_steps=100_000, lanes=8, ticks=20, slicing=False),
    )
    assert [result["status"] for result in other] == [result["status"] for result in plain]


PARTS = """policy p for "Breakout-v5" {{ observe ram, reward {first} act {{ {rule} otherwise => NOOP }}
  memory timer: int in [0, 256] = 0 {{ next = if ram[77] == ram[{column}] then min(timer + 1, 256) else 0 }}
  memory ghost: int in [0, 300] = 0 {{ next = if ram[77] == ram[{column}] then min(ghost + 1, {most}) else 0 }}
  invariant same: ghost == timer }}"""


def test_edit_repeats_only_the_queries_that_it_affects():
    def text(first="", rule="when ram[3] > 4 => LEFT", column=78, most=256):
        return Program.parse(PARTS.format(first=first, rule=rule, column=column, most=most))

    search_cache = SearchCache()

    def asked(program: Program) -> int:
        before = search_cache.queries
        program.prove(search_cache=search_cache, limits=LIMITS)
        return search_cache.queries - before

    assert asked(text()) > 0
    assert asked(text()) == 0
    assert asked(text(rule="when ram[5] > 4 => RIGHT")) == 0
    assert asked(text(rule="when timer > 4 => RIGHT")) == 0
    assert (
        asked(
            text(first="let a = mod(ram[1], 7) let b = a * ram[2] memory c: int in [0, 300] = 0 { next = max(a, 3) }")
        )
        == 0
    )
    assert asked(text(column=79)) == 0, "the same but for the name of a byte"
    assert asked(text(most=255)) > 0
    search_cache.close()


def damaged(how: str, path) -> None:
    if how == "rubbish":
        path.write_bytes(b"rubbish" * 5000)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "spoiled":
        raw = bytearray(path.read_bytes())
        raw[4096:] = bytes((byte + 1) % 256 for byte in raw[4096:])
        path.write_bytes(bytes(raw))
    elif how == "turned":
        with sqlite3.connect(path) as connection:
            connection.execute("update answers set answer = replace(cast(answer as text), 'sat', 'unsat')")
    elif how == "other table":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("create table answers (something int)")
    else:
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("how", ["rubbish", "cut", "spoiled", "turned", "other table", "folder"])
def test_damaged_cache_counts_as_empty(how, tmp_path):
    path = tmp_path / "answers"
    first, _ = proved(FILES[2], path)
    damaged(how, path)
    again, asked = proved(FILES[2], path)
    assert again == first and asked > 0
    assert said(Program.load(FILES[2]).prove(limits=LIMITS)) == first


def test_changed_model_in_the_cache_does_not_violate_a_goal(tmp_path):
    """The changed entry has a valid seal. A violation is reported only after a replay."""
    path, file = tmp_path / "answers", VERDICTS / "violated" / "two_ticks_back.hl"
    proved(file, path)
    with sqlite3.connect(path) as connection:
        rows = connection.execute("select key, answer from answers").fetchall()
        for key, answer in rows:
            changed = answer.replace(b" 0)", b" 7)") if answer.startswith(b"((") else answer
            connection.execute(
                "update answers set answer = ?, seal = ? where key = ?", (changed, _seal(key, changed), key)
            )
    program, cache = Program.load(file), SolverAnswerCache(str(path))
    for result in program.prove(limits=LIMITS, answer_cache=cache).results:
        if result.status in ("violated", "ill-defined"):
            assert_replays(program.flow, result)
    cache.close()


def test_answer_that_differs_from_the_cache_is_a_failure():
    class Wrong(dict):
        put = dict.__setitem__

    known = Wrong()
    with Solver(60, known) as solver:
        solver.reset(1000)
        solver.add("(declare-const a Int)", "(assert (> a 0))")
        assert solver.check() == "sat"
    key = next(iter(known))
    known[key] = known[key].replace("sat", "unsat")
    with Solver(60, known) as solver:
        solver.reset(1000)
        solver.add("(declare-const a Int)", "(assert (> a 0))")
        assert solver.check() == "unsat"
        solver.add("(assert (> a 1))")
        with pytest.raises(solver_module.SolverFailure, match="differs"):
            solver.check()


def test_transient_failure_is_not_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(
        solver_module,
        "solver_path",
        lambda: fake(tmp_path, ANSWERING.format('unknown\\n(:reason-unknown "out of memory")')),
    )
    answers = type("Kept", (dict,), {"put": dict.__setitem__})()
    with Solver(60, answers) as solver:
        solver.reset(1000)
        assert solver.check() == "unknown" and solver.reason == "out of memory"
    assert not answers


def test_goals_are_unknown_without_z3_even_with_a_full_cache(tmp_path, monkeypatch):
    proved(FILES[0], tmp_path / "answers")
    monkeypatch.setattr(solver_module, "solver_path", lambda: None)
    found, _ = proved(FILES[0], tmp_path / "answers")
    assert [result["status"] for result in found if result["id"] == "invariant:same"] == ["unknown"]


def test_cache_has_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "_MOST_ROWS", 5)
    proved(FILES[4], tmp_path / "answers")
    with sqlite3.connect(tmp_path / "answers") as connection:
        assert connection.execute("select count(*) from answers").fetchone()[0] <= 5


def test_two_processes_share_a_cache(tmp_path):
    command = [
        sys.executable,
        "-c",
        "from hl_dsl.cli.main import main; import sys; sys.argv = ['hl', 'verify', sys.argv[1], '--json']; main()",
    ]
    environment = {**os.environ, "HL_CACHE": str(tmp_path)}
    for _ in range(2):
        running = [
            subprocess.Popen([*command, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
            for file in (FILES[0], FILES[0])
        ]
        for process in running:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0 and b"note" not in err, err
    assert (tmp_path / "proofs.sqlite").exists()
