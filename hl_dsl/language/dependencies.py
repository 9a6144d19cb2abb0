"""Dependencies of definitions within a tick, and cycles among them."""

from __future__ import annotations

from collections.abc import Iterator

from hl_dsl.base.declaration_table import declaration_table, form_of
from hl_dsl.base.diagnostics import DiagnosticCollector, Label
from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.syntax_tree import Declaration, Expression, Name, PolicyDeclaration, Previous, children
from hl_dsl.language.incremental import DeclarationCache, Needs
from hl_dsl.language.symbols import Symbols


def instantaneous_names(expression: Expression) -> Iterator[Name]:
    """Names whose value of this tick is needed. An operand of `previous` is needed only by the next tick."""
    stack = [expression]
    while stack:
        node = stack.pop()
        if type(node) is Name:
            yield node
        elif type(node) is not Previous:
            stack.extend(children(node))


def needs(policy: PolicyDeclaration, reuse: DeclarationCache | None = None) -> dict[str, list[Name]]:
    """For each let, for `mode` and for `action`: the names they need in the same tick."""
    needed = _needed if reuse is None else lambda declaration: reuse.needed(declaration, _needed)
    graph: dict[str, list[Name]] = {}
    for form in declaration_table().forms:
        for declaration in policy.of(form.node):
            for name, names in needed(declaration):
                graph.setdefault(name, []).extend(names)
    graph.setdefault("action", [])
    return graph


def _needed(declaration: Declaration) -> Needs:
    """The names that a declaration defines, each with those that its value needs."""
    return tuple(
        (name, [used for part in parts for used in instantaneous_names(part)])
        for name, parts in form_of(declaration).equations(declaration)
    )


def find_cycles(
    policy: PolicyDeclaration, symbols: Symbols, findings: DiagnosticCollector, reuse: DeclarationCache | None = None
) -> tuple[list[str], set[str]]:
    """Reports each cycle that does not pass through memory.

    Returns the definitions, each after what it needs, and those that are part of a cycle.
    """
    graph = needs(policy, reuse)
    order: list[str] = []
    done: set[str] = set()
    cyclic: set[str] = set()
    for root in graph:
        path: dict[str, Iterator[Name]] = {}  # in the order of the walk
        following: str | None = root if root not in done else None
        while following is not None or path:
            if following is not None:
                path[following] = iter(graph[following])
            name = next(reversed(path))
            following = None
            for used in path[name]:
                if used.name not in graph or used.name in done:
                    continue
                if used.name in path:
                    names = list(path)
                    cycle = names[names.index(used.name) :]
                    cyclic.update(cycle)
                    _report(cycle, used.span, symbols, findings)
                    continue
                following = used.name
                break
            else:
                del path[name]
                done.add(name)
                order.append(name)
    return order, cyclic


def _report(cycle: list[str], span: Span, symbols: Symbols, findings: DiagnosticCollector) -> None:
    few = cycle if len(cycle) <= 6 else [*cycle[:5], "…"]
    shown = " -> ".join([*few, cycle[0]])
    others = tuple(
        Label(symbols[name].span, f"`{name}` is part of the cycle") for name in cycle if symbols[name].span.end
    )
    findings.add(
        "HL208",
        f"definitions need each other in the same tick: {shown}",
        span,
        label="closes the cycle",
        others=others[:4],
        expected=("`previous(x, start)` or a `memory` somewhere in the cycle",),
    )
