"""Structural hash of a program.

Programs have the same hash if they differ only in names, layout, order of definitions, or order of operands of
commutative operators.

Memory makes the graph cyclic. So nodes are first colored by refinement: each round mixes the color of a cell with that
of its next value. Then one walk, whose order depends only on colors, numbers them. The text of that walk is complete,
so equal hashes mean equal programs. Programs that differ only by a symmetry that the colors do not distinguish may have
different hashes.
"""

from __future__ import annotations

import hashlib
from functools import cache
from zlib import crc32

from hl_dsl.compiler.ir.dataflow import Dataflow, Input, Node, OfParameter, PlanSpec
from hl_dsl.operators import OPERATORS


def canonical_hash(flow: Dataflow) -> str:
    """Returns the structural hash, 16 hexadecimal digits."""
    return hashlib.sha256(canonical_text(flow).encode()).hexdigest()[:16]


def canonical_text(flow: Dataflow) -> str:
    """Returns the program as text without names, one line for each node."""
    commutes = {name for name, row in OPERATORS.items() if row.commutative}
    colours = _colours(flow, commutes)
    walk = _Walk(flow, colours, commutes)
    out = [flow.card.environment, "act " + " ".join(str(walk.visit(node)) for node in flow.action)]
    for item in sorted(flow.properties, key=lambda item: (item.kind, colours[item.node])):
        out.append(f"{item.kind} {walk.visit(item.node)}")
    if flow.plan is not None:
        out.append(_plan_text(flow, flow.plan, walk))
    obligations = sorted(
        {
            (goal.kind, colours[goal.subject], 0 if goal.guard is None else colours[goal.guard]): goal
            for goal in flow.obligations
        }.items()
    )
    for (kind, _, _), goal in obligations:
        guard = "" if goal.guard is None else walk.visit(goal.guard)
        out.append(f"{kind} {walk.visit(goal.subject)} {guard}")
    return "\n".join(out + walk.finish())


def _plan_text(flow: Dataflow, plan: PlanSpec, walk: _Walk) -> str:
    """Returns the settings and components of the plan. Unread components count, since a planner samples them too."""
    parameters = {node.position: number for number, node in enumerate(flow.nodes) if node.op == "parameter"}
    settings = [
        f"{name} {walk.visit(parameters[value.position]) if type(value) is OfParameter else repr(value)}"
        for name, value in plan.settings.items()
    ]
    scores = [walk.visit(node) for node in (plan.each, plan.final) if node is not None]
    planned = [walk.line(flow.inputs[position]) for position in plan.inputs]
    return f"plan {'; '.join(planned)} by {', '.join(settings)} for {scores}"


@cache
def _word(name: str) -> int:
    return crc32(name.encode())


def _colours(flow: Dataflow, commutes: set[str]) -> list[int]:
    inputs = [hash((_word(entry.source), entry.column, entry.low, entry.high)) for entry in flow.inputs]
    parameters = [hash((_word(entry.base), entry.default, entry.low, entry.high)) for entry in flow.parameters]
    cells = [hash((_word(cell.base), cell.low or 0, cell.high or 0, cell.start)) for cell in flow.memories]
    leaves = {"input": inputs, "parameter": parameters, "memory": cells}
    words = {op: _word(op) for op in {node.op for node in flow.nodes}}
    colours: list[int] = []
    moving: list[tuple[int, Node]] = []  # nodes that depend on memory; only their colours change between rounds
    moves: list[bool] = []
    for number, node in enumerate(flow.nodes):
        op, args, base, form, value = node
        if form is None:
            colours.append(
                hash((words[op], _word(base), hash(value) if op == "constant" else leaves[op][node.position]))
            )
            moved = op == "memory"
        else:
            colours.append(_mixed(words[op], args, colours, op in commutes))
            moved = False
            for arg in args:
                if moves[arg]:
                    moved = True
                    break
        moves.append(moved)
        if moved:
            moving.append((number, node))
    distinct = 0
    while True:
        cells = [hash((cell, colours[item.next])) for cell, item in zip(cells, flow.memories)]
        if len(set(cells)) <= distinct or not cells:
            return colours
        distinct = len(set(cells))
        for number, node in moving:
            if node.form is None:
                colours[number] = hash((words[node.op], _word(node.base), cells[node.position]))
            else:
                colours[number] = _mixed(words[node.op], node.args, colours, node.op in commutes)


