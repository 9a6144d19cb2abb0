"""No module keeps mutable state: pools, caches and search paths belong to objects that are passed.

`EXCEPTIONS` lists what is allowed, with the reason.
"""

from __future__ import annotations

import ast

import pytest

from tests.support.house.source_tree import sources
from tests.support.module_state import module_objects, module_state, mutable_classes

EXCEPTIONS = {
    "hl_dsl/operators/table.py: `INFIX_BY_TOKEN` of the module is changed in a function": (
        "the registration of operators, which happens at import and in tests of new operators"
    ),
    "hl_dsl/operators/table.py: `OPERATORS` of the module is changed in a function": "the same",
    "synth/runs/version.py: the cached function `version` reads files": (
        "the version of the code that runs is that of its start"
    ),
    "hl_dsl/standard_declarations.py: an object of the mutable class `DeclarationTable`": (
        "filled at import, and not changed after"
    ),
    "grammar/formatter/document.py: an object of the mutable class `Break`": "a text, which is not changed",
}


def findings() -> set[str]:
    classes = mutable_classes([tree for _, tree in sources()])
    return {
        message
        for file, tree in sources()
        for message in (*module_state(file, tree), *module_objects(file, tree, classes))
    }


def test_no_module_keeps_mutable_state():
    assert findings() - set(EXCEPTIONS) == set()


def test_every_exception_is_needed():
    assert set(EXCEPTIONS) - findings() == set()


@pytest.mark.parametrize(
    "code",
    [
        "_idle = []\ndef keep(worker):\n    _idle.append(worker)",
        "_known: dict = {}\ndef keep(name):\n    _known[name] = 1",
        "total = 0\ndef count():\n    global total\n    total += 1",
        "from x import FOLDERS\ndef look_in(folder):\n    FOLDERS.append(folder)",
        "SETTINGS = Settings()\nclass A:\n    def f(self):\n        SETTINGS.limit = 3",
        "@lru_cache(maxsize=4)\ndef card(path):\n    return path.read_text()",
        "@cache\ndef text(name):\n    with open(name) as file:\n        return file.read()",
        "class Pool:\n    pass\nPOOL = Pool()",
    ],
)
def test_module_state_is_found(code):
    tree = ast.parse(code)
    assert [*module_state("x.py", tree), *module_objects("x.py", tree, mutable_classes([tree]))] != []


@pytest.mark.parametrize(
    "code",
    [
        "NAMES = ['a']\ndef f():\n    names = list(NAMES)\n    names.append('b')",
        "NAMES = ['a']\ndef f(NAMES):\n    NAMES.append('b')",
        "@cache\ndef packaged(name):\n    return (files('hl_dsl') / name).read_text()",
        "class Pool:\n    def f(self):\n        self.idle.append(1)",
        "@dataclass(frozen=True)\nclass Limit:\n    steps: int\nLIMIT = Limit(3)",
    ],
)
def test_constants_and_objects_are_not_module_state(code):
    tree = ast.parse(code)
    assert [*module_state("x.py", tree), *module_objects("x.py", tree, mutable_classes([tree]))] == []
