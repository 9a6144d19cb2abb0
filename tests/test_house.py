"""The house: imports point one way, heavy libraries are loaded where they are used, one module steps simulators, and
the operator table is the only place that knows operators by name."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import networkx as nx
import pytest

from hl_dsl.operators import OPERATORS

ROOT = Path(__file__).parent.parent
# The layout, from the floor to the roof: a folder imports only from folders on an earlier line.
LEVELS = (
    ("hl_dsl/base", "hl_dsl/operators"),
    ("grammar/tree", "hl_dsl/cards", "hl_dsl/messages"),
    ("grammar/decoder", "grammar/syntax_errors", "synth/runs"),
    ("grammar",),
    ("grammar/formatter", "hl_dsl/language"),
    ("compiler/explanation", "compiler/ir"),
    ("compiler/backends", "verify/goals"),
    (
        "compiler/backends/numpy_backend",
        "compiler/backends/tape",
        "compiler/lowering",
        "synth/environments",
        "verify/intervals",
    ),
    ("compiler", "compiler/export", "verify/simulation", "verify/smt"),
    ("compiler/planner", "verify/results"),
    ("synth/rollouts", "verify/methods"),
    ("verify/methods/lemmas",),
    ("verify",),
    ("hl_dsl", "verify/equivalence"),
    ("synth/mutation", "synth/proposers/prompt", "synth/workers", "verify/diagnosis"),
    ("synth/candidates",),
    ("synth/evaluation",),
    ("synth/proposers/local", "synth/proposers/text"),
    ("synth/proposers/agents", "synth/proposers/llm", "synth/regressions", "synth/report/contents"),
    ("synth/report/drawing",),
    ("synth/report/sections",),
    ("synth/proposers", "synth/report", "synth/tuning"),
    ("synth/search",),
    ("synth",),
    ("hl_dsl/cli/options", "hl_dsl/cli/output"),
    ("hl_dsl/cli/mcp_server",),
    ("hl_dsl/cli/commands",),
    ("hl_dsl/cli",),
)
LEVEL = {folder: number for number, folders in enumerate(LEVELS) for folder in folders}
STAGES = ("grammar", "hl_dsl", "compiler", "verify", "synth", "policies")
MOST_FILES = 20
# Cycles that wait for their cut; nothing may be added here.
PENDING_CYCLES = {
    "verify/intervals/contexts.py",
    "synth/search/generation.py",
}
HEAVY = {
    "numpy",
    "numba",
    "envpool",
    "z3",
    "matplotlib",
    "cma",
    "networkx",
    "gymnasium",
    "mujoco",
    "scipy",
    "imageio",
    "imageio_ffmpeg",
    "openai",
    "httpx2",
    "mcp",
}
SIMULATORS = {
    ("envpool", "synth/environments/environments.py"),
    ("gymnasium", "synth/environments/gymnasium_factory.py"),
    ("gymnasium", "synth/environments/gymnasium_spec.py"),
}
STEPS_SIMULATORS = "synth/environments/environments.py"

# Where an operator is asked for by name outside the table, and why that is not knowledge about the operator.
BY_NAME = {
    (
        "hl_dsl/language/type_inference.py",
        "if",
    ): "the one operator whose first operand may not be a vector is also the one with branches",
    (
        "verify/methods/interval_stage.py",
        "implies",
    ): "vacuity looks for the antecedents a person wrote, which is about the text",
    ("verify/methods/interval_stage.py", "and"): "the same: a property that is several properties",
}


@lru_cache(maxsize=1)
def sources() -> list[tuple[str, ast.Module]]:
    """Every module of the project, by its path."""
    paths = [path for folder in STAGES for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


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


def file_of(module: str) -> str | None:
    """The file of a module of this project, by its dotted name."""
    parts = module.split(".")
    if parts[0] != "hl_dsl":
        return None
    path = "/".join(parts[1:] if len(parts) > 1 and parts[1] in STAGES else parts)
    for file in (f"{path}.py", f"{path}/__init__.py"):
        if (ROOT / file).is_file():
            return file
    return None


def folder_of(file: str) -> str:
    return file.rsplit("/", 1)[0]


def imported_files(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every file of the project that is imported, also inside functions and for types, with its line."""
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


