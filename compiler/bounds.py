"""Where every node's value lies in every run, proved or not: the rows' interval forms, gone through a few times.

Coarse on purpose. The NumPy writer asks it which operations need no guard; the verifier has its own, sharper analysis.
What may be NaN has no bounds: interval forms speak of numbers, so NaN is followed apart.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import Sequence

from hl_dsl.compiler.ir import Cell, Dataflow
from hl_dsl.operators import Form

_GROWTHS = 4  # times that what `previous` remembers may grow, before it is taken to be anything
_ANYTHING = (-math.inf, math.inf)


def node_bounds(flow: Dataflow, nodes: Sequence[int]) -> dict[int, tuple]:
    """(low, high) of each of `nodes`, which must hold the operands of each and the next values of the memory they read.

    A declared range counts only where it is kept whatever else happens, so the bounds also hold for a program that
    breaks its promises.
    """
    known = set(nodes)
    cells = [_first_guess(cell) if cell.next in known else _ANYTHING for cell in flow.memories]
    growths = [0] * len(cells)
    blurred = [cell.next not in known for cell in flow.memories]  # cells that may hold NaN
    while True:
        pairs, undefined = _pairs(flow, nodes, cells, blurred)
        changed = False
        for position, cell in enumerate(flow.memories):
            if cell.next not in known:
                continue
            if cell.next in undefined and not blurred[position]:
                changed = blurred[position] = True
            low, high = pairs[cell.next]
            if not (cells[position][0] <= low and high <= cells[position][1]):
                changed = True
                growths[position] += 1
                grown = (min(low, cells[position][0]), max(high, cells[position][1]))
                cells[position] = grown if cell.low is None and growths[position] < _GROWTHS else _ANYTHING
        if not changed:
            return pairs


def _first_guess(cell: Cell) -> tuple:
    if cell.base == "bool":
        return (0, 1)
    return (cell.start, cell.start) if cell.low is None else (min(cell.low, cell.start), max(cell.high, cell.start))


def _pairs(flow: Dataflow, nodes: Sequence[int], cells: list[tuple], blurred: list[bool]) -> tuple[dict[int, tuple], set[int]]:
    """Bounds of the nodes, and those that may be NaN."""
    leaves = {
        "input": [(0, 1) if entry.base == "bool" else (entry.low, entry.high) for entry in flow.inputs],
        "parameter": [(parameter.low, parameter.high) for parameter in flow.parameters],
        "memory": cells,
    }
    pairs: dict[int, tuple] = {}
    undefined: set[int] = set()
    for number in nodes:
        node = flow.nodes[number]
        if node.form is not None:
            pairs[number] = node.form.interval(*(pairs[arg] for arg in node.args))
            if node.base == "real" and (not undefined.isdisjoint(node.args) or (
                    _gives_nan(node.form) and any(math.isinf(end) for arg in node.args for end in pairs[arg]))):
                undefined.add(number)
        elif node.op == "constant":
            value = int(node.value) if node.base == "bool" else node.value
            pairs[number] = (value, value)
            if value != value:
                undefined.add(number)
        else:
            pairs[number] = leaves[node.op][node.value]
            if node.op == "memory" and node.base == "real" and blurred[node.value]:
                undefined.add(number)
        if number in undefined:
            pairs[number] = _ANYTHING
    return pairs, undefined


@lru_cache(maxsize=None)
def _gives_nan(form: Form) -> bool:
    """Whether operands of which none is NaN, but some infinite, can give NaN."""
    values = {"real": (-math.inf, -1.0, 0.0, 1.0, math.inf), "int": (-1, 0, 1), "bool": (False, True), "any": (-math.inf, 0.0, math.inf)}
    results = (form.scalar(*operands) for operands in product(*(values[base] for base in form.operands)))
    return any(result != result for result in results)
