"""Which values of a run mean something: those not computed from a float that is not finite.

A proof speaks of programs that are well defined. Where a float overflows, what is computed from it is anybody's guess
to the verifier, and the obligation that failed there says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow

from hl_dsl.operators import OPERATORS


def sound_nodes(flow: Dataflow, values: Sequence, tainted_cells: set[int]) -> list[bool]:
    """For each node, whether its value is finite and was computed from finite ones (operands it did not need aside)."""
    sound: list[bool] = []
    for node, value in zip(flow.nodes, values):
        if node.op == "memory" and node.value in tainted_cells:
            sound.append(False)
            continue
        good = node.base != "real" or math.isfinite(value)
        if node.form is not None:
            guards = OPERATORS[node.op].guards
            for position, arg in enumerate(node.args):
                needed = all(
                    values[node.args[by]] == truth or not sound[node.args[by]]
                    for guarded, by, truth in guards
                    if guarded == position
                )
                good = good and (sound[arg] or not needed)
        sound.append(good)
    return sound
