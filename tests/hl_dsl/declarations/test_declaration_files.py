"""Files of declarations stand apart: only the front door imports them, and no stage asks which construct it has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hl_dsl.base.declaration_table import standard_table

ROOT = Path(__file__).parents[3]
STAGES = ("grammar", "hl_dsl", "compiler", "verify", "synth")
NODES = {form.node.__name__ for form in standard_table().forms}
MOST_KINDS = 1  # a function may look for one construct that it is about; a choice among several belongs to the table


def modules() -> Iterator[tuple[str, ast.Module]]:
    for stage in STAGES:
        for path in sorted((ROOT / stage).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_only_the_front_door_imports_declarations():
    importers = {
        file
        for file, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hl_dsl.declarations")
        if not file.startswith("hl_dsl/declarations/")
    }
    assert importers == {"hl_dsl/standard_declarations.py"}


def kinds_asked_for(function: ast.AST) -> set[str]:
    """Classes of declarations that a function compares types with, or asks `isinstance` about."""
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Compare) and _is_type_call(node.left):
            asked = node.comparators
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            asked = node.args[1:]
        else:
            continue
        names |= {name.id for side in asked for name in ast.walk(side) if isinstance(name, ast.Name)}
    return names & NODES


def _is_type_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"


def test_no_function_chooses_among_constructs():
    chains = [
        f"{file}:{node.lineno} {node.name}: {', '.join(sorted(kinds))}"
        for file, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and len(kinds := kinds_asked_for(node)) > MOST_KINDS
    ]
    assert chains == []


@pytest.mark.parametrize(
    "code",
    ["def f(x):\n    return type(x) in (Let, Memory)", "def f(x):\n    return isinstance(x, Let) or type(x) is Act"],
)
def test_a_choice_is_found(code):
    assert len(kinds_asked_for(ast.parse(code))) == 2
