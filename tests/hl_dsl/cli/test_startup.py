"""What a command loads: quick ones load nothing heavy. And the tables that are kept between processes."""

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
    "arguments, more",
    [
        (["--help"], {"lark", "tomllib", "multiprocessing", "asyncio"}),
        (["eval", "--help"], {"lark", "asyncio"}),
        (["check", "lean.hl"], set()),
        (["fmt", "--check", "lean.hl"], set()),
        (["explain", "clamp"], set()),
        (["explain", "HL204"], set()),
    ],
)
def test_quick_commands_load_nothing_heavy(folder, arguments, more):
    assert loaded(folder, *arguments) & (HEAVY | more) == set()


def test_a_proof_loads_no_simulator_and_no_compiler_of_machine_code(folder):
    assert (
        loaded(folder, "verify", "lean.hl")
        & {"numba", "envpool", "matplotlib", "cma", "mujoco", "z3", "rich", "pydantic"}
        == set()
    )


def test_the_tables_of_the_grammar_are_kept(folder, hl_process):
    kept = {**os.environ, "HL_CACHE": str(folder / "kept")}
    good = hl_process("check", "lean.hl", env=kept)
    (tables,) = (folder / "kept").glob("grammar-*.tables")
    made = tables.read_bytes()
    assert good.code == 0 and hl_process("check", "lean.hl", env=kept) == good
    for damaged in (b"", made[:1000], made[:-1], b"\0" * 5000, b"0" * 64 + made[64:]):
        tables.write_bytes(damaged)
        assert hl_process("check", "lean.hl", env=kept) == good
        assert tables.stat().st_size > len(made) / 2 and tables.read_bytes() != damaged, "made anew"


def test_tables_that_cannot_be_kept_cost_only_time(folder, hl_process):
    for place in ("/proc/none", str(folder / "lean.hl"), str(folder / "lean.hl" / "deeper")):
        ended = hl_process("check", "lean.hl", env={**os.environ, "HL_CACHE": place})
        assert (ended.code, ended.err) == (0, "")
