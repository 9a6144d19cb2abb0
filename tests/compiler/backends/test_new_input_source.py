"""A new input source is one record and one entry in the table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hl_dsl.input_sources.table import INPUT_SOURCES, SOURCE_NAMES
from tests.support.paths import ROOT


def test_a_source_that_is_only_registered_is_checked_proved_played_and_recorded():
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.new_input_source"],
        env={**os.environ, "NUMBA_OPT": "0"},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "played", done.stderr


def test_every_source_has_a_file_of_its_own():
    files = {path.stem for path in (Path(ROOT) / "hl_dsl" / "input_sources").glob("*.py")}
    assert files - {"__init__", "source", "table"} == set(SOURCE_NAMES)
    assert all(source.says and source.dtypes for source in INPUT_SOURCES)
