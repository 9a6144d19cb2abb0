"""Whether a back end does what the interpreter did, bit for bit."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hl_dsl.compiler.ir import Dataflow
from hl_dsl.compiler.policy import Policy
from tests.generate.inputs import Reference, Run, bits


def disagreements(run: Run, reference: Reference, back_end: str, counts: Counter | None = None) -> list[str]:
    """Where a back end's actions, memory or counters are not the interpreter's. `run` may repeat the reference's lanes.

    Lanes where an int left ±2^53 are not compared from there to their next restart; `counts` says how many were and
    were not.
    """
    flow, lanes = run.flow, len(reference.out_of_range)
    counts = Counter() if counts is None else counts
    policy = Policy(flow, run.parameters, back_end)
    policy.reset(run.lanes)
    found: list[str] = []
    with np.errstate(all="ignore"):
        for tick in range(run.ticks):
            rows = run.lanes_at(tick)
            actions = np.asarray(policy.tick(run.frame(tick, rows))).reshape(len(rows), len(flow.action))
            memory = policy.memory
            for row, lane in enumerate(rows):
                like = lane % lanes
                if not reference.plain[tick, like]:
                    counts["skipped"] += 1
                    continue
                counts["compared"] += 1
                wanted = [_as_action(flow, value) for value in reference.ticks[tick][like].action]
                found += _unequal(f"{back_end}, tick {tick}, lane {lane}: action", wanted, actions[row].tolist())
            for lane in range(run.lanes):
                if reference.plain[tick, lane % lanes]:
                    kept = [memory[cell.name][lane] for cell in flow.memories]
                    found += _unequal(f"{back_end}, tick {tick}, lane {lane}: memory", reference.memory[tick][lane % lanes], kept)
    return found + _counters(run, reference, policy, back_end)


def _as_action(flow: Dataflow, value):
    return np.dtype(flow.card.action.dtype).type(value)


def _unequal(where: str, wanted, found) -> list[str]:
    return [f"{where}[{position}] is {b!r}, the interpreter's is {a!r}" for position, (a, b) in enumerate(zip(wanted, found)) if bits(a) != bits(b)]


def _counters(run: Run, reference: Reference, policy: Policy, back_end: str) -> list[str]:
    lanes = len(reference.out_of_range)
    found = []
    for lane in range(run.lanes):
        like = lane % lanes
        if not reference.plain[:, like].all():
            continue
        wanted = [int(reference.out_of_range[like])]
        seen = [int(policy.out_of_range[lane])]
        for kind, counted in (("assume", policy.assumption_violations), ("monitor", policy.monitor_violations)):
            for column, item in enumerate(run.flow.of_kind(kind)):
                wanted.append(sum(not tick[like].values[item.node] for tick in reference.ticks if tick[like] is not None))
                seen.append(int(counted[lane, column]))
        if wanted != seen:
            found.append(f"{back_end}, lane {lane}: counted {seen}, the interpreter {wanted}")
    return found
