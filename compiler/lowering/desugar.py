"""Desugaring: a checked program as declarations of the core.

Each declaration's form says what its construct means (`hl_dsl/declarations`). `modes` becomes memory of the mode, a
definition of the mode of this tick and an action by the mode. A property over several ticks becomes monitor state and a
claim about one tick. A nested `if` instead of the core's `ByCase` would mean the same, but it would have other guards,
so that obligations would be proved under other conditions.
"""

from __future__ import annotations

from typing import Any

from hl_dsl.base.declaration_table import declaration_table
from hl_dsl.grammar.tree.syntax_tree import Param, PlanDeclaration
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.core import CoreAct, CoreLet, CoreMemory, CoreProgram, CoreProperty


def desugar(checked: CheckedProgram) -> CoreProgram:
    """The program in the core, its declarations of each kind in the order of the text."""
    table = declaration_table()
    by_kind: dict[type, list[Any]] = {
        kind: [] for kind in (Param, CoreMemory, PlanDeclaration, CoreLet, CoreAct, CoreProperty)
    }
    for declaration in checked.policy.declarations:
        for item in table.form_of(declaration).desugar(checked, declaration):
            by_kind[type(item)].append(item)
    definitions: dict[str, CoreLet | CoreAct] = {item.name: item for item in by_kind[CoreLet]}
    definitions["action"] = by_kind[CoreAct][0]
    return CoreProgram(
        tuple(by_kind[Param]),
        tuple(by_kind[CoreMemory]),
        tuple(by_kind[PlanDeclaration]),
        definitions,
        tuple(by_kind[CoreProperty]),
    )
