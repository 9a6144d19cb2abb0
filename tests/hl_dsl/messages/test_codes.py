"""Codes of messages: each is used, has a page, and its examples raise it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.messages.codes import CODES, explain_code
from hl_dsl.program import Program
from hl_dsl.program_files import read_source
from hl_dsl.verify.diagnosis.assumption_horizon import check_assumption_horizon
from hl_dsl.verify.diagnosis.dead_code import find_dead_code
from tests.support.broken_programs import codes
from tests.support.paths import ROOT

WARNINGS = {code for code in CODES if code.startswith("HL5")}


# Codes whose pages cannot show an example in text, for they are about files, limits and runs; and what raises each: a
# text, or what is done with a folder.
WITHOUT_EXAMPLE = {
    "HL105": "\x89PNG\r\n\x1a\n",
    "HL110": "x" * 1_000_000,
    "HL111": "(" * 10_000,
    "HL601": lambda folder: evaluated(folder, "Breakout-v5"),
    "HL610": lambda folder: read_source(folder / "none.hl"),
    "HL611": lambda folder: read_source(folder),
    "HL612": lambda folder: read_source(folder / ("x" * 300)),
    "HL613": lambda folder: read_source(written(folder, b"\xff")),
    "HL614": lambda folder: read_source(written(folder, b"#" * 5_000_000)),
}


def warnings(text: str) -> list[str]:
    program = Program.parse(text)
    return [
        item.code
        for item in program.warnings
        + find_dead_code(program.checked)
        + check_assumption_horizon(program.flow, program.prove())
    ]


def _codes_in_the_source() -> set[str]:
    files = [
        path
        for folder in ("grammar", "hl_dsl", "compiler", "verify", "synth")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "codes.py"
    ]
    return {code for path in files for code in re.findall(r'"(HL\d{3})"', path.read_text(encoding="utf-8"))}


def test_used_codes_are_the_listed_codes():
    used = _codes_in_the_source()
    assert used - set(CODES) == set()
    assert set(CODES) - used == set()


def test_every_code_has_a_page():
    pages = {path.stem for path in (ROOT / "hl_dsl" / "messages" / "pages").glob("*.md")}
    assert pages == set(CODES)


def written(folder: Path, data: bytes) -> Path:
    (folder / "p.hl").write_bytes(data)
    return folder / "p.hl"


def evaluated(folder: Path, environment: str) -> None:
    from hl_dsl.cli.commands.eval import evaluate

    evaluate(written(folder, b'policy p for "CartPole-v1" { act LEFT }'), env=environment)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_raised_by_an_example(code, tmp_path):
    """Raised by the example on its page, or by the entry of `WITHOUT_EXAMPLE`."""
    raised = WITHOUT_EXAMPLE.get(code)
    if raised is None:
        raised = re.findall(r"```hl\n(.*?)```", explain_code(code), re.DOTALL)[0]
    if isinstance(raised, str):
        assert code in (warnings(raised) if code in WARNINGS else codes(raised))
        return
    with pytest.raises(HLError) as caught:
        raised(tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize("code", sorted(CODES))
def test_page_has_the_title_and_valid_examples(code):
    page = explain_code(code)
    assert page.startswith(f"# {code}: {CODES[code].title}\n")
    examples = re.findall(r"```hl\n(.*?)```", page, re.DOTALL)
    if CODES[code].stage == "proof":
        return
    if code in WITHOUT_EXAMPLE:
        assert examples == []
        return
    wrong, fixed = examples
    if CODES[code].stage == "warnings":
        assert [item.code for item in Program.parse(wrong).warnings] == [code]
        assert Program.parse(fixed).warnings == ()
        return
    assert codes(wrong) == [code]
    assert codes(fixed) == []


def test_unknown_code_names_similar_codes():
    assert explain_code(" hl204 ").startswith("# HL204")
    with pytest.raises(HLError) as raised:
        explain_code("HL2O4")
    assert "HL204" in raised.value.hint
    with pytest.raises(HLError):
        explain_code("nonsense")
