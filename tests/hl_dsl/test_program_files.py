"""Reading program files: what is wrong with a file is said, and which one was meant."""

from __future__ import annotations

import os

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program_files import MOST_BYTES, read_source

TEXT = 'policy p for "CartPole-v1" {\n  act LEFT  # größer\n}\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "balance.hl").write_text(TEXT, encoding="utf-8")
    (tmp_path / "swing.hl").write_text(TEXT, encoding="utf-8")
    return tmp_path


def refused(path) -> HLError:
    with pytest.raises(HLError) as raised:
        read_source(path)
    assert raised.value.exit_code == 2
    return raised.value


def test_a_file_is_read(folder):
    source = read_source(folder / "balance.hl")
    assert source.text == TEXT and source.name == str(folder / "balance.hl")
    assert read_source(str(folder / "balance.hl")).text == TEXT


def test_a_byte_order_mark_is_dropped(folder):
    (folder / "mark.hl").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_source(folder / "mark.hl").text == TEXT


def test_an_empty_file_is_left_to_the_parser(folder):
    (folder / "empty.hl").write_bytes(b"")
    assert read_source(folder / "empty.hl").text == ""


def test_a_missing_file_names_the_nearest(folder):
    error = refused(folder / "balanec.hl")
    assert error.code == "HL610" and "balance.hl" in error.hint and "swing.hl" not in error.hint
    assert "balance.hl" in refused(folder / "balance").hint


def test_a_missing_folder_is_said(folder):
    assert "does not exist" in refused(folder / "no" / "balance.hl").hint


def test_a_folder_offers_its_policies(folder):
    error = refused(folder)
    assert error.code == "HL611" and "balance.hl" in error.hint and "swing.hl" in error.hint


def test_a_path_through_a_file(folder):
    assert refused(folder / "balance.hl" / "x.hl").code == "HL610"


@pytest.mark.parametrize(
    "data, word",
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        (TEXT.encode("latin-1"), "not UTF-8"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "binary"),
    ],
)
def test_a_file_that_is_not_utf8_is_refused(folder, data, word):
    (folder / "data.hl").write_bytes(data)
    error = refused(folder / "data.hl")
    assert error.code == "HL613" and word in error.message and "UTF-8" in error.hint


def test_a_huge_file_is_not_read(folder):
    with (folder / "huge.hl").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert refused(folder / "huge.hl").code == "HL614"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(folder):
    (folder / "balance.hl").chmod(0)
    assert refused(folder / "balance.hl").code == "HL612"


def test_a_path_that_cannot_be():
    assert refused("balance\0.hl").code == "HL612"
