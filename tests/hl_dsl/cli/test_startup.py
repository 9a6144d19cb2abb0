"""Imports of commands, and the cache of grammar tables between processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
    "imageio_ffmpeg",
    "rich",
    "openai",
    "pydantic",
}
LOADED = """
import sys
from hl_dsl.cli.main import main
try:
    main()
except SystemExit as end:
    print(end.code, " ".join(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def loaded(folder, *arguments) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )
    code, *names = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    return set(names)


@pytest.mark.parametrize(
    "arguments, excluded",
    [
        (["--help"], {"lark", "tomllib", "multiprocessing", "asyncio"}),
        (["eval", "--help"], {"lark", "asyncio"}),
        (["check", "lean.hl"], set()),
        (["fmt", "--check", "lean.hl"], set()),
        (["explain", "clamp"], set()),
        (["explain", "HL204"], set()),
    ],
)
def test_quick_command_imports_no_large_library(folder, arguments, excluded):
    assert loaded(folder, *arguments) & (HEAVY | excluded) == set()


def test_verify_imports_no_simulator_and_no_compiler(folder):
    assert (
        loaded(folder, "verify", "lean.hl")
        & {"numba", "envpool", "matplotlib", "cma", "mujoco", "z3", "rich", "pydantic"}
        == set()
    )


def test_grammar_tables_are_cached_and_repaired(folder, hl_process):
    environment = {**os.environ, "HL_CACHE": str(folder / "kept")}
    first = hl_process("check", "lean.hl", env=environment)
    (tables,) = (folder / "kept").glob("grammar-*.tables")
    written = tables.read_bytes()
    assert first.code == 0 and hl_process("check", "lean.hl", env=environment) == first
    for damaged in (b"", written[:1000], written[:-1], b"\0" * 5000, b"0" * 64 + written[64:]):
        tables.write_bytes(damaged)
        assert hl_process("check", "lean.hl", env=environment) == first
        assert tables.stat().st_size > len(written) / 2 and tables.read_bytes() != damaged, "written again"


def test_unwritable_cache_is_not_an_error(folder, hl_process):
    for place in ("/proc/none", str(folder / "lean.hl"), str(folder / "lean.hl" / "deeper")):
        result = hl_process("check", "lean.hl", env={**os.environ, "HL_CACHE": place})
        assert (result.code, result.err) == (0, "")
