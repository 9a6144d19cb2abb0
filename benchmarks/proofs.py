"""Cost of proofs: CPU time of this process and of the solver.

    python -m benchmarks.proofs [--json]

Cold: all obligations of the Breakout policy with an empty cache, the start of z3 included. Edited: the same policy with
one line changed at random (well typed, a different program), with the cache of all proofs before it. Gait: eight joints
under a PD law. Late: false properties that hold for up to 2,000 ticks, until their counterexample is replayed.
"""

import argparse
import json
import os
import resource
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.verify import Proof, SearchCache, prove
from hl_dsl.verify.goals.statuses import ProofStatus

ROOT = Path(__file__).parent.parent
EDITS = 40
# Median CPU milliseconds.
TARGETS = {"cold": 100.0, "edited": 30.0, "gait": 1000.0, "late": 1000.0}


def milliseconds(program: Program, search_cache: SearchCache | None = None) -> tuple[float, Proof]:
    """Returns the CPU time of a proof in milliseconds, and the proof."""
    flow = program.flow
    before = _spent(search_cache)
    proof = prove(flow, search_cache=search_cache)
    return 1000 * (_spent(search_cache) - before), proof


def _spent(search_cache: SearchCache | None) -> float:
    """Returns the CPU seconds of this process, its ended children and the running solver of the cache (on Linux)."""
    ended = sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    if search_cache is None or search_cache.solver_pid is None:
        return ended
    fields = Path(f"/proc/{search_cache.solver_pid}/stat").read_text().rpartition(")")[2].split()
    return ended + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def edits(program: Program, count: int) -> list[Program]:
    """Returns programs that differ from this one in one line of their text."""
    subject, draw, lines = Subject(program), Random(0), program.text.splitlines()
    edited: list[Program] = []
    while len(edited) < count:
        made = mutate(subject, draw)
        try:
            changed = None if made is None else Program.from_syntax(made.policy, card=program.card)
            if changed is None or changed.hash == program.hash:
                continue
        except HLError:
            continue
        new = changed.text.splitlines()
        if len(new) == len(lines) and sum(a != b for a, b in zip(lines, new)) == 1:
            edited.append(changed)
    return edited


def measure() -> list[dict[str, Any]]:
    """Measures all kinds of proofs. Returns a row for each kind."""
    os.environ["HL_CARDS"] = str(ROOT / "benchmarks" / "cards")
    breakout, gait = Program.load(ROOT / "policies/breakout/ram.hl"), Program.load(ROOT / "benchmarks/gait.hl")
    rows: list[dict[str, Any]] = []

    def add(kind: str, runs: list[tuple[float, Proof]], good: int) -> None:
        times = sorted(time for time, _ in runs)
        rows.append(
            {
                "kind": kind,
                "programs": len(times),
                "median_ms": median(times),
                "most_ms": times[-1],
                "target_ms": TARGETS[kind],
                "as_expected": good,
            }
        )

    runs = [milliseconds(breakout) for _ in range(5)]
    add("cold", runs, sum(proof.passed for _, proof in runs))
    search_cache = SearchCache()
    prove(breakout.flow, search_cache=search_cache)
    runs = [milliseconds(program, search_cache) for program in edits(breakout, EDITS)]
    add("edited", runs, sum(proof.passed for _, proof in runs))
    search_cache.close()
    runs = [milliseconds(gait) for _ in range(5)]
    add("gait", runs, sum(proof.passed for _, proof in runs))
    runs = [milliseconds(Program.load(path)) for path in sorted((ROOT / "tests/golden/late").glob("*.hl"))]
    add(
        "late",
        runs,
        sum(
            any(
                result.status in (ProofStatus.VIOLATED, ProofStatus.ILL_DEFINED) and result.trace
                for result in proof.results
            )
            for _, proof in runs
        ),
    )
    return rows


def main(as_json: bool = False) -> None:
    """Runs the benchmark and prints the result."""
    rows = measure()
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    print("proofs, CPU time of this process and z3's")
    words = {"cold": "proved", "edited": "proved", "gait": "proved", "late": "violated, with a replayed trace"}
    for row in rows:
        print(
            f"  {row['kind']:<7} {row['programs']:>3} programs: median {row['median_ms']:6.1f} ms, "
            f"most {row['most_ms']:7.1f} ms (target {row['target_ms']:.0f}); {row['as_expected']} {words[row['kind']]}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true")
    main(parser.parse_args().json)
