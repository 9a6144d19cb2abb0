"""Certificates: a solver without HL confirms the scripts of a proof."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.verify.certificate_files import write_certificate
from hl_dsl.verify.certificates import build_certificate
from hl_dsl.verify.smt.solver_program import solver_path
from tests.verify.test_verdicts import LIMITS, VERDICTS

LEMMA = re.compile(r"\(assert (\(=> )?h\d")  # assertions of lemmas come after the negated goal
PROVED = sorted(VERDICTS.glob("proved/*.hl"))


def answer(text: str) -> str:
    solver = solver_path()
    assert solver is not None
    done = subprocess.run([solver, "-in", "-smt2", "-T:60"], input=text, capture_output=True, text=True, timeout=120)
    return done.stdout.strip()


@pytest.mark.parametrize("path", PROVED, ids=lambda path: path.stem)
def test_another_solver_confirms_the_scripts(path, tmp_path):
    program = Program.load(path)
    proof = program.prove(limits=LIMITS)
    index = json.loads(
        write_certificate(tmp_path / "out", build_certificate(program.flow, proof, LIMITS)).read_text(encoding="utf-8")
    )
    assert index["schema"] == "hl.certificate/1" and index["program_hash"] == program.hash
    assert [entry["id"] for entry in index["obligations"]] == [result.id for result in proof.results]
    listed = set()
    for entry in index["obligations"]:
        assert entry.get("intervals") or entry.get("queries") or entry.get("witness"), entry
        if entry["method"].startswith("z3"):
            assert {query["part"] for query in entry["queries"]} >= {"step"}
        for query in entry.get("queries", ()):
            listed.add(query["file"])
            text = (tmp_path / "out" / query["file"]).read_text(encoding="utf-8")
            assert f"(set-info :status {query['expected']})" in text
            assert answer(text) == query["expected"] == "unsat"
            lines = text.splitlines()
            denied = max(
                number for number, line in enumerate(lines) if line.startswith("(assert") and not LEMMA.match(line)
            )
            without = [line for number, line in enumerate(lines) if number != denied and ":status" not in line]
            assert answer("\n".join(without)) in ("sat", "unknown", "timeout"), "what it supposes is possible"
    assert listed == {file.name for file in (tmp_path / "out").glob("*.smt2")}


def test_every_proof_that_needs_the_solver_is_certified():
    counts = {"scripts": 0, "uncertified": 0}
    for name in ("ghost_counter", "paddle_follows", "two_ticks_back", "sign_of_difference"):
        program = Program.load(VERDICTS / "proved" / f"{name}.hl")
        found = build_certificate(program.flow, program.prove(limits=LIMITS), LIMITS)
        counts["scripts"] += len(found.queries)
        counts["uncertified"] += len(found.uncertified)
    assert counts["scripts"] >= 6 and counts["uncertified"] == 0


def test_only_proved_goals_are_certified(tmp_path):
    program = Program.load(VERDICTS / "violated" / "paddle_follows.hl")
    proof = program.prove(limits=LIMITS)
    ids = {entry["id"] for entry in build_certificate(program.flow, proof, LIMITS).entries}
    assert (
        ids == {result.id for result in proof.results if result.status == "proved"}
        and "invariant:command_bounds" not in ids
    )


def test_certificate_replaces_only_a_certificate(tmp_path):
    ghost, other = (Program.load(VERDICTS / "proved" / name) for name in ("ghost_counter.hl", "aim_clamped.hl"))
    write_certificate(tmp_path / "c", build_certificate(ghost.flow, ghost.prove()))
    assert list((tmp_path / "c").glob("*.smt2"))
    write_certificate(tmp_path / "c", build_certificate(other.flow, other.prove()))
    assert not list((tmp_path / "c").glob("invariant-same*"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(HLError, match="does not hold a certificate"):
        write_certificate(tmp_path / "mine", build_certificate(ghost.flow, ghost.prove()))
