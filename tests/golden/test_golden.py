"""Recorded outputs are unchanged. After an intended change, `make golden` records them again; read the difference."""

from __future__ import annotations

import pytest

from tests.golden.recorders import RECORDERS, SUFFIXES, cases
from tests.support.paths import GOLDEN

CASES = list(cases())


@pytest.mark.parametrize(
    ("folder", "program", "recorded"), CASES, ids=[f"{folder}/{program.stem}" for folder, program, _ in CASES]
)
def test_the_output_is_the_recorded_one(folder, program, recorded):
    assert RECORDERS[folder](program) == recorded.read_text(encoding="utf-8")


def test_every_folder_has_cases_and_no_output_is_without_a_program():
    assert {folder for folder, _, _ in CASES} == set(RECORDERS)
    for folder, suffix in SUFFIXES.items():
        outputs = {path.name.removesuffix(suffix) for path in (GOLDEN / folder).glob(f"*{suffix}")}
        assert outputs == {path.stem for path in (GOLDEN / folder).glob("*.hl")}
