"""Rules of the house: each takes a file's path and tree, and returns what breaks the rule, one text a finding."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import networkx as nx

from hl_dsl.operators import OPERATORS
from tests.support.house.source_tree import STAGES, folder_of, imported, imported_files, is_type_checking

MOST_FILES = 20  # in a folder, `__init__` not counted
MOST_LINES = 300  # in a file
MOST_PARAMETERS = 8  # of a function, without `self`
COMMANDS = "hl_dsl/cli/commands/"  # a parameter of a command is an option on the command line
TEST_TOOLS = {"pytest", "hypothesis", "xdist", "llguidance", "tests", "benchmarks"}


def wrong_directions(file: str, tree: ast.AST, level: Mapping[str, int]) -> list[tuple[str, str]]:
    """Imports that the folder's level does not allow: the imported file or module, and the message."""
    wrong = []
    for module, line in imported(tree):
        if module.startswith("."):
            wrong.append((module, f"{file}:{line}: a relative import; write it absolutely"))
        elif module.split(".")[0] in STAGES and module.split(".")[0] != "hl_dsl":
            wrong.append((module, f"{file}:{line}: `{module}` is installed as `hl_dsl.{module}`"))
    here = folder_of(file)
    if here not in level:
        return [*wrong, ("", f"{file}:1: the folder `{here}` has no level")]
    for target, line in imported_files(tree):
        there = folder_of(target)
        if there != here and level.get(there, len(level)) >= level[here]:
            wrong.append((target, f"{file}:{line}: `{here}/` may not import from `{there}/`"))
    return wrong


def cycles(imports: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of files that import each other."""
    graph = nx.DiGraph([(file, target) for file, targets in imports.items() for target in targets if file != target])
    return [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1]


def crowded_folders(files: Iterable[str]) -> dict[str, int]:
    """Folders with too many files, with their number."""
    counts = Counter(folder_of(file) for file in files if not file.endswith("__init__.py"))
    return {folder: number for folder, number in counts.items() if number > MOST_FILES}


def long_file(file: str, text: str) -> list[str]:
    lines = len(text.splitlines())
    return [f"{file} has {lines} lines"] if lines > MOST_LINES else []


def definitions_in_init(file: str, tree: ast.Module) -> list[str]:
    """Statements of an `__init__` that are not imports, `__all__`, or a call that makes `__getattr__`."""
    wrong = []
    for statement in tree.body[1:] if ast.get_docstring(tree) is not None else tree.body:
        body = statement.body if isinstance(statement, ast.If) and is_type_checking(statement) else [statement]
        is_import = all(isinstance(item, (ast.Import, ast.ImportFrom)) for item in body)
        if not is_import and not _is_export(statement):
            wrong.append(f"{file}:{statement.lineno}: {ast.unparse(statement).splitlines()[0]}")
    return wrong


def _is_export(statement: ast.stmt) -> bool:
    """`__all__ = [...]` or `__getattr__ = function(...)`."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    name = statement.targets[0].id
    return (name == "__all__" and isinstance(statement.value, (ast.List, ast.Tuple))) or (
        name == "__getattr__" and isinstance(statement.value, ast.Call)
    )


def undocumented_package(file: str, tree: ast.Module) -> list[str]:
    """A package's docstring is one or two sentences."""
    text = " ".join((ast.get_docstring(tree) or "").split())
    if not text:
        return [f"{file} does not say what the folder holds"]
    sentences = re.split(r"(?<=\.) (?=[A-Z`])", text)
    return [f"{file} has {len(sentences)} sentences, not one or two"] if len(sentences) > 2 else []


def long_signatures(file: str, tree: ast.AST) -> list[tuple[str, str]]:
    """Functions with too many parameters: the name, and the message."""
    if file.startswith(COMMANDS):
        return []
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = node.args
            names = [item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            number = len(names) - (names[:1] in (["self"], ["cls"])) + (given.vararg is not None)
            if number + (given.kwarg is not None) > MOST_PARAMETERS:
                wrong.append((node.name, f"{file}:{node.lineno}: `{node.name}` has {number} parameters"))
    return wrong


def imported_test_tools(file: str, tree: ast.AST) -> list[str]:
    """Imports of what only the `test` extra installs."""
    return [f"{file}:{line}: {module}" for module, line in imported(tree) if module.split(".")[0] in TEST_TOOLS]


def compared_operators(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Operators that code compares with by name, or dispatches on with a table of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(_names_an_operator(side) for side in sides):
                yield from ((text, node.lineno) for side in sides for text in _strings(side) if text in OPERATORS)
        elif isinstance(node, ast.Match) and _names_an_operator(node.subject):
            for case in node.cases:
                for inner in ast.walk(case.pattern):
                    yield from ((text, node.lineno) for text in _strings(inner) if text in OPERATORS)
        elif isinstance(node, ast.Dict):
            keys = [text for key in node.keys if key is not None for text in _strings(key) if text in OPERATORS]
            if len(keys) > 2:
                yield from ((text, node.lineno) for text in keys)


def _names_an_operator(node: ast.AST) -> bool:
    """`node.op`, `apply.operator`, `operator.name`, `row.name`, `op`, `operator`."""
    if isinstance(node, ast.Attribute):
        return node.attr in ("op", "operator") or (
            node.attr == "name" and isinstance(node.value, ast.Name) and node.value.id in ("operator", "row")
        )
    return isinstance(node, ast.Name) and node.id in ("op", "operator")


def _strings(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [text for item in node.elts for text in _strings(item)]
    return _strings(node.value) if isinstance(node, ast.MatchValue) else []
