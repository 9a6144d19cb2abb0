"""A program as NumPy source that a person can read.

One function for one program: `tick(observation, memory, parameters) -> action, memory, watched`, tuples of arrays of
shape (n,), or (1,) for what is the same in all lanes; float64, int64 or bool. Definitions keep their names;
what is used once is written where it is used.

No operation of a well-defined program makes NumPy warn. Values that are needed only under a condition are computed in
every lane, so where one of them might overflow, its operands are put to 0 in the lanes that do not need it.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections import Counter
from dataclasses import dataclass
from types import CodeType
from typing import Callable

from hl_dsl.compiler import numpy_kernel
from hl_dsl.compiler.bounds import bounded_nodes
from hl_dsl.compiler.ir import Dataflow
from hl_dsl.compiler.lanes import run_outputs, watched_properties

WIDEST = 100  # an expression longer than this is given a name instead of being written into another


@dataclass(frozen=True)
class NumpySource:
    """`function` is the source of `tick`; `kernel` names the functions of numpy_kernel.py that it calls."""

    function: str
    kernel: tuple[str, ...]


def write_numpy(flow: Dataflow, export: bool = False) -> NumpySource:
    """Writes the program's `tick`. With `export`, rows that have a form for standalone files use it."""
    return _Writer(flow, export).write()


def compile_numpy(flow: Dataflow) -> Callable:
    """The written function, ready to call."""
    source = write_numpy(flow)
    code: CodeType = compile(source.function, f"<{flow.name} in NumPy>", "exec")
    names = {name: getattr(numpy_kernel, name) for name in (*numpy_kernel.NAMES, "np")}
    exec(code, names)
    return names["tick"]


