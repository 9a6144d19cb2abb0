"""Programs that differ only in the defaults of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hl_dsl.compiler.ir.dataflow import Dataflow, Parameter
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.grammar.tree.syntax_tree import Boolean, Expression, Name, Number, Param, PolicyDeclaration, Vector
from hl_dsl.program import Program


def values_of(flow: Dataflow) -> dict[str, int | float | bool]:
    """The defaults by parameter name (`name`, or `name[i]` for a component)."""
    return {parameter.name: parameter.default for parameter in flow.parameters}


def structure_hash(flow: Dataflow) -> str:
    """Hash of the program up to the defaults of its parameters."""
    return canonical_hash(replace(flow, parameters=[replace(one, default=one.low) for one in flow.parameters]))


def flow_with(flow: Dataflow, values: Mapping[str, int | float | bool]) -> Dataflow:
    """The lowered program with other defaults."""
    return replace(
        flow, parameters=[replace(one, default=values.get(one.name, one.default)) for one in flow.parameters]
    )


def program_with(program: Program, values: Mapping[str, int | float | bool], flow: Dataflow | None = None) -> Program:
    """The program with other defaults. `flow`: its dataflow graph, if it is known."""
    syntax = syntax_with(program.syntax, program.flow, values)
    return Program.from_syntax(
        syntax, card=program.card, reuse=program.reuse, flow=flow or flow_with(program.flow, values)
    )


def syntax_with(
    policy: PolicyDeclaration, flow: Dataflow, values: Mapping[str, int | float | bool]
) -> PolicyDeclaration:
    """The syntax tree with other defaults; unchanged nodes keep their spans."""
    parameters = {one.name: one for one in flow.parameters}
    declarations = tuple(
        replace(item, default=_literal(item, parameters, values)) if type(item) is Param else item
        for item in policy.declarations
    )
    return replace(policy, declarations=declarations)


def _literal(item: Param, parameters: Mapping[str, Parameter], values: Mapping) -> Expression:
    if item.name in parameters:
        return _one(parameters[item.name], values, item.default)
    size = sum(name.startswith(item.name + "[") for name in parameters)
    components = [f"{item.name}[{position}]" for position in range(size)]
    if not any(name in values for name in components):
        return item.default
    old = item.default.items if type(item.default) is Vector else (item.default,) * len(components)
    return Vector(tuple(_one(parameters[name], values, default) for name, default in zip(components, old)))


def _one(parameter: Parameter, values: Mapping, default: Expression) -> Expression:
    if parameter.name not in values or values[parameter.name] == parameter.default:
        return default
    value = values[parameter.name]
    span = default.span
    if parameter.names:
        return Name(parameter.names[int(value)], span)
    return Boolean(bool(value), span) if parameter.base == "bool" else Number(value, span)
