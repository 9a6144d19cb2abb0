"""Source files of the project as syntax trees, with their imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.paths import ROOT

STAGES = ("grammar", "hl_dsl", "compiler", "verify", "synth", "policies")
CHECKS = ("tests", "benchmarks")


@cache
def sources(folders: tuple[str, ...] = STAGES) -> list[tuple[str, ast.Module]]:
    """Every Python file of the folders: its path from the root, and its tree."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def folder_of(file: str) -> str:
    return file.rsplit("/", 1)[0]


def file_of(module: str, root: Path = ROOT) -> str | None:
    """The file of a module of this project, by its dotted name."""
    parts = module.split(".")
    if parts[0] != "hl_dsl":
        return None
    path = "/".join(parts[1:] if len(parts) > 1 and parts[1] in STAGES else parts)
    for file in (f"{path}.py", f"{path}/__init__.py"):
        if (root / file).is_file():
            return file
    return None


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that is imported, also inside functions, with its line; `.` for a relative import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                yield "." * node.level, node.lineno
            else:
                yield node.module, node.lineno
                yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)


def imported_files(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every file of the project that is imported, also inside functions and for types only, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                file = file_of(f"{node.module}.{name.name}") or file_of(node.module)
                if file is not None:
                    yield file, node.lineno
        elif isinstance(node, ast.Import):
            for name in node.names:
                file = file_of(name.name)
                if file is not None:
                    yield file, node.lineno


def loaded_at_import(tree: ast.Module) -> set[str]:
    """Top-level packages that are loaded when the module is imported."""
    return {
        module.split(".")[0]
        for node in _outside_functions(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for module, _ in imported(node)
    }


def _outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            if not is_function and not is_type_checking(child):
                waiting.append(child)


def is_type_checking(node: ast.AST) -> bool:
    """True for `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
