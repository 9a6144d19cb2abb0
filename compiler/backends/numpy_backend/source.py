"""A program as NumPy source that a person can read.

One function for one program: `tick(observation, memory, parameters) -> action, memory, watched`, tuples of arrays of
shape (n,), or (1,) for what is the same in all lanes; float64, int64 or bool. Definitions keep their names;
what is used once is written where it is used.

No operation of a well-defined program makes NumPy warn. Values that are needed only under a condition are computed in
every lane, so where one of them might not be finite, operands get a harmless value in the lanes that do not need it.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hl_dsl.compiler.backends.backend import monitored_properties, run_outputs
from hl_dsl.compiler.backends.branch_masks import plan_masks
from hl_dsl.compiler.backends.numpy_backend import kernel as numpy_kernel
from hl_dsl.compiler.ir.dataflow import Dataflow

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
    code = compile(source.function, f"<{flow.name} in NumPy>", "exec")
    names = {name: getattr(numpy_kernel, name) for name in (*numpy_kernel.NAMES, "np")}
    exec(code, names)
    return names["tick"]


class Operand(NamedTuple):
    """An operand as the NumPy form of an operator sees it.

    Attributes:
        op: The operator that computes it, or "constant", "input", "parameter" or "memory".
        base: Its type.
        low: Lower bound in every run.
        high: Upper bound in every run.
    """

    op: str
    base: str
    low: float
    high: float

    @property
    def finite(self) -> bool:
        """Whether it is finite in every run."""
        return -math.inf < self.low and self.high < math.inf

    @property
    def never_zero(self) -> bool:
        """Whether it is not 0 in any run."""
        return self.low > 0 or self.high < 0


class _Writer:
    def __init__(self, flow: Dataflow, export: bool):
        self.flow = flow
        self.export = export
        self.outputs = run_outputs(flow)
        self.plan = plan_masks(flow, self.outputs)
        self.order = self.plan.order
        self.taken = {*keyword.kwlist, *numpy_kernel.NAMES, "np", "math", "tick", "observation", "memory", "parameters"}
        self.names: dict[int, str] = {}
        self.texts: dict[int, str] = {}

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
            "memory": [
                self._name(f"last_{cell.name}" if cell.name in defined else cell.name) for cell in flow.memories
            ],
            "parameter": [self._name(parameter.name) for parameter in flow.parameters],
        }
        for number in self.order:
            node = flow.nodes[number]
            if node.form is None and node.op != "constant":
                assert isinstance(node.value, int)
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
        for item in monitored_properties(flow):
            self._claim((item.node,), item.name)

    def _claim(self, nodes: tuple[int, ...], name: str) -> None:
        for position, number in enumerate(nodes):
            if (
                number in self.texts
                or number in self.names
                or self.flow.nodes[number].form is None
                or number not in self.wanted
            ):
                continue
            self.names[number] = self._name(name if len(nodes) == 1 else f"{name}_{position}")

    # text

    def write(self) -> NumpySource:
        flow = self.flow
        self.wanted = set(self.order)
        leaves = self._name_leaves()
        self._name_definitions()
        uses = Counter(need for number in self.order for need in self.plan.needs(flow, number))
        body: list[str] = []
        parts = 0
        for number in self.order:
            if number in self.texts:
                continue
            node = flow.nodes[number]
            if node.form is None:
                self.texts[number] = _constant(node.value, node.base)
                continue
            text = self._expression(number)
            if number not in self.names and (uses[number] > 1 or len(text) > WIDEST):
                parts += 1
                self.names[number] = self._name(f"part_{parts}")
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
        watched = [self.texts[item.node] for item in monitored_properties(flow)]
        lines.append(f"return {_tuple(action, True)}, {_tuple(memory, True)}, {_tuple(watched, True)}")
        function = "\n".join([lines[0], *("    " + line for line in lines[1:])]) + "\n"
        used = {node.id for node in ast.walk(ast.parse(function)) if isinstance(node, ast.Name)}
        return NumpySource(function, tuple(name for name in numpy_kernel.NAMES if name in used))

    def _expression(self, number: int) -> str:
        node = self.flow.nodes[number]
        assert node.form is not None
        operands = [f"({self.texts[arg]})" for arg in node.args]
        for mask in self.plan.masks.get(number, ()):
            needed = " | ".join(f"({self.texts[condition]})" for condition in mask.conditions)
            fill = _constant(mask.fill, self.flow.nodes[node.args[mask.position]].base)
            operands[mask.position] = f"np.where({needed}, {operands[mask.position]}, {fill})"
        known = [
            Operand(self.flow.nodes[arg].op, self.flow.nodes[arg].base, *pair)
            for arg, pair in zip(node.args, self.plan.operands[number])
        ]
        template = node.form.export if self.export and node.form.export is not None else node.form.numpy
        text = template(operands, known) if callable(template) else template.format(*operands)
        return ast.unparse(ast.parse(text, mode="eval"))  # with no more parentheses than are needed

    def _comments(self) -> list[str]:
        flow = self.flow
        out = [f'"""One tick of {flow.name} for {flow.card.environment}."""']
        if flow.card.action.names:
            out.append(
                "# actions: " + ", ".join(f"{position} {name}" for position, name in enumerate(flow.card.action.names))
            )
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
