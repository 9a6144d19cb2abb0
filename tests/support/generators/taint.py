"""Values of a run that the verifier describes: those that do not depend on a float that is not finite.

A proof is about well-defined programs. If a float overflows, the verifier claims nothing about values computed from
it, and the obligation that fails there reports it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.operators import OPERATORS


def sound_nodes(flow: Dataflow, values: Sequence, tainted_cells: set[int]) -> list[bool]:
    """Returns, for each node, whether its value is finite and computed from finite values, except unneeded ones."""
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