def wrong_directions(file: str, tree: ast.AST) -> list[str]:
    """Imports of a file that its folder's level does not allow."""
    wrong = []
    for module, line in imported(tree):
        if module.startswith("."):
            wrong.append(f"{file}:{line}: a relative import; write it absolutely")
        elif module.split(".")[0] in STAGES and module.split(".")[0] != "hl_dsl":
            wrong.append(f"{file}:{line}: `{module}` is installed as `hl_dsl.{module}`")
    here = folder_of(file)
    if here not in LEVEL:
        return [*wrong, f"{file}:1: the folder `{here}` has no level"]
    for target, line in imported_files(tree):
        there = folder_of(target)
        if there != here and LEVEL.get(there, len(LEVELS)) >= LEVEL[here]:
            wrong.append(f"{file}:{line}: `{here}/` may not import from `{there}/`")
    return wrong


def cycles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Groups of files that import each other."""
    graph = nx.DiGraph([(file, target) for file, targets in imports.items() for target in targets if file != target])
    return [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1]


def outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when the module is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not _only_for_types(
                child
            ):
                waiting.append(child)


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported_at_once(tree: ast.Module) -> set[str]:
    return {
        module.split(".")[0]
        for node in outside_functions(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for module, _ in imported(node)
    }


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


def test_a_folder_imports_only_from_earlier_levels():
    assert [
        line for file, tree in sources() if file != "policies/__init__.py" for line in wrong_directions(file, tree)
    ] == []


def test_files_do_not_import_each_other_in_a_circle():
    imports = {file: {target for target, _ in imported_files(tree)} for file, tree in sources()}
    assert [group for group in cycles(imports) if not PENDING_CYCLES & set(group)] == []


def test_a_cycle_is_found():
    assert cycles({"a.py": {"b.py"}, "b.py": {"c.py"}, "c.py": {"a.py"}}) == [["a.py", "b.py", "c.py"]]


def test_no_folder_has_too_many_files():
    counts = Counter(folder_of(file) for file, _ in sources() if not file.endswith("__init__.py"))
    assert {folder: number for folder, number in counts.items() if number > MOST_FILES} == {}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("grammar/tree/x.py", "from hl_dsl.language.checker import check"),
        ("hl_dsl/base/x.py", "from hl_dsl.compiler.ir.dataflow import Node"),
        ("hl_dsl/operators/x.py", "def f():\n    import hl_dsl.verify"),
        ("compiler/ir/x.py", "from hl_dsl import verify"),
        ("compiler/ir/x.py", "from hl_dsl.program import Program"),
        ("verify/goals/x.py", "from hl_dsl.synth.rollouts.rollout import evaluate"),
        ("synth/runs/x.py", "from .ledger import Ledger"),
        ("synth/runs/x.py", "import compiler.ir"),
        ("synth/nowhere/x.py", "import os"),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(file, line):
    assert wrong_directions(file, ast.parse(line)) != []


def test_the_language_loads_nothing_heavy():
    found = [
        f"{file}: {', '.join(sorted(heavy))}"
        for file, tree in sources()
        if file.split("/")[0] in ("hl_dsl", "grammar") and (heavy := imported_at_once(tree) & HEAVY)
    ]
    assert found == []
    assert imported_at_once(ast.parse("class A:\n    import numpy as np\nif True:\n    from z3 import Int")) == {
        "numpy",
        "z3",
    }


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
    pools = {
        file
        for file, tree in sources()
        for module, _ in imported(tree)
        if module.endswith("gymnasium_pool.GymnasiumPool")
    }
    assert pools == {STEPS_SIMULATORS}, (
        "what steps users' environments is asked by the module that counts, and by no other"
    )


def test_only_the_table_knows_operators_by_name():
    found = {
        (file, name)
        for file, tree in sources()
        if not file.startswith("hl_dsl/operators/")
        for name, _ in asked_by_name(tree)
    }
    assert found - set(BY_NAME) == set()
    assert set(BY_NAME) - found == set(), "these exceptions are not needed any more"


@pytest.mark.parametrize(
    "code",
    [
        "if node.op == 'min': pass",
        "if 'min' == apply.operator: pass",
        "if operator.name in ('min', 'max'): pass",
        "match op:\n    case 'min' | 'max': pass",
        "WORDS = {'min': 1, 'max': 2, 'add': 3}",
    ],
)
def test_a_chain_over_operators_is_found(code):
    assert {name for name, _ in asked_by_name(ast.parse(code))} & {"min", "max"}
