"""What proofs cost, in process, by CPU time of this process and of the solver's together.

    python -m benchmarks.proofs [--json]

Cold: all obligations of the Breakout policy with nothing remembered, the start of z3 included. Edited: the same policy
with one line changed at random (well typed, another program), with the memo of all proofs before it. Gait: eight joints
under a PD law. Late: false properties that hold for up to 2,000 ticks, each to its replayed trace.
"""

import argparse
import json
import os
import resource
from pathlib import Path
from random import Random
from statistics import median

from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.verify import Proof, SearchCache, prove
from hl_dsl.verify.goals.statuses import ProofStatus

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program

ROOT = Path(__file__).parent.parent
EDITS = 40
BARS = {"cold": 100.0, "edited": 30.0, "gait": 1000.0, "late": 1000.0}


def milliseconds(program: Program, search_cache: SearchCache | None = None) -> tuple[float, Proof]:
    """CPU time of a proof."""
    flow = program.flow
    before = _spent(search_cache)
    proof = prove(flow, search_cache=search_cache)
    return 1000 * (_spent(search_cache) - before), proof


def _spent(search_cache: SearchCache | None) -> float:
    """Seconds of this process, of its children that have ended, and of the solver that lives on with a memo (on Linux)."""
    ended = sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    if search_cache is None or search_cache.solver_pid is None:
        return ended
    fields = Path(f"/proc/{search_cache.solver_pid}/stat").read_text().rpartition(")")[2].split()
    return ended + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def edits(program: Program, count: int) -> list[Program]:
    """Programs that differ from this one in one line of their text."""
    subject, draw, lines = Subject(program), Random(0), program.text.splitlines()
    found: list[Program] = []
    while len(found) < count:
        made = mutate(subject, draw)
        try:
            changed = None if made is None else Program.from_syntax(made.policy, card=program.card)
            if changed is None or changed.hash == program.hash:
                continue
        except HLError:
            continue
        new = changed.text.splitlines()
        if len(new) == len(lines) and sum(a != b for a, b in zip(lines, new)) == 1:
            found.append(changed)
    return found


def measure() -> list[dict]:
    os.environ["HL_CARDS"] = str(ROOT / "benchmarks" / "cards")
    breakout, gait = Program.load(ROOT / "policies/breakout/ram.hl"), Program.load(ROOT / "benchmarks/gait.hl")
    rows = []

    def add(kind: str, found: list[tuple[float, Proof]], good: int) -> None:
        times = sorted(time for time, _ in found)
        rows.append(
            {
                "what": kind,
                "programs": len(times),
                "median_ms": median(times),
                "most_ms": times[-1],
                "bar_ms": BARS[kind],
                "as_wanted": good,
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
    rows = measure()
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    print("proofs, CPU time of this process and z3's")
    words = {"cold": "proved", "edited": "proved", "gait": "proved", "late": "broken by a replayed trace"}
    for row in rows:
        print(
            f"  {row['what']:<7} {row['programs']:>3} programs: median {row['median_ms']:6.1f} ms, most {row['most_ms']:7.1f} ms "
            f"(bar {row['bar_ms']:.0f}); {row['as_wanted']} {words[row['what']]}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true")
    main(parser.parse_args().json)