def _mixed(word: int, args: tuple[int, ...], colours: list[int], commutes: bool) -> int:
    """Returns the colour of an operator's node."""
    if len(args) == 2:
        first, second = colours[args[0]], colours[args[1]]
        return hash((word, second, first)) if commutes and second < first else hash((word, first, second))
    mixed = [colours[arg] for arg in args]
    if commutes:
        mixed.sort()
    return hash((word, *mixed))


class _Walk:
    """Numbers nodes in the order in which they are first needed."""

    def __init__(self, flow: Dataflow, colours: list[int], commutes: set[str]) -> None:
        self.flow, self.colours, self.commutes = flow, colours, commutes
        self.numbers: list[int | None] = [None] * len(flow.nodes)
        self.lines: list[str] = []
        self.places: dict[tuple[str, int], int] = {}
        self.cells: list[int] = []

    def visit(self, root: int) -> int:
        """Numbers a node and all it depends on, and returns its number."""
        nodes, numbers, lines, colours, commutes = (
            self.flow.nodes,
            self.numbers,
            self.lines,
            self.colours,
            self.commutes,
        )
        stack = [root]
        while stack:
            number = stack[-1]
            if numbers[number] is not None:
                stack.pop()
                continue
            op, args, _, form, _ = nodes[number]
            if form is None:
                line = self._leaf(number)
            elif len(args) == 2:
                first, second = args
                if colours[second] < colours[first] and op in commutes:
                    first, second = second, first
                if numbers[second] is None:
                    stack.append(second)
                    if numbers[first] is None:
                        stack.append(first)
                    continue
                if numbers[first] is None:
                    stack.append(first)
                    continue
                line = f"{op} {numbers[first]} {numbers[second]}"
            else:
                operands = sorted(args, key=colours.__getitem__) if op in commutes else list(args)
                waiting = [arg for arg in operands if numbers[arg] is None]
                if waiting:
                    stack.extend(reversed(waiting))
                    continue
                line = f"{op} {' '.join([str(numbers[arg]) for arg in operands])}"
            stack.pop()
            numbers[number] = len(lines)
            lines.append(line)
        number_of_root = numbers[root]
        assert number_of_root is not None
        return number_of_root

    @staticmethod
    def line(entry: Input) -> str:
        """Returns the line of an input."""
        return f"input {entry.source} {entry.column} {entry.base} {entry.low!r} {entry.high!r} {entry.default!r}"

    def _leaf(self, number: int) -> str:
        node = self.flow.nodes[number]
        if node.op == "constant":
            return f"{node.base} {node.value!r}"
        if node.op == "input":
            return self.line(self.flow.inputs[node.position])
        place = self.places.setdefault((node.op, node.position), len(self.places))
        if node.op == "parameter":
            entry = self.flow.parameters[node.position]
            return f"parameter {place} {entry.base} {entry.default!r} {entry.low!r} {entry.high!r}"
        self.cells.append(node.position)
        cell = self.flow.memories[node.position]
        return f"memory {place} {cell.base} {cell.low!r} {cell.high!r} {cell.start!r}"

    def finish(self) -> list[str]:
        """Visits the next value of every visited cell, and returns all lines."""
        nexts = []
        position = 0
        while position < len(self.cells):
            cell = self.cells[position]
            nexts.append(f"next {self.places['memory', cell]} {self.visit(self.flow.memories[cell].next)}")
            position += 1
        return self.lines + nexts
