"""Coverage of the operator table and of the language by a run of the generator.

/path/to/python -m tests.support.generators.coverage 300      # prints the counts
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    Apply,
    Boolean,
    Index,
    Let,
    Memory,
    Modes,
    Name,
    Number,
    Observe,
    Param,
    Permute,
    PlanDeclaration,
    PolicyDeclaration,
    Previous,
    PropertyDeclaration,
    Slice,
    Vector,
    expressions,
    walk,
)
from tests.support.generators.programs import GeneratedProgram, programs
from tests.support.generators.signatures import rows

TYPES = ("real", "int", "bool", "action", "vec")
CONSTRUCTS = (
    "observe",
    "observe: range",
    "observe: a range for each component",
    "observe: length",
    *(f"param: {type_}" for type_ in TYPES),
    *(f"memory: {type_}" for type_ in (*TYPES, "mode")),
    "memory: one start for a vector",
    "memory: a start for each component",
    "memory: a range for each component",
    "param: a range for each component",
    "let",
    "let: its own last value",
    "assume",
    "invariant",
    "monitor",
    "reachable",
    *(f"{kind}: {pattern}" for kind in ("assume", "invariant", "monitor") for pattern in ("never", "within", "after")),
    "modes",
    "mode: its own act",
    "mode: silent, act at the top",
    "transition",
    "act: decision list",
    "act: expression",
    "act: vector",
    "previous",
    "previous: the action",
    "index: literal",
    "index: computed",
    "slice",
    "permutation",
    "vector",
    "number: real",
    "number: int",
    "number: -0.0",
    "boolean",
    "name: action",
    "name: mode",
    "name: the action",
    "name: the mode",
    "definitions out of order",
    "plan",
    "plan: final",
    "plan: a parameter sets it",
    "plan: vector",
)


def operators_of(policy: PolicyDeclaration) -> Counter:
    return Counter(
        node.operator
        for item in policy.declarations
        for top in expressions(item)
        for node in walk(top)
        if type(node) is Apply
    )


def constructs_of(program: GeneratedProgram) -> Counter:
    found: Counter = Counter()
    policy, symbols = program.policy, program.checked.symbols
    for item in policy.declarations:
        _DECLARATIONS[type(item)](found, item)
        for top in expressions(item):
            for node in walk(top):
                _expression(found, node, symbols)
    order = [item.name for item in policy.of(Let)]
    found["definitions out of order"] += any(
        type(node) is Name and node.name in order[position:]
        for position, item in enumerate(policy.of(Let))
        for node in walk(item.expression)
    )
    found["let: its own last value"] += any(
        type(node) is Name and node.name == item.name for item in policy.of(Let) for node in walk(item.expression)
    )
    found["act: vector"] += len(program.flow.action) > 1
    return +found


def _observe(found: Counter, item: Observe) -> None:
    for one in item.items:
        found["observe"] += 1
        found["observe: range"] += one.range is not None
        found["observe: a range for each component"] += one.range is not None and not one.range.is_alike
        found["observe: length"] += one.size is not None


def _memory(found: Counter, item: Memory) -> None:
    found[f"memory: {item.type.base}"] += 1
    if item.type.base == "vec":
        found["memory: a range for each component"] += item.range is not None and not item.range.is_alike
        found[
            "memory: a start for each component" if type(item.start) is Vector else "memory: one start for a vector"
        ] += 1


def _modes(found: Counter, item: Modes) -> None:
    found["modes"] += 1
    for mode in item.modes:
        found["transition"] += len(mode.transitions)
        found["mode: silent, act at the top" if mode.act is None else "mode: its own act"] += 1
        if mode.act is not None:
            _act(found, mode.act)


def _property(found: Counter, item: PropertyDeclaration) -> None:
    found[item.kind] += 1
    if item.pattern is not None:
        found[f"{item.kind}: {type(item.pattern).__name__.lower()}"] += 1


def _plan(found: Counter, item: PlanDeclaration) -> None:
    found["plan"] += 1
    found["plan: final"] += item.final is not None
    found["plan: vector"] += item.type.size is not None
    found["plan: a parameter sets it"] += any(type(setting.value) is Name for setting in item.settings)


def _act(found: Counter, item: Act) -> None:
    found["act: decision list" if len(item.rules) > 1 else "act: expression"] += 1


_DECLARATIONS: dict[type, Callable[..., Any]] = {
    Observe: _observe,
    Memory: _memory,
    Modes: _modes,
    Act: _act,
    Param: lambda found, item: found.update(
        [
            f"param: {item.type.base}",
            *(["param: a range for each component"] if item.range is not None and not item.range.is_alike else []),
        ]
    ),
    Let: lambda found, item: found.update(["let"]),
    PropertyDeclaration: _property,
    PlanDeclaration: _plan,
}
_PLAIN = {Slice: "slice", Permute: "permutation", Vector: "vector", Boolean: "boolean"}


def _expression(found: Counter, node, symbols) -> None:
    kind = type(node)
    if kind in _PLAIN:
        found[_PLAIN[kind]] += 1
    elif kind is Index:
        found["index: literal" if type(node.index) is Number else "index: computed"] += 1
    elif kind is Number:
        found["number: int" if type(node.value) is int else "number: real"] += 1
        found["number: -0.0"] += repr(node.value) == "-0.0"
    elif kind is Previous:
        found["previous"] += 1
        found["previous: the action"] += any(
            type(inner) is Name and inner.name == "action" for inner in walk(node.expression)
        )
    elif kind is Name:
        symbol = symbols[node.name].kind
        found["name: action"] += symbol == "action name"
        found["name: mode"] += symbol == "mode name"
        found["name: the action"] += symbol == "action"
        found["name: the mode"] += symbol == "mode"


def measure(examples: int) -> tuple[Counter, Counter]:
    """How often each row and each construct occurs in a run of the generator: (rows, constructs)."""
    written: Counter = Counter()
    built: Counter = Counter()

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(programs())
    def run(program):
        written.update(operators_of(program.policy))
        built.update(constructs_of(program))

    run()
    return written, built


def missing(written: Counter, built: Counter) -> list[str]:
    """Rows and constructs that never occurred."""
    return [row.name for row in rows() if not written[row.name]] + [name for name in CONSTRUCTS if not built[name]]


def table(written: Counter, built: Counter) -> str:
    lines = [f"{count:7d}  {name}" for name, count in sorted(written.items(), key=lambda pair: pair[1])]
    return "\n".join(["operators", *lines, "constructs", *(f"{built[name]:7d}  {name}" for name in CONSTRUCTS)])


if __name__ == "__main__":
    counts = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    print(table(*counts))
    print("missing:", ", ".join(missing(*counts)) or "nothing")
