"""Comparison of a back end with the interpreter, bit for bit."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hl_dsl.compiler.policy import Policy
from tests.support.generators.inputs import Reference, Run


def disagreements(run: Run, reference: Reference, back_end: str, counts: Counter | None = None) -> list[str]:
    """Where a back end's actions, memory or counters are not the interpreter's. `run` may repeat the reference's lanes.

    Lanes where an int left ±2^53 are not compared from there to their next restart; `counts` says how many were and
    were not.
    """
    flow, lanes = run.flow, len(reference.out_of_range)
    counts = Counter() if counts is None else counts
    policy = Policy(flow, run.parameters, back_end)
    policy.reset(run.lanes)
    # A run has no memory for properties that it does not watch.
    idle = {item.name for item in flow.properties if item.kind not in ("assume", "monitor")}
    cells = [place for place, cell in enumerate(flow.memories) if cell.monitor_of not in idle]
    found: list[str] = []
    everyone = np.arange(run.lanes)
    with np.errstate(all="ignore"):
        for tick in range(run.ticks):
            rows = np.array(run.lanes_at(tick), int)
            actions = np.asarray(policy.tick(run.frame(tick, rows))).reshape(len(rows), len(flow.action))
            plain = reference.plain[tick, rows % lanes]
            counts["compared"] += int(plain.sum())
            counts["skipped"] += int((~plain).sum())
            acted = [done.action if done is not None else (0,) * len(flow.action) for done in reference.ticks[tick]]
            wanted = np.array(acted).astype(flow.card.action.dtype)[rows % lanes]
            found += _unequal(f"{back_end}, tick {tick}: action", rows[plain], wanted[plain], actions[plain])
            kept = np.array([policy.memory[flow.memories[place].name].astype(float) for place in cells]).T.reshape(
                run.lanes, len(cells)
            )
            stored = np.array([[_number(row[place]) for place in cells] for row in reference.memory[tick]]).reshape(
                lanes, len(cells)
            )
            plain = reference.plain[tick, everyone % lanes]
            found += _unequal(
                f"{back_end}, tick {tick}: memory", everyone[plain], stored[everyone % lanes][plain], kept[plain]
            )
    return found + _counters(run, reference, policy, back_end)


def _number(value) -> float:
    """As a float, which is exact wherever it is compared."""
    return float(max(-(2**60), min(2**60, value))) if type(value) is int else float(value)


def _unequal(where: str, lanes: np.ndarray, wanted: np.ndarray, found: np.ndarray) -> list[str]:
    """Where two arrays (lanes, components) differ in their bits; one NaN is as good as another."""
    a, b = (
        np.where(np.isnan(values), np.nan, values) for values in (np.asarray(wanted, float), np.asarray(found, float))
    )
    different = np.ascontiguousarray(a).view(np.int64) != np.ascontiguousarray(b).view(np.int64)
    return [
        f"{where}[{component}] of lane {lanes[row]} is {found[row, component]!r}, "
        f"the interpreter's is {wanted[row, component]!r}"
        for row, component in np.argwhere(different)
    ]


def _counters(run: Run, reference: Reference, policy: Policy, back_end: str) -> list[str]:
    lanes = len(reference.out_of_range)
    kinds = (("assume", policy.assumption_violations), ("monitor", policy.monitor_violations))
    wanted = [reference.out_of_range] + [
        _failures(reference, item.node) for kind, _ in kinds for item in run.flow.of_kind(kind)
    ]
    seen = [policy.out_of_range] + [
        counted[:, column] for kind, counted in kinds for column in range(len(run.flow.of_kind(kind)))
    ]
    plain = np.asarray(reference.plain.all(axis=0))
    clean = np.flatnonzero(plain[np.arange(run.lanes) % lanes])
    return [
        f"{back_end}, lane {lane}: counted {[int(column[lane]) for column in seen]}, "
        f"the interpreter {[int(column[lane % lanes]) for column in wanted]}"
        for lane in clean
        if any(column[lane] != given[lane % lanes] for column, given in zip(seen, wanted))
    ]


def _failures(reference: Reference, node: int) -> np.ndarray:
    """(lanes,) ticks at which a property did not hold."""
    return np.array([[done is not None and not done.values[node] for done in row] for row in reference.ticks]).sum(
        axis=0
    )
