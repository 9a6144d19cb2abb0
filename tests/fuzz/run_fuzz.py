"""Generated programs and runs, as many as asked for, through every form and the verifier.

    python -m tests.fuzz.run_fuzz               # 2,000 programs from a seed of the day's own
    python -m tests.fuzz.run_fuzz 20000 --seed 7

The first difference is made as small as can be and shown; the exit code is then 1. A run with the same seed is the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from hypothesis import HealthCheck, given, seed, settings, strategies as st

from hl_dsl.compiler.export import export_python
from hl_dsl.format import format_policy
from hl_dsl.parse import parse
from hl_dsl.program import Program
from hl_dsl.source import Source
from hl_dsl.verify import screen
from hl_dsl.verify.interval_tier import IntervalTier
from hl_dsl.verify.report import PROPERTIES
from tests.generate.agreement import disagreements
from tests.generate.coverage import constructs_of, missing, operators_of, table
from tests.generate.inputs import interpret, runs
from tests.generate.programs import GeneratedProgram, programs
from tests.generate.soundness import unsound

WIDE = 17  # copies of a lane, so that a batch is larger than a block of the compiled loop


def check_text(program: GeneratedProgram) -> None:
    """The text means the tree, and formatting it again changes nothing."""
    again = parse(Source(program.text))
    assert again.declarations == program.policy.declarations, "the text means another program"
    assert format_policy(again) == program.text, "formatting twice changes the text"
    explained = Program(program.checked).explain()
    assert explained.strip(), "the explanation is empty"
    compile(export_python(program.flow), "<exported>", "exec")


def check_runs(program: GeneratedProgram, data, counts: Counter) -> None:
    run = data.draw(runs(program.flow))
    reference = interpret(run)
    counts["ticks"] += run.ticks * run.lanes
    for back_end in ("numpy", "tape"):
        assert disagreements(run, reference, back_end, counts)[:5] == []
    if data.draw(st.integers(0, 4)) == 4:
        assert disagreements(run.repeated(WIDE), reference, "tape", counts)[:5] == []
    tier, proof = IntervalTier(program.flow), screen(program.flow)
    counts["proved well defined"] += all(result.status == "proved" for result in proof.results if result.kind not in PROPERTIES)
    assert unsound(program.flow, tier, proof, run, reference)[:5] == []


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("programs", nargs="?", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=int(time.strftime("%Y%j")))
    chosen = arguments.parse_args()
    counts, written, built = Counter(), Counter(), Counter()
    start = time.perf_counter()

    @seed(chosen.seed)
    @settings(max_examples=chosen.programs, database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)
    @given(programs(), st.data())
    def fuzz(program, data):
        counts["programs"] += 1
        if counts["programs"] % 100 == 0:
            print(f"\r{counts['programs']} programs, {counts['compared']} lane ticks compared", end="", file=sys.stderr, flush=True)
        written.update(operators_of(program.policy))
        built.update(constructs_of(program))
        check_text(program)
        check_runs(program, data, counts)

    print(f"seed {chosen.seed}")
    try:
        fuzz()
    except BaseException as problem:
        print(f"\nfailed: {type(problem).__name__}: {problem}", file=sys.stderr)
        for note in getattr(problem, "__notes__", ()):
            print(note, file=sys.stderr)
        return 130 if isinstance(problem, KeyboardInterrupt) else 1
    print(file=sys.stderr)
    print(table(written, built))
    print(f"{dict(counts)} in {time.perf_counter() - start:.0f} s; never written: {', '.join(missing(written, built)) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
