"""Generated programs and runs, as many as asked for, through every form and the verifier.

    python -m tests.fuzz.run_fuzz                                # 100,000 programs on two processes
    python -m tests.fuzz.run_fuzz --first 40000 --programs 5000  # only those with these numbers
    python -m tests.fuzz.run_fuzz --replay runs/fuzz/7-41234.json

Program number N of a seed is the same on every machine, whatever ran before it, so a run that was stopped resumes with
`--first`. A failing program is reduced, saved and shown; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from pathlib import Path

from hl_dsl.verify.smt.solver import Solver
from tests.fuzz.examine import Examined, examine
from tests.support.generators.choices import Rolled, reduced
from tests.support.generators.coverage import missing, table

SAVED = Path("runs/fuzz")
_SHARE = 250  # programs a process takes at a time
_MOST_SAVED = 5
_SCHEMA = "hl.fuzz/1"


def share(task: tuple[int, range]) -> tuple[Counter, list[tuple[int, list[int]]]]:
    """Examines the programs of these numbers: counts, and the choices of each that failed."""
    seed, numbers = task
    counts: Counter = Counter()
    failed = []
    started = time.process_time()
    with Solver(60) as solver:
        for number in numbers:
            choices = Rolled(random.Random(f"{seed}/{number}"))
            if examine(choices, counts, solver).problems:
                failed.append((number, choices.taken))
    counts["CPU ms"] += round(1000 * (time.process_time() - started))
    return counts, failed


def smallest(taken: list[int], attempts: int = 3000) -> tuple[list[int], Examined]:
    """The same failure in a program, and a run, that are as small as was found."""
    kinds = {problem.kind for problem in examine(Rolled(again=taken), Counter()).problems}

    def fails(trial):
        choices = Rolled(again=trial)
        return choices.taken if kinds & {problem.kind for problem in examine(choices, Counter()).problems} else None

    best = reduced(taken, fails, attempts)
    return best, examine(Rolled(again=best), Counter())


def report(seed: int, number: int, taken: list[int]) -> Path:
    """Saves and shows a failure; gives the file."""
    best, found = smallest(taken)
    SAVED.mkdir(parents=True, exist_ok=True)
    path = SAVED / f"{seed}-{number}.json"
    document = {
        "schema": _SCHEMA,
        "seed": seed,
        "number": number,
        "problems": [problem._asdict() for problem in found.problems],
        "program": "" if found.program is None else found.program.text,
        "choices": best,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    show(found)
    print(f"saved: {path}", file=sys.stderr)
    return path


def show(found: Examined) -> None:
    for problem in found.problems:
        print(f"{problem.kind}: {problem.says}", file=sys.stderr)
    if found.program is not None:
        print(found.program.text, file=sys.stderr)
    if found.run is not None:
        print(
            f"observations {found.run.columns}\nrestarts {found.run.restarts.tolist()}, "
            f"present {found.run.present.tolist()}, "
            f"parameters {found.run.parameters}",
            file=sys.stderr,
        )


def replay(path: Path) -> int:
    document = json.loads(path.read_text())
    if document.get("schema") != _SCHEMA:
        print(f"{path} is not a failure that this program saved", file=sys.stderr)
        return 2
    found = examine(Rolled(again=document["choices"]), Counter())
    show(found)
    return 1 if found.problems else 0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--programs", type=int, default=100_000)
    arguments.add_argument("--first", type=int, default=0, help="number of the first program")
    arguments.add_argument("--seed", type=int, default=int(time.strftime("%Y%j")), help="of the day, unless given")
    arguments.add_argument("--jobs", type=int, default=2, help="processes")
    arguments.add_argument("--replay", type=Path, help="a saved failure")
    chosen = arguments.parse_args()
    if chosen.replay is not None:
        return replay(chosen.replay)
    end = chosen.first + chosen.programs
    tasks = [(chosen.seed, range(first, min(first + _SHARE, end))) for first in range(chosen.first, end, _SHARE)]
    counts: Counter = Counter()
    failures = 0
    started = time.perf_counter()
    print(f"seed {chosen.seed}, programs {chosen.first} to {end - 1}, {chosen.jobs} processes", flush=True)
    with multiprocessing.get_context("spawn").Pool(chosen.jobs) as pool:
        try:
            for done, (task, (more, failed)) in enumerate(zip(tasks, pool.imap(share, tasks))):  # noqa: B007 (read later)
                counts.update(more)
                for number, taken in failed:
                    failures += 1
                    print(f"\nprogram {number} fails", file=sys.stderr)
                    if failures <= _MOST_SAVED:
                        report(chosen.seed, number, taken)
                rate = counts["programs"] / (time.perf_counter() - started)
                print(
                    f"\r{counts['programs']} programs, up to number {task[1].stop - 1}, "
                    f"{rate:.1f} a second, {failures} failed",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
        except KeyboardInterrupt:
            pool.terminate()
            print(
                f"\nstopped; to resume: --seed {chosen.seed} "
                f"--first {chosen.first + done * _SHARE if counts else chosen.first}",
                file=sys.stderr,
            )
            return 130
    print(file=sys.stderr)
    summary(counts, failures, time.perf_counter() - started)
    return 1 if failures else 0


def summary(counts: Counter, failures: int, seconds: float) -> None:
    written, built = (
        Counter({name.removeprefix(stem): count for name, count in counts.items() if name.startswith(stem)})
        for stem in ("written: ", "built: ")
    )
    print(table(written, built))
    rest = {name: count for name, count in counts.items() if not name.startswith(("written: ", "built: "))}
    print("\n".join(f"{count:10d}  {name}" for name, count in rest.items()))
    print(
        f"{seconds:.0f} s; {failures} programs failed; never written: {', '.join(missing(written, built)) or 'nothing'}"
    )


if __name__ == "__main__":
    sys.exit(main())
