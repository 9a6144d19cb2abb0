"""Bounds of every node in every run, proved or not, by a few passes of the rows' interval forms.

The bounds are coarse on purpose. The NumPy writer uses them to omit guards; `verify/intervals/fixpoint.py` has a
sharper analysis for proofs. A node that may be NaN has no bounds: interval forms describe numbers, so NaN is tracked
separately, as `UNDEFINED`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

from hl_dsl.compiler.ir.dataflow import Cell, Dataflow, Node
from hl_dsl.operators import Form

_GROWTHS = 4  # times that what `previous` remembers may grow, before it is taken to be anything
_ANYTHING = (-math.inf, math.inf)
UNDEFINED = (-math.inf, math.inf)  # of what may be NaN; always this very tuple


def node_bounds(flow: Dataflow, nodes: Sequence[int]) -> dict[int, tuple]:
    """(low, high) of each of `nodes`, which must hold the operands of each and the next values of the memory they read.

    A declared range counts only where it is kept whatever else happens, so the bounds also hold for a program that
    breaks its promises.
    """
    known = set(nodes)
    cells = [_first_guess(cell) if cell.next in known else UNDEFINED for cell in flow.memories]
    growths = [0] * len(cells)
    while True:
        pairs = _pairs(flow, nodes, cells)
        changed = False
        for position, cell in enumerate(flow.memories):
            if cell.next not in known or cells[position] is UNDEFINED:
                continue
            pair = pairs[cell.next]
            low, high = pair
            if pair is UNDEFINED or not (cells[position][0] <= low and high <= cells[position][1]):
                changed = True
                growths[position] += 1
                grown = (min(low, cells[position][0]), max(high, cells[position][1]))
                if pair is UNDEFINED:
                    grown = UNDEFINED
                elif cell.low is not None or growths[position] >= _GROWTHS:
                    grown = _ANYTHING
                cells[position] = grown
        if not changed:
            return pairs


def result_bounds(node: Node, pairs: Sequence[tuple]) -> tuple:
    """Bounds of an operation's result from those of its operands."""
    assert node.form is not None
    pair = node.form.interval(*pairs)
    if node.base == "real" and (
        any(operand is UNDEFINED for operand in pairs)
        or (_gives_nan(node.form) and any(math.isinf(end) for operand in pairs for end in operand))
    ):
        return UNDEFINED
    return pair


def _first_guess(cell: Cell) -> tuple:
    if cell.base == "bool":
        return (0, 1)
    if cell.low is None or cell.high is None:
        return (cell.start, cell.start)
    return (min(cell.low, cell.start), max(cell.high, cell.start))


def _pairs(flow: Dataflow, nodes: Sequence[int], cells: list[tuple]) -> dict[int, tuple]:
    leaves: dict[str, Any] = {
        "input": [(0, 1) if entry.base == "bool" else (entry.low, entry.high) for entry in flow.inputs],
        "parameter": [(parameter.low, parameter.high) for parameter in flow.parameters],
        "memory": cells,
    }
    pairs: dict[int, tuple] = {}
    for number in nodes:
        node = flow.nodes[number]
        if node.form is not None:
            pairs[number] = result_bounds(node, [pairs[arg] for arg in node.args])
        elif node.op == "constant":
            assert node.value is not None
            value = int(node.value) if node.base == "bool" else node.value
            pairs[number] = (value, value) if value == value else UNDEFINED
        else:
            pairs[number] = leaves[node.op][node.value]
    return pairs


@cache
def _gives_nan(form: Form) -> bool:
    """Whether operands of which none is NaN, but some infinite, can give NaN."""
    values = {
        "real": (-math.inf, -1.0, 0.0, 1.0, math.inf),
        "int": (-1, 0, 1),
        "bool": (False, True),
        "any": (-math.inf, 0.0, math.inf),
    }
    results = (form.scalar(*operands) for operands in product(*(values[base] for base in form.operands)))
    return any(result != result for result in results)
