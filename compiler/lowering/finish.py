"""The last step of lowering: the nodes of one program, numbered by themselves."""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Cell, Dataflow, Node, Obligation, OfParameter, PlanSpec, Property, Value

_made = tuple.__new__  # what the constructor of a NamedTuple ends in; there are hundreds of them in a program


def numbered(lowering, lets: tuple[str, ...]) -> Dataflow:
    """The program that a finished `lowering` describes. Nodes get numbers in the order in which they were first asked
    for, leaves their positions among the program's inputs, parameters and cells."""
    made = lowering.builder.nodes
    numbers = {number: position for position, number in enumerate(lowering.builder.used)}
    inputs, parameters, cells = [], [], []
    nodes: list[Node] = []
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
            kind, found = (
                (parameters, lowering.parameters)
                if op == "parameter"
                else (cells, lowering.cells)
                if op == "memory"
                else (inputs, lowering.inputs)
            )
            node = Node(op, (), base, None, len(kind))
            kind.append(found[value])
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


def _plan(plan: PlanSpec | None, nodes: list[Node], numbers: dict) -> PlanSpec | None:
    if plan is None:
        return None

    def position(node: int) -> int:
        return nodes[numbers[node]].value

    settings = {
        name: OfParameter(position(value.position)) if type(value) is OfParameter else value
        for name, value in plan.settings.items()
    }
    return PlanSpec(
        plan.name, tuple(map(position, plan.inputs)), settings, numbers[plan.each], numbers[plan.final], plan.span
    )
