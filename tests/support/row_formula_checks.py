"""Checks of rows that are formulas or folds, and of what a row requires of its operands."""

from __future__ import annotations

from hl_dsl.base.source import SourceText
from hl_dsl.cards import ActionSpace, Card, Field
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.lowering.lower import lower
from hl_dsl.grammar.tree.syntax_tree import Act, Apply, Let, Name, Number, Observe, Observed, PolicyDeclaration, Rule
from hl_dsl.language.checker import check
from hl_dsl.operators import Operator
from tests.support.generators.bench import (
    LARGEST,
)
from tests.support.generators.formulas import DEFINITIONS, OPERANDS
from tests.support.generators.inputs import bits


def check_formula(row: Operator) -> None:
    """A formula or a fold in a program equals the definition written by hand, bit for bit."""
    for operands in OPERANDS[row.name]:
        found, wanted = run_row(row, operands), DEFINITIONS[row.name](*operands)
        assert bits(float(found)) == bits(float(wanted)), f"{row.name}{operands} is {found!r}, not {wanted!r}"


def run_row(row: Operator, operands: tuple):
    """The row applied in a program, to observations, by the interpreter. Lists are vectors."""
    fields: dict[str, Field] = {}
    raw: list = []
    names: list[str] = []
    for position, value in enumerate(operands):
        items = value if isinstance(value, list) else [value]
        base = {bool: "bool", int: "int", float: "real"}[type(items[0])]
        low, high = (-LARGEST, LARGEST) if base != "bool" else (0, 1)
        many = isinstance(value, list)
        names.append(f"x{position}")
        fields[names[-1]] = Field(
            names[-1],
            base,
            len(items) if many else None,
            (low,) * len(items),
            (high,) * len(items),
            (0,) * len(items),
            "observation",
            tuple(range(len(raw), len(raw) + len(items))),
            "",
            "",
        )
        raw += items
    card = Card(
        "Row-v0", "made up", fields, ActionSpace(None, 1, (-1e300,), (1e300,), "float64"), 1, None, ("standard",), ""
    )
    result = Let("result", Apply(row.name, tuple(map(Name, names))))
    observe = Observe(tuple(Observed(name, None, None) for name in names))
    flow = lower(
        check(
            PolicyDeclaration("row", "Row-v0", (observe, result, Act((Rule(None, Number(0.0)),)))), card, SourceText("")
        )
    )
    by_place = {entry.column: position for position, entry in enumerate(flow.inputs)}
    tick = Interpreter(flow).tick([raw[column] for column in sorted(by_place, key=by_place.__getitem__)])
    return tick.values[flow.values["result"].nodes[0]]


def check_requirements(row: Operator) -> None:
    """A row requires exactly what the language documents."""
    wanted = REQUIRED.get(row.name, ())
    assert tuple(requirement.formula for requirement in row.requires) == wanted, f"{row.name} requires {row.requires}"


# Where an operator is defined, from docs/language.md and independent of the table.
REQUIRED = {
    "divide": ("b != 0",),
    "floor_divide": ("b != 0",),
    "mod": ("b != 0",),
    "sqrt": ("a >= 0",),
    "popcount": ("a >= 0",),
    "clamp": ("low <= high",),
    "reflect": ("low < high",),
}
