"""Each rule of `tests/test_house.py` finds a small bad input."""

from __future__ import annotations

import ast

import pytest

from tests.support.house import packages, rules
from tests.support.house.source_tree import loaded_at_import
from tests.test_house import LEVEL


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("grammar/tree/x.py", "from hl_dsl.language.checker import check"),
        ("hl_dsl/base/x.py", "from hl_dsl.compiler.ir.dataflow import Node"),
        ("hl_dsl/operators/x.py", "def f():\n    import hl_dsl.verify"),
        ("hl_dsl/base/x.py", "if TYPE_CHECKING:\n    from hl_dsl.program import Program"),
        ("compiler/ir/x.py", "from hl_dsl import verify"),
        ("compiler/ir/x.py", "from hl_dsl.program import Program"),
        ("verify/goals/x.py", "from hl_dsl.synth.rollouts.rollout import evaluate"),
        ("synth/runs/x.py", "from .ledger import Ledger"),
        ("synth/runs/x.py", "import compiler.ir"),
        ("synth/nowhere/x.py", "import os"),
    ],
)
def test_import_in_the_wrong_direction_is_found(file, line):
    assert rules.wrong_directions(file, ast.parse(line), LEVEL) != []


def test_import_from_an_earlier_level_is_allowed():
    tree = ast.parse("from hl_dsl.base.source import Span\nfrom hl_dsl.compiler.ir.dataflow import Node")
    assert rules.wrong_directions("verify/goals/x.py", tree, LEVEL) == []


def test_cycle_of_files_is_found():
    assert rules.cycles({"a.py": {"b.py"}, "b.py": {"c.py"}, "c.py": {"a.py"}}) == [["a.py", "b.py", "c.py"]]
    assert rules.cycles({"a.py": {"b.py", "a.py"}, "b.py": {"c.py"}}) == []


def test_folder_with_21_files_is_found():
    files = [f"synth/runs/file{number}.py" for number in range(21)]
    assert rules.crowded_folders(files) == {"synth/runs": 21}
    assert rules.crowded_folders([*files[:20], "synth/runs/__init__.py"]) == {}


def test_file_with_301_lines_is_found():
    assert rules.long_file("x.py", "pass\n" * 301) == ["x.py has 301 lines"]
    assert rules.long_file("x.py", "pass\n" * 300) == []


@pytest.mark.parametrize(
    "code",
    ["def load(): pass", "class A: pass", "LIMIT = 3", "__all__ = sorted(NAMES)", "if TYPE_CHECKING:\n    A = 1"],
)
def test_definition_in_a_package_is_found(code):
    assert rules.definitions_in_init("x/__init__.py", ast.parse('"""Text."""\n' + code)) != []


def test_imports_and_exports_are_allowed_in_a_package():
    code = '"""Text."""\nfrom a import b\n__all__ = ["b"]\n__getattr__ = lazy_exports(__name__, {"c": "d"})'
    assert rules.definitions_in_init("x/__init__.py", ast.parse(code)) == []


@pytest.mark.parametrize("text", ["", '"""One. Two. Three."""'])
def test_package_without_one_or_two_sentences_is_found(text):
    assert rules.undocumented_package("x/__init__.py", ast.parse(text)) != []


def test_package_with_two_sentences_is_allowed():
    assert rules.undocumented_package("x/__init__.py", ast.parse('"""Reads `a.py`. Writes `b`, too."""')) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(a, b, c, d, e, f, g, h, i): pass",
        "class A:\n    def f(self, a, b, c, d, e, f, g, h, *, i): pass",
        "async def f(a, b, c, d, e, f, g, h, **options): pass",
    ],
)
def test_function_with_9_parameters_is_found(code):
    assert len(rules.long_signatures("synth/x.py", ast.parse(code))) == 1
    assert rules.long_signatures("hl_dsl/cli/commands/x.py", ast.parse(code)) == []


def test_method_with_8_parameters_and_self_is_allowed():
    code = "class A:\n    def f(self, a, b, c, d, e, f, g, h): pass"
    assert rules.long_signatures("synth/x.py", ast.parse(code)) == []


def test_import_of_a_test_tool_is_found():
    tree = ast.parse("def f():\n    from hypothesis import given\nimport pytest\nimport numpy")
    assert len(rules.imported_test_tools("synth/x.py", tree)) == 3


def test_package_that_pyproject_does_not_list_is_found(tmp_path, monkeypatch):
    (tmp_path / "synth" / "new").mkdir(parents=True)
    (tmp_path / "synth" / "new" / "__init__.py").touch()
    monkeypatch.setattr(packages, "ROOT", tmp_path)
    assert packages.packages() == ["hl_dsl.synth.new"]
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.setuptools]\npackages = [\n  "old",\n]\n[other]\n', encoding="utf-8")
    monkeypatch.setattr(packages, "PROJECT", project)
    assert packages.listed() == ["old"]
    packages.write()
    assert packages.listed() == ["hl_dsl.synth.new"] and "[other]" in project.read_text(encoding="utf-8")


def test_heavy_import_outside_functions_is_found():
    code = "class A:\n    import numpy as np\nif True:\n    from z3 import Int\ndef f():\n    import numba"
    assert loaded_at_import(ast.parse(code)) == {"numpy", "z3"}


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
def test_comparison_with_an_operator_by_name_is_found(code):
    assert {name for name, _ in rules.compared_operators(ast.parse(code))} & {"min", "max"}
