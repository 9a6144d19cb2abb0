"""The structural hash: the same for programs that differ only in names, layout, order of definitions, or the order of
operands that commute without changing a float result.

Memory makes the graph cyclic, so nodes are first coloured by refinement (each round mixes a cell's colour with its
next value's), then numbered in one walk whose order depends on colours alone. The text of that walk is complete: equal
hashes mean equal programs. Two programs that are the same but for a symmetry the colours cannot see may hash apart.
"""

from __future__ import annotations

import hashlib
from zlib import crc32

from hl_dsl.compiler.ir import Dataflow
from hl_dsl.operators import OPERATORS


def canonical_hash(flow: Dataflow) -> str:
    """16 hexadecimal digits that name the program."""
    return hashlib.sha256(canonical_text(flow).encode()).hexdigest()[:16]


def canonical_text(flow: Dataflow) -> str:
    """The program as text without names, one line a node."""
    colours = _colours(flow)
    walk = _Walk(flow, colours)
    out = [flow.card.environment, "act " + " ".join(str(walk.visit(node)) for node in flow.action)]
    for item in sorted(flow.properties, key=lambda item: (item.kind, colours[item.node])):
        out.append(f"{item.kind} {walk.visit(item.node)}")
    obligations = sorted(
        {(item.kind, colours[item.subject], 0 if item.guard is None else colours[item.guard]): item for item in flow.obligations}.items())
    for (kind, _, _), item in obligations:
        guard = "" if item.guard is None else walk.visit(item.guard)
        out.append(f"{kind} {walk.visit(item.subject)} {guard}")
    return "\n".join(out + walk.finish())


def _colours(flow: Dataflow) -> list[int]:
    words = {name: crc32(name.encode()) for name in [*OPERATORS, "constant", "input", "parameter", "memory", "int", "real", "bool"]}
    inputs = [hash((crc32(entry.source.encode()), entry.column, entry.low, entry.high)) for entry in flow.inputs]
    parameters = [hash((words[entry.base], entry.default, entry.low, entry.high)) for entry in flow.parameters]
    cells = [hash((words[cell.base], cell.low or 0, cell.high or 0, cell.start)) for cell in flow.memories]
    commutes = {name for name, row in OPERATORS.items() if row.commutative}
    distinct = 0
    while True:
        leaves = {"input": inputs, "parameter": parameters, "memory": cells}
        colours: list[int] = []
        for node in flow.nodes:
            if node.form is None:
                value = hash(node.value) if node.op == "constant" else leaves[node.op][node.value]
                colours.append(hash((words[node.op], words[node.base], value)))
            else:
                args = [colours[arg] for arg in node.args]
                if node.op in commutes:
                    args.sort()
                colours.append(hash((words[node.op], *args)))
        cells = [hash((cell, colours[item.next])) for cell, item in zip(cells, flow.memories)]
        if len(set(cells)) <= distinct or not cells:
            return colours
        distinct = len(set(cells))


class _Walk:
    """Numbers nodes in the order they are first needed."""

    def __init__(self, flow: Dataflow, colours: list[int]):
        self.flow, self.colours = flow, colours
        self.numbers: dict[int, int] = {}
        self.lines: list[str] = []
        self.places: dict[tuple[str, int], int] = {}
        self.cells: list[int] = []

    def visit(self, root: int) -> int:
        stack = [root]
        while stack:
            number = stack[-1]
            if number in self.numbers:
                stack.pop()
                continue
            args = self._ordered(number)
            waiting = [arg for arg in args if arg not in self.numbers]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            self.lines.append(self._line(number, args))
            self.numbers[number] = len(self.numbers)
        return self.numbers[root]

    def _ordered(self, number: int) -> tuple[int, ...]:
        node = self.flow.nodes[number]
        if node.form is not None and OPERATORS[node.op].commutative:
            return tuple(sorted(node.args, key=self.colours.__getitem__))
        return node.args

    def _line(self, number: int, args: tuple[int, ...]) -> str:
        node = self.flow.nodes[number]
        if node.form is not None:
            return f"{node.op} {' '.join(str(self.numbers[arg]) for arg in args)}"
        if node.op == "constant":
            return f"{node.base} {node.value!r}"
        if node.op == "input":
            entry = self.flow.inputs[node.value]
            return f"input {entry.source} {entry.column} {entry.base} {entry.low!r} {entry.high!r} {entry.default!r}"
        place = self.places.setdefault((node.op, node.value), len(self.places))
        if node.op == "parameter":
            entry = self.flow.parameters[node.value]
            return f"parameter {place} {entry.base} {entry.default!r} {entry.low!r} {entry.high!r}"
        self.cells.append(node.value)
        cell = self.flow.memories[node.value]
        return f"memory {place} {cell.base} {cell.low!r} {cell.high!r} {cell.start!r}"

    def finish(self) -> list[str]:
        """Follows every cell met to its next value, then gives all lines."""
        nexts = []
        position = 0
        while position < len(self.cells):
            cell = self.cells[position]
            nexts.append(f"next {self.places['memory', cell]} {self.visit(self.flow.memories[cell].next)}")
            position += 1
        return self.lines + nexts
