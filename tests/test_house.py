"""Rules of the house: direction of imports, size of files, what is imported where.

`make packages` writes the list of packages. Each rule finds a bad input in `tests/test_house_rules.py`.
"""

from __future__ import annotations

import subprocess
import sys

from tests.support.house.packages import listed, packages
from tests.support.house.rules import (
    compared_operators,
    crowded_folders,
    cycles,
    definitions_in_init,
    imported_test_tools,
    long_file,
    long_signatures,
    undocumented_package,
    wrong_directions,
)
from tests.support.house.source_tree import CHECKS, STAGES, imported, imported_files, loaded_at_import, sources
from tests.support.paths import ROOT

# The layout, from the floor to the roof: a folder imports only from folders on an earlier line.
LEVELS = (
    ("hl_dsl/base", "hl_dsl/input_sources", "hl_dsl/operators"),
    ("grammar/tree", "hl_dsl/cards", "hl_dsl/cases", "hl_dsl/messages"),
    ("grammar/decoder", "grammar/syntax_errors", "synth/runs"),
    ("grammar",),
    ("grammar/formatter", "hl_dsl/language"),
    ("compiler/explanation", "compiler/ir"),
    ("compiler/backends", "verify/goals"),
    (
        "compiler/backends/numpy_backend",
        "compiler/backends/tape",
        "compiler/lowering",
        "synth/environments/backends",
        "verify/intervals",
    ),
    ("compiler", "compiler/export", "synth/environments", "verify/simulation", "verify/smt"),
    ("compiler/planner", "verify/results"),
    ("synth/rollouts", "verify/methods"),
    ("verify/methods/lemmas",),
    ("verify",),
    ("hl_dsl/declarations",),
    ("hl_dsl", "verify/equivalence"),
    ("synth/mutation", "synth/proposers/prompt", "synth/workers", "verify/diagnosis"),
    ("synth/candidates",),
    ("synth/evaluation",),
    ("synth/proposers/local", "synth/proposers/text"),
    ("synth/proposers/agents", "synth/proposers/llm", "synth/regressions", "synth/report/contents"),
    ("synth/report/drawing",),
    ("synth/report/sections",),
    ("synth/proposers", "synth/report"),
    ("synth/search",),
    ("synth/tuning",),
    ("synth",),
    ("hl_dsl/cli/options", "hl_dsl/cli/output"),
    ("hl_dsl/cli/mcp_server",),
    ("hl_dsl/cli/commands",),
    ("hl_dsl/cli",),
)
LEVEL = {folder: number for number, folders in enumerate(LEVELS) for folder in folders}
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
    ("envpool", "synth/environments/backends/envpool_backend.py"),
    ("gymnasium", "synth/environments/backends/gymnasium_factory.py"),
    ("gymnasium", "synth/environments/backends/gymnasium_spec.py"),
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


def test_a_folder_imports_only_from_earlier_levels():
    files = [(file, tree) for file, tree in sources() if file != "policies/__init__.py"]
    assert [message for file, tree in files for _, message in wrong_directions(file, tree, LEVEL)] == []


def test_no_files_import_each_other_in_a_circle():
    assert cycles({file: {target for target, _ in imported_files(tree)} for file, tree in sources()}) == []


def test_files_have_at_most_300_lines():
    texts = ((file, (ROOT / file).read_text(encoding="utf-8")) for file, _ in sources(STAGES + CHECKS))
    assert [message for file, text in texts for message in long_file(file, text)] == []


def test_functions_have_at_most_8_parameters_outside_commands():
    files = sources(STAGES + CHECKS)
    assert [message for file, tree in files for _, message in long_signatures(file, tree)] == []


def test_folders_have_at_most_20_files():
    assert crowded_folders(file for file, _ in sources(STAGES + CHECKS)) == {}


def test_packages_hold_no_definitions():
    packages = [(file, tree) for file, tree in sources() if file.endswith("__init__.py")]
    assert [line for file, tree in packages for line in definitions_in_init(file, tree)] == []


def test_every_package_says_what_it_holds():
    packages = [(file, tree) for file, tree in sources() if file.endswith("__init__.py")]
    assert [line for file, tree in packages for line in undocumented_package(file, tree)] == []


def test_pyproject_lists_the_packages_of_the_tree():
    assert listed() == packages(), "run `make packages`"


def test_package_imports_no_test_tools():
    assert [line for file, tree in sources() for line in imported_test_tools(file, tree)] == []


def test_language_modules_load_nothing_heavy():
    found = [
        f"{file}: {', '.join(sorted(heavy))}"
        for file, tree in sources()
        if file.split("/")[0] in ("hl_dsl", "grammar") and (heavy := loaded_at_import(tree) & HEAVY)
    ]
    assert found == []


def test_checking_a_policy_loads_nothing_heavy():
    """Covers what a table of imports cannot show: modules that are loaded through others."""
    policy = """policy p for "CartPole-v1" {
      observe pole.angle  act { when pole.angle > 0 => RIGHT otherwise => LEFT }
    }"""
    code = (
        "import sys; import hl_dsl.cli.app; from hl_dsl.program import Program;"
        f"Program.parse({policy!r}); print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_module_steps_simulators():
    imports = {(module, file) for file, tree in sources() for module, _ in imported(tree)}
    libraries = {(module.split(".")[0], file) for module, file in imports}
    assert {pair for pair in libraries if pair[0] in ("envpool", "gymnasium")} == SIMULATORS
    openers = {
        file
        for module, file in imports
        if module.endswith(".SimulatorRequest") and not file.startswith("synth/environments/backends/")
    }
    assert openers == {"synth/environments/simulator_pool.py", STEPS_SIMULATORS}, (
        "only the module that counts steps may open a simulator"
    )


def test_only_the_table_knows_operators_by_name():
    found = {
        (file, name)
        for file, tree in sources()
        if not file.startswith("hl_dsl/operators/")
        for name, _ in compared_operators(tree)
    }
    assert found - set(BY_NAME) == set()
    assert set(BY_NAME) - found == set(), "these exceptions are no longer needed"
