"""Relaxation of a bound that only rounding violates, to a wider bound that is provable.

Over the reals `a * x + (1 - a) * v` never exceeds 24 if `x` and `v` do not; in floats it may, by 4e-15. The exact
bound is then not an invariant of the program that runs, and a slightly wider bound may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hl_dsl.compiler.ir.builder import Builder
from hl_dsl.compiler.ir.dataflow import Dataflow, Node, Property
from hl_dsl.verify.conjunctions import split_conjunction
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.node_text import NodeNames
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.goal_encoding import fact_node
from hl_dsl.verify.proof_pipeline import prove

_SLACKS = (1e-15, 1e-12, 1e-9, 1e-6)  # relative to the bound, or to 1 if that is larger


def relax_bound(flow: Dataflow, goal: Goal, limits: ProofLimits) -> str:
    """Returns the invariant, or the range of a memory cell, with the smallest slack that is proved.

    Returns:
        The relaxed bound as text; empty if none is proved, or if there is no bound to relax.
    """
    cheap = replace(limits, bounded_depths=(0, 0), lanes=0, components=False)
    # The widest first: if even that is not proved, rounding is not the cause.
    best = ""
    for slack in reversed(_SLACKS):
        text, other = _with_slack(flow, goal, slack)
        if other is None:
            return ""
        result = next(result for result in prove(other, cheap).results if result.id == goal.id)
        if result.status != ProofStatus.PROVED:
            break
        best = text
    return best


def _with_slack(flow: Dataflow, goal: Goal, slack: float) -> tuple[str, Dataflow | None]:
    index = GraphIndex(flow)
    builder = Builder(list(flow.nodes))
    names = NodeNames(replace(flow, nodes=builder.nodes))
    node, texts, changed = None, [], False
    for part in split_conjunction(index, fact_node(goal)):
        wider = _wider(builder, part, slack)
        changed = changed or wider != part
        texts.append(names.text(wider, use_name=False))
        node = wider if node is None else builder.apply("and", (node, wider))
    if not changed or node is None:
        return "", None
    if goal.declaration is None:
        return _with_range(flow, builder, goal, node, slack)
    properties = [
        Property(item.kind, item.name, node, item.span) if item is goal.declaration else item
        for item in flow.properties
    ]
    return _joined(texts), replace(flow, nodes=builder.nodes, properties=properties)


def _with_range(flow: Dataflow, builder: Builder, goal: Goal, node: int, slack: float) -> tuple[str, Dataflow]:
    """Returns the program with a wider range of the cell that the goal is about, and that range as text."""
    cells = [
        replace(cell, low=_moved(cell.low, -1, slack), high=_moved(cell.high, 1, slack))
        if cell.name == goal.name and cell.low is not None and cell.high is not None
        else cell
        for cell in flow.memories
    ]
    obligations = [item._replace(claim=node) if item == goal.obligation else item for item in flow.obligations]
    (cell,) = (cell for cell in cells if cell.name == goal.name)
    return f"memory {cell.name}: real in [{cell.low!r}, {cell.high!r}]", replace(
        flow, nodes=builder.nodes, memories=cells, obligations=obligations
    )


def _moved(bound: float, towards: int, slack: float) -> float:
    return float(f"{bound + towards * slack * max(1.0, abs(bound)):.17g}")


def _joined(texts: Sequence[str]) -> str:
    """Returns the conditions as one, with two bounds of one value as a range."""
    out: list[str] = []
    for text in texts:
        low, _, value = out[-1].partition(" <= ") if out else ("", "", "")
        again, _, high = text.partition(" <= ")
        if value and high and again == value:
            out[-1] = f"{value} in [{low}, {high}]"
        else:
            out.append(text)
    return " and ".join(out)


def _wider(builder: Builder, part: int, slack: float) -> int:
    """Relaxes the literal of a comparison of a real with a literal. Returns other conditions unchanged."""
    entry = builder.nodes[part]
    if entry.base != "bool" or len(entry.args) != 2 or any(builder.nodes[arg].base != "real" for arg in entry.args):
        return part
    literals = [place for place, arg in enumerate(entry.args) if builder.nodes[arg].op == "constant"]
    if len(literals) != 1:
        return part
    (place,) = literals
    bound = builder.nodes[entry.args[place]].value
    assert bound is not None  # a constant has a value
    towards = _weaker_direction(entry, place, bound)
    if not towards:
        return part
    bound_moved = _moved(bound, towards, slack)
    args = list(entry.args)
    args[place] = builder.constant(bound_moved, "real")
    return builder.apply(entry.op, tuple(args))


def _weaker_direction(entry: Node, place: int, bound: float) -> int:
    """Returns 1 or -1 if a larger or smaller literal admits more values, or else 0."""
    form = entry.form
    assert form is not None  # a comparison is not a leaf

    def admits(literal: float) -> bool:
        operands: Sequence[float] = [literal, bound] if place == 0 else [bound, literal]
        return bool(form.scalar(*operands))

    more, less = admits(bound + 1.0), admits(bound - 1.0)
    return 0 if more == less else 1 if more else -1
