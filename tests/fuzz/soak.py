"""Everything that is proved, simulated for a long time on hostile inputs: nothing may break.

    python -m tests.fuzz.soak                             # a million ticks of each golden program and policy
    python -m tests.fuzz.soak --ticks 20000 --only gait   # fewer, of those with `gait` in their path

Invariants, obligations, declared ranges and the ranges that the verifier found for the memory are looked at in every
lane and tick. A tick counts only where it, and all before it in its episode, keep the assumptions; NumPy may not warn.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from hl_dsl.compiler.backends.numpy_backend.source import compile_numpy
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.program import Program
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.simulation.monitors import add_monitors
from tests.fuzz.hostile import TYPES, HostileInputs, parameters_of
from tests.support.paths import ROOT, VERDICTS

_DRAWS_PER_TICK = 3  # limit for programs whose assumptions reject most ticks
_REDRAWS = 6
_RESTART = 0.0005  # chance that a lane starts a new episode for no other reason


@dataclass
class Soaked:
    """`ticks`: kept and looked at, in all lanes together; `drawn`: tried. `longest`: ticks of the longest episode."""

    ticks: int = 0
    drawn: int = 0
    longest: int = 0
    broken: tuple[str, ...] = ()


def soak(program: Program, ticks: int, lanes: int = 500, seed: int = 0) -> Soaked:
    """Runs `lanes` lanes at once until so many ticks were kept. Stops at the first thing that breaks."""
    flow = program.flow
    generator = np.random.default_rng(seed)
    watched = [goal for goal in list_goals(flow) if goal.kind != "reachable"]  # that is to break
    assumptions = len(flow.of_kind("assume"))
    step = compile_numpy(add_monitors(flow, watched))
    ranges = IntervalStage(flow).ranges
    parameters = parameters_of(flow, generator, lanes)
    inputs = HostileInputs(flow, generator, lanes)
    starts: list[np.ndarray] = [np.full(lanes, cell.start, TYPES[cell.base]) for cell in flow.memories]
    memory, age, found = list(starts), np.zeros(lanes, np.int64), Soaked()
    quiet: Literal["ignore", "raise"] = (
        "ignore" if assumptions else "raise"
    )  # rows that break an assumption are computed too, and dropped
    with np.errstate(divide=quiet, over=quiet, invalid=quiet, under="ignore"):
        while found.ticks < ticks and found.drawn < _DRAWS_PER_TICK * ticks:
            rows, following, holds, kept = _kept_tick(step, assumptions, inputs, memory, parameters, lanes)
            found.drawn += lanes
            found.ticks += int(kept.sum())
            inputs.last = rows
            for name, values in zip([goal.id for goal in watched], holds):
                if (kept & ~values).any():
                    lane = int(np.flatnonzero(kept & ~values)[0])
                    found.broken += (_says(name, flow, lane, age, rows, memory, parameters),)
            for cell, pair, values in zip(flow.memories, ranges, memory):
                if not ((values >= pair[0]) & (values <= pair[1])).all():
                    found.broken += (f"memory {cell.name} leaves {pair}",)
            if found.broken:
                return found
            age = np.where(kept, age + 1, 0)
            found.longest = max(found.longest, int(age.max()))
            going = kept & (generator.random(lanes) >= _RESTART)
            age = np.where(going, age, 0)
            memory = [
                np.where(going, np.broadcast_to(values, (lanes,)), start).astype(start.dtype)
                for values, start in zip(following, starts)
            ]
    return found


def _kept_tick(step, assumptions: int, inputs: HostileInputs, memory, parameters, lanes: int):
    """A tick whose inputs keep the assumptions in as many lanes as a few redraws bring about."""
    rows = inputs.draw()
    nearer = chain((inputs.tamer(attempt / (_REDRAWS - 1)) for attempt in range(_REDRAWS)), inputs.alone())
    while True:
        _, following, seen = step(tuple(rows), tuple(memory), tuple(parameters))
        seen = [np.broadcast_to(values, (lanes,)) for values in seen]
        kept = np.logical_and.reduce(seen[:assumptions]) if assumptions else np.ones(lanes, bool)
        again = None if kept.all() else next(nearer, None)
        if again is None:
            return rows, following, seen[assumptions:], kept
        rows = [np.where(kept, old, new) for old, new in zip(rows, again)]


def _says(name: str, flow: Dataflow, lane: int, age, rows, memory, parameters) -> str:
    def listed(entries, values):
        return ", ".join(f"{entry.name} = {value[lane]}" for entry, value in zip(entries, values))

    return (
        f"{name} is violated in tick {age[lane]} of an episode: {listed(flow.inputs, rows)}; "
        f"memory: {listed(flow.memories, memory)}; "
        f"parameters: {listed(flow.parameters, parameters)}"
    )


def proved_programs() -> list[Path]:
    """The golden programs and policies that are proved."""
    policies = [path for path in sorted((ROOT / "policies").rglob("*.hl")) if Program.load(path).prove().passed]
    return [*sorted((VERDICTS / "proved").glob("*.hl")), *policies]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ticks", type=int, default=1_000_000)
    arguments.add_argument("--lanes", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=int(time.strftime("%Y%j")), help="of the day, unless given")
    arguments.add_argument("--only", default="")
    chosen = arguments.parse_args()
    print(f"seed {chosen.seed}: {chosen.ticks} ticks of each program, in {chosen.lanes} lanes", flush=True)
    failed = total = 0
    start = time.perf_counter()
    paths = [path for path in proved_programs() if chosen.only in str(path)]
    for path in paths:
        found = soak(Program.load(path), chosen.ticks, chosen.lanes, chosen.seed)
        total += found.ticks
        failed += bool(found.broken)
        print(
            f"{path.relative_to(ROOT)}: {found.ticks} ticks kept of {found.drawn}, longest episode {found.longest}"
            + "".join(f"\n    BROKEN: {text}" for text in found.broken),
            flush=True,
        )
    print(f"{len(paths)} programs, {total} ticks in {time.perf_counter() - start:.0f} s: {failed} broken")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
