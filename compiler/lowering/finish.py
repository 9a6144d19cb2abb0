"""Last step of lowering: the nodes of one program, with numbers of their own."""

from __future__ import annotations

from typing import Any

from hl_dsl.compiler.ir.dataflow import (
    Cell,
    Dataflow,
    Input,
    Node,
    Obligation,
    OfParameter,
    Parameter,
    PlanSpec,
    Property,
    Value,
)
from hl_dsl.compiler.lowering.leaves import Leaves

_made: Any = tuple.__new__  # the constructor of a NamedTuple without its checks; a program has hundreds of them


def finish_lowering(lowering: Leaves, lets: tuple[str, ...]) -> Dataflow:
    """The graph of a program whose declarations are all lowered.

    Nodes get numbers in the order of their first use. Leaves get their positions among the program's inputs, parameters
    and cells.
    """
    made = lowering.builder.nodes
    numbers: dict[Any, Any] = {number: position for position, number in enumerate(lowering.builder.used)}
    inputs: list[Input] = []
    parameters: list[Parameter] = []
    cells: list[dict[str, Any]] = []
    nodes: list[Node] = []
    new: tuple[int, ...]
    leaves: dict[str, tuple[list[Any], dict[Any, Any]]] = {
        "parameter": (parameters, lowering.parameters),
        "memory": (cells, lowering.cells),
        "input": (inputs, lowering.inputs),
    }
    for number in numbers:
        node = made[number]
        op, args, base, form, value = node
        if form is not None:
            if len(args) == 2:
                first, second = args
                new = (numbers[first], numbers[second])
            else:
                new = tuple([numbers[arg] for arg in args])
            if new != args:
                node = _made(Node, (op, new, base, form, None))
        elif op != "constant":
            listed, entries = leaves[op]
            node = Node(op, (), base, None, len(listed))
            listed.append(entries[value])
        nodes.append(node)
    values = {
        name: _made(
            Value, (type_, (numbers[given[0]],) if len(given) == 1 else tuple([numbers[node] for node in given]))
        )
        for name, (type_, given) in lowering.values.items()
    }
    memories = [Cell(**{**cell, "next": numbers[cell["next"]]}) for cell in cells]
    properties = [
        Property(
            item.kind,
            item.name,
            numbers[item.node],
            item.span,
            tuple([numbers[node] for node in item.antecedents]),
            item.form,
        )
        for item in lowering.properties
    ]
    numbers[None] = None  # an obligation without a guard, or without a claim
    obligations = [
        _made(Obligation, (kind, says, numbers[subject], numbers[guard], numbers[claim], span))
        for kind, says, subject, guard, claim, span in lowering.obligations.values()
    ]
    checked = lowering.checked
    return Dataflow(
        checked.policy.name,
        checked.card,
        checked.source,
        nodes,
        inputs,
        parameters,
        memories,
        values["action"].nodes,
        values,
        lets,
        lowering.symbols.modes,
        properties,
        obligations,
        _plan(lowering.plan, nodes, numbers),
    )


def _plan(plan: PlanSpec | None, nodes: list[Node], numbers: dict[Any, Any]) -> PlanSpec | None:
    if plan is None:
        return None

    def position(node: int) -> int:
        value: Any = nodes[numbers[node]].value
        return int(value)

    settings = {
        name: OfParameter(position(value.position)) if type(value) is OfParameter else value
        for name, value in plan.settings.items()
    }
    return PlanSpec(
        plan.name, tuple(map(position, plan.inputs)), settings, numbers[plan.each], numbers[plan.final], plan.span
    )
