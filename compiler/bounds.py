"""Where every node's value lies, at a glance: one pass of the rows' interval forms.

Coarse on purpose. The NumPy writer asks it which operations cannot overflow and so need no guard; the verifier has its
own, sharper analysis.
"""

from __future__ import annotations

import math
from typing import Sequence

from hl_dsl.compiler.ir import Dataflow

_ROUNDS = 4  # of following what `previous` remembers, before it is taken to be anything
_ANYTHING = (-math.inf, math.inf)


def bounded_nodes(flow: Dataflow, nodes: Sequence[int]) -> set[int]:
    """The nodes whose values are finite whatever else holds, memory being within its declared ranges."""
    undeclared = {position for position, cell in enumerate(flow.memories) if cell.low is None and cell.base != "bool"}
    cells = [
        (0, 1) if cell.base == "bool" else (cell.start, cell.start) if position in undeclared else (cell.low, cell.high)
        for position, cell in enumerate(flow.memories)]
    for attempt in range(_ROUNDS + 1):
        pairs = _pairs(flow, nodes, cells)
        loose = [position for position in undeclared if not _inside(pairs[flow.memories[position].next], cells[position])]
        if not loose:
            break
        for position in loose:
            pair, cell = pairs[flow.memories[position].next], cells[position]
            cells[position] = (min(pair[0], cell[0]), max(pair[1], cell[1])) if attempt < _ROUNDS - 1 else _ANYTHING
    return {number for number, (low, high) in pairs.items() if -math.inf < low and high < math.inf}


def _pairs(flow: Dataflow, nodes: Sequence[int], cells: list[tuple]) -> dict[int, tuple]:
    leaves = {
        "input": [(0, 1) if entry.base == "bool" else (entry.low, entry.high) for entry in flow.inputs],
        "parameter": [(parameter.low, parameter.high) for parameter in flow.parameters],
        "memory": cells,
    }
    pairs: dict[int, tuple] = {}
    for number in nodes:
        node = flow.nodes[number]
        if node.form is not None:
            pairs[number] = node.form.interval(*(pairs[arg] for arg in node.args))
        elif node.op == "constant":
            value = int(node.value) if node.base == "bool" else node.value
            pairs[number] = (value, value) if value == value else _ANYTHING
        else:
            pairs[number] = leaves[node.op][node.value]
    return pairs


def _inside(pair: tuple, other: tuple) -> bool:
    return other[0] <= pair[0] and pair[1] <= other[1]
