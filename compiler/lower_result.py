"""The last step of lowering: the nodes of one program, numbered by themselves."""

from __future__ import annotations

from hl_dsl.compiler.ir import Cell, Dataflow, Node, Obligation, Property, Value


def numbered(lowering, lets: tuple[str, ...]) -> Dataflow:
    """The program that a finished `lowering` describes. Nodes get numbers in the order in which they were first asked
    for, leaves their positions among the program's inputs, parameters and cells."""
    made = lowering.builder.nodes
    numbers = {number: position for position, number in enumerate(lowering.builder.used)}
    inputs, parameters, cells = [], [], []
    nodes: list[Node] = []
    for number in numbers:
        op, args, base, form, value = node = made[number]
        if form is not None:
            if len(args) == 2:
                new = (numbers[args[0]], numbers[args[1]])
            else:
                new = tuple([numbers[arg] for arg in args])
            if new != args:
                node = Node(op, new, base, form, None)
        elif op == "input":
            node = Node(op, (), base, None, len(inputs))
            inputs.append(lowering.inputs[value])
        elif op == "parameter":
            node = Node(op, (), base, None, len(parameters))
            parameters.append(lowering.parameters[value])
        elif op == "memory":
            node = Node(op, (), base, None, len(cells))
            cells.append(lowering.cells[value])
        nodes.append(node)
    values = {name: Value(value.type, tuple([numbers[node] for node in value.nodes])) for name, value in lowering.values.items()}
    memories = [Cell(**{**cell, "next": numbers[cell["next"]]}) for cell in cells]
    properties = [Property(item.kind, item.name, numbers[item.node], item.span, tuple([numbers[node] for node in item.asked]))
                  for item in lowering.properties]
    numbers[None] = None  # an obligation without a guard, or without a claim
    obligations = [Obligation(item.kind, item.says, numbers[item.subject], numbers[item.guard], numbers[item.claim], item.span)
                   for item in lowering.obligations.values()]
    checked = lowering.checked
    return Dataflow(checked.policy.name, checked.card, checked.source, nodes, inputs, parameters, memories, values["action"].nodes, values,
                    lets, lowering.symbols.modes, properties, obligations)
