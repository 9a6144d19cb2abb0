"""The house: imports point one way, heavy libraries are loaded where they are used, one module steps simulators, and
the operator table is the only place that knows operators by name."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Iterator

import pytest

from hl_dsl.operators import OPERATORS

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "grammar": (),
    "hl_dsl": ("grammar",),
    "compiler": ("grammar", "hl_dsl"),
    "verify": ("grammar", "hl_dsl", "compiler"),
    "synth": ("grammar", "hl_dsl", "compiler", "verify", "policies"),
    "policies": (),
}
HEAVY = {"numpy", "numba", "envpool", "z3", "matplotlib", "cma", "networkx", "gymnasium", "mujoco", "scipy", "imageio", "imageio_ffmpeg",
         "openai", "httpx2", "mcp"}
SIMULATORS = {("envpool", "synth/environments/environments.py"), ("gymnasium", "synth/environments/gymnasium_factory.py"), ("gymnasium", "synth/environments/gymnasium_spec.py")}
STEPS_SIMULATORS = "synth/environments/environments.py"

# Where an operator is asked for by name outside the table, and why that is not knowledge about the operator.
BY_NAME = {
    ("hl_dsl/language/type_inference.py", "if"): "the one operator whose first operand may not be a vector is also the one with branches",
    ("verify/methods/interval_stage.py", "implies"): "vacuity looks for the antecedents a person wrote, which is about the text",
    ("verify/methods/interval_stage.py", "and"): "the same: a property that is several properties",
}


@lru_cache(maxsize=1)
def sources() -> list[tuple[str, ast.Module]]:
    """Every module of the project, by its path."""
    paths = [path for folder in MAY_IMPORT for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def is_front_door(file: str) -> bool:
    return file.startswith("hl_dsl/cli/") or file == "hl_dsl/program.py"


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module imported, also inside functions, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level, node.lineno
            else:
                yield node.module, node.lineno
                yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)


def stage(module: str) -> str | None:
    """The folder a module of this project lives in."""
    head, *rest = module.split(".")
    if head != "hl_dsl":
        return None
    return rest[0] if rest and rest[0] in MAY_IMPORT else "hl_dsl"


def wrong_directions(file: str, tree: ast.AST) -> list[str]:
    folder = file.split("/")[0]
    if is_front_door(file):
        return []
    allowed = {folder, *MAY_IMPORT[folder]}
    wrong = []
    for module, line in imported(tree):
        if module.startswith("."):
            wrong.append(f"{file}:{line}: a relative import; write it absolutely")
        elif module.split(".")[0] in MAY_IMPORT and module.split(".")[0] != "hl_dsl":
            wrong.append(f"{file}:{line}: `{module}` is installed as `hl_dsl.{module}`")
        elif stage(module) is not None and stage(module) not in allowed:
            wrong.append(f"{file}:{line}: `{folder}/` may not import `{module}`")
        elif folder != "hl_dsl" and module in ("hl_dsl.program", "hl_dsl.cli") and folder != "synth":
            wrong.append(f"{file}:{line}: the front door is not for the stages behind it")
    return wrong


def outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when the module is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not _only_for_types(child):
                waiting.append(child)


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported_at_once(tree: ast.Module) -> set[str]:
    return {module.split(".")[0] for node in outside_functions(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for module, _ in imported(node)}


def asked_by_name(tree: ast.AST) -> Iterator[tuple[str, int]]:
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
        return node.attr in ("op", "operator") or (node.attr == "name" and isinstance(node.value, ast.Name) and node.value.id in ("operator", "row"))
    return isinstance(node, ast.Name) and node.id in ("op", "operator")


def _strings(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [text for item in node.elts for text in _strings(item)]
    return _strings(node.value) if isinstance(node, ast.MatchValue) else []


def test_imports_point_one_way():
    assert [line for file, tree in sources() for line in wrong_directions(file, tree)] == []


@pytest.mark.parametrize("file, line", [
    ("grammar/x.py", "from hl_dsl.base.source import Span"),
    ("hl_dsl/x.py", "from hl_dsl.compiler.ir.dataflow import Node"),
    ("hl_dsl/operators/x.py", "def f():\n    import hl_dsl.verify"),
    ("compiler/x.py", "from hl_dsl import verify"),
    ("compiler/x.py", "from hl_dsl.program import Program"),
    ("verify/x.py", "from hl_dsl.synth.rollouts.rollout import evaluate"),
    ("synth/x.py", "from .rollout import evaluate"),
    ("synth/x.py", "import compiler.ir"),
])
def test_an_import_that_points_the_wrong_way_is_found(file, line):
    assert wrong_directions(file, ast.parse(line)) != []


def test_the_language_loads_nothing_heavy():
    found = [f"{file}: {', '.join(sorted(heavy))}" for file, tree in sources()
             if file.split("/")[0] in ("hl_dsl", "grammar") and (heavy := imported_at_once(tree) & HEAVY)]
    assert found == []
    assert imported_at_once(ast.parse("class A:\n    import numpy as np\nif True:\n    from z3 import Int")) == {"numpy", "z3"}


def test_checking_a_policy_loads_nothing_heavy():
    """What a table of imports cannot show: what the front door pulls in through others."""
    code = (
        "import sys; import hl_dsl.cli.app; from hl_dsl.program import Program;"
        "Program.parse('policy p for \"CartPole-v1\" { observe pole.angle  act { when pole.angle > 0 => RIGHT otherwise => LEFT } }');"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_module_steps_simulators():
    found = {(module.split(".")[0], file) for file, tree in sources() for module, _ in imported(tree)}
    assert {one for one in found if one[0] in ("envpool", "gymnasium")} == SIMULATORS
    pools = {file for file, tree in sources() for module, _ in imported(tree) if module.endswith("gymnasium_pool.UsersPool")}
    assert pools == {STEPS_SIMULATORS}, "what steps users' environments is asked by the module that counts, and by no other"


def test_only_the_table_knows_operators_by_name():
    found = {(file, name) for file, tree in sources() if not file.startswith("hl_dsl/operators/") for name, _ in asked_by_name(tree)}
    assert found - set(BY_NAME) == set()
    assert set(BY_NAME) - found == set(), "these exceptions are not needed any more"


@pytest.mark.parametrize("code", [
    "if node.op == 'min': pass",
    "if 'min' == apply.operator: pass",
    "if operator.name in ('min', 'max'): pass",
    "match op:\n    case 'min' | 'max': pass",
    "WORDS = {'min': 1, 'max': 2, 'add': 3}",
])
def test_a_chain_over_operators_is_found(code):
    assert {name for name, _ in asked_by_name(ast.parse(code))} & {"min", "max"}