class _Writer:
    def __init__(self, flow: Dataflow, export: bool):
        self.flow = flow
        self.export = export
        self.outputs = run_outputs(flow)
        self.masks = self._masks()
        self.order = self._ordered()
        self.taken = {*keyword.kwlist, *numpy_kernel.NAMES, "np", "math", "tick", "observation", "memory", "parameters"}
        self.names: dict[int, str] = {}
        self.texts: dict[int, str] = {}
        self.kernel: set[str] = set()

    # which operands are masked, and the order that allows it

    def _masks(self) -> dict[int, tuple[int, ...]]:
        """For a node that might overflow: the conditions under one of which its value is needed."""
        nodes = self.flow.reachable(self.outputs)
        bounded = bounded_nodes(self.flow, nodes)
        guards: dict[int, set] = {}
        for item in self.flow.obligations:
            if item.kind == "finite":
                guards.setdefault(item.subject, set()).add(item.guard)
        masks: dict[int, tuple[int, ...]] = {}
        for number in nodes:
            conditions = guards.get(number, {None})
            if number in bounded or None in conditions:
                continue
            if not any(self._needs(condition, number, masks) for condition in conditions):
                masks[number] = tuple(sorted(conditions))
        return masks

    def _needs(self, start: int, wanted: int, masks: dict[int, tuple[int, ...]]) -> bool:
        """Whether `start` is computed from `wanted`."""
        seen, stack = set(), [start]
        while stack:
            number = stack.pop()
            if number == wanted:
                return True
            if number not in seen:
                seen.add(number)
                stack += (*self.flow.nodes[number].args, *masks.get(number, ()))
        return False

    def _ordered(self) -> list[int]:
        """All nodes to compute, each after what it needs."""
        order: dict[int, None] = {}
        stack = [(root, False) for root in reversed(self.outputs)]
        while stack:
            number, ready = stack.pop()
            if number in order:
                continue
            if ready:
                order[number] = None
                continue
            stack.append((number, True))
            needs = (*self.flow.nodes[number].args, *self.masks.get(number, ()))
            stack += [(need, False) for need in reversed(needs) if need not in order]
        return list(order)

    # names

    def _name(self, wanted: str) -> str:
        name = re.sub(r"\W+", "_", wanted).strip("_") or "value"
        if name[0].isdigit():
            name = f"value_{name}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def _name_leaves(self) -> dict[str, list[str]]:
        """Gives each observation, memory cell and parameter its name."""
        flow = self.flow
        defined = {*flow.lets, "mode", "action"}
        listed = {
            "input": [self._name(entry.name) for entry in flow.inputs],
            "memory": [self._name(f"last_{cell.name}" if cell.name in defined else cell.name) for cell in flow.memories],
            "parameter": [self._name(parameter.name) for parameter in flow.parameters],
        }
        for number in self.order:
            node = flow.nodes[number]
            if node.form is None and node.op != "constant":
                self.texts[number] = listed[node.op][node.value]
        return listed

    def _name_definitions(self) -> None:
        flow = self.flow
        for name in (*flow.lets, "mode", "action"):
            if name in flow.values:
                nodes = flow.values[name].nodes
                self._claim(nodes, name)
        for cell in flow.memories:
            self._claim((cell.next,), f"next_{cell.name}")
        for item in watched_properties(flow):
            self._claim((item.node,), item.name)

    def _claim(self, nodes: tuple[int, ...], name: str) -> None:
        for position, number in enumerate(nodes):
            if number in self.texts or number in self.names or self.flow.nodes[number].form is None or number not in self.wanted:
                continue
            self.names[number] = self._name(name if len(nodes) == 1 else f"{name}_{position}")

    # text

    def write(self) -> NumpySource:
        flow = self.flow
        self.wanted = set(self.order)
        leaves = self._name_leaves()
        self._name_definitions()
        uses = Counter(need for number in self.order for need in (*flow.nodes[number].args, *self.masks.get(number, ())))
        body: list[str] = []
        for number in self.order:
            if number in self.texts:
                continue
            node = flow.nodes[number]
            if node.form is None:
                self.texts[number] = _constant(node.value, node.base)
                continue
            text = self._expression(number)
            if number not in self.names and (uses[number] > 1 or len(text) > WIDEST):
                self.names[number] = self._name(f"part_{len(body) + 1}")
            if number in self.names:
                body.append(f"{self.names[number]} = {text}")
                text = self.names[number]
            self.texts[number] = text
        lines = ["def tick(observation, memory, parameters):", *self._comments()]
        for argument, kind in (("observation", "input"), ("memory", "memory"), ("parameters", "parameter")):
            if leaves[kind]:
                lines.append(f"{_tuple(leaves[kind])} = {argument}")
        lines += body
        action = [self.texts[number] for number in flow.action]
        memory = [self.texts[cell.next] for cell in flow.memories]
        watched = [self.texts[item.node] for item in watched_properties(flow)]
        lines.append(f"return {_tuple(action, True)}, {_tuple(memory, True)}, {_tuple(watched, True)}")
        function = "\n".join([lines[0], *("    " + line for line in lines[1:])]) + "\n"
        used = set(re.findall(r"\w+", "\n".join(body + lines[-1:])))
        return NumpySource(function, tuple(name for name in numpy_kernel.NAMES if name in used and name not in self.names.values()))

    def _expression(self, number: int) -> str:
        node = self.flow.nodes[number]
        operands = [f"({self.texts[arg]})" for arg in node.args]
        if number in self.masks:
            condition = " | ".join(f"({self.texts[guard]})" for guard in self.masks[number])
            operands = [f"np.where({condition}, {operand}, {_constant(0, self.flow.nodes[arg].base)})" for operand, arg in zip(operands, node.args)]
        template = node.form.export if self.export and node.form.export is not None else node.form.numpy
        text = template(operands, [self.flow.nodes[arg] for arg in node.args]) if callable(template) else template.format(*operands)
        return ast.unparse(ast.parse(text, mode="eval"))  # with no more parentheses than are needed

    def _comments(self) -> list[str]:
        flow = self.flow
        out = [f'"""One tick of {flow.name} for {flow.card.environment}."""']
        if flow.card.action.names:
            out.append("# actions: " + ", ".join(f"{position} {name}" for position, name in enumerate(flow.card.action.names)))
        if flow.modes:
            out.append("# modes: " + ", ".join(f"{position} {name}" for position, name in enumerate(flow.modes)))
        return out


def _constant(value, base: str) -> str:
    if base == "bool":
        return str(bool(value))
    if base == "int":
        # Beyond int64 is beyond what is proved; the nearest value there is keeps the source valid.
        return str(max(-(2**63), min(2**63 - 1, value)))
    if math.isfinite(value):
        return repr(float(value))
    return "np.nan" if value != value else "np.inf" if value > 0 else "-np.inf"


def _tuple(texts: list[str], parentheses: bool = False) -> str:
    inside = f"{texts[0]}," if len(texts) == 1 else ", ".join(texts)
    return f"({inside})" if parentheses else inside
