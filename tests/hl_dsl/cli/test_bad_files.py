"""Files that cannot be read, and files that are not policies."""

from __future__ import annotations

import os

import pytest

from tests.hl_dsl.cli.conftest import START, assert_refused

COMMANDS = [("check",), ("verify",), ("eval",), ("fmt",), ("export",), ("tune", "--run", "r"), ("synth", "--run", "r")]


def bad_files(folder) -> dict[str, tuple[str, str]]:
    (folder / "folder").mkdir()
    (folder / "binary.hl").write_bytes(bytes(range(256)) * 10)
    (folder / "latin.hl").write_bytes("# für\n".encode("latin-1") + START.encode())
    (folder / "large.hl").write_bytes(b"#" * 10_000_000)
    (folder / "zeros.hl").write_bytes(b"\0" * 10_000_000)
    (folder / "circle.hl").symlink_to("circle.hl")
    (folder / "dangling.hl").symlink_to("nowhere.hl")
    return {
        "leen.hl": ("there is no file `leen.hl`", "did you mean `lean.hl`"),
        "nowhere/lean.hl": ("there is no file", "the folder `nowhere` does not exist"),
        "lean.hl/x.hl": ("part of its path is a file", ""),
        "folder": ("is a folder, not a policy", ""),
        ".": ("is a folder, not a policy", "did you mean"),
        "binary.hl": ("is a binary file", "UTF-8"),
        "latin.hl": ("is not UTF-8 text", "UTF-8"),
        "large.hl": ("is too large for a policy", ""),
        "zeros.hl": ("is too large for a policy", ""),
        "circle.hl": ("cannot be read", ""),
        "dangling.hl": ("there is no file", ""),
        "x" * 300 + ".hl": ("cannot be read", ""),
        "/proc/self/mem": ("cannot be read", ""),
    }


def test_bad_file_is_refused_by_every_command(hl, folder):
    for name, words in bad_files(folder).items():
        for command in COMMANDS:
            assert_refused(hl(command[0], name, *command[1:]), *words)
    assert not (folder / "r").exists() and not (folder / "trials.jsonl").exists()


def test_file_without_read_permission_is_reported(hl, folder, monkeypatch):
    """Root may read every file, so the error of the system is simulated."""
    import hl_dsl.program_files

    def refuse(self, *arguments):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(hl_dsl.program_files.Path, "open", refuse)
    assert_refused(hl("check", "lean.hl"), "`lean.hl` cannot be read: permission denied", "check its permissions")


def test_file_name_that_is_not_text_is_reported(hl_process):
    result = hl_process("check", os.fsdecode(b"\xff.hl"), "--json")
    assert result.code == 2 and "no file" in result.document["files"][0]["error"]


def test_fmt_keeps_links_and_permissions(hl, folder):
    (folder / "lean.hl").write_text(START.replace("  observe", "observe"), encoding="utf-8")
    (folder / "lean.hl").chmod(0o640)
    (folder / "link.hl").symlink_to("lean.hl")
    assert hl("fmt", "link.hl").code == 0
    assert (folder / "lean.hl").read_text(encoding="utf-8") == START
    assert (folder / "link.hl").is_symlink() and (folder / "lean.hl").stat().st_mode & 0o777 == 0o640


def test_fmt_writes_no_file_if_one_does_not_parse(hl, folder):
    messy = START.replace("  observe", "observe")
    (folder / "messy.hl").write_text(messy, encoding="utf-8")
    (folder / "bad.hl").write_text("policy", encoding="utf-8")
    assert_refused(hl("fmt", "messy.hl", "bad.hl"), "bad.hl:1", code=1)
    assert (folder / "messy.hl").read_text(encoding="utf-8") == messy
    result = hl("fmt", "--check", "messy.hl", "lean.hl", "--json")
    assert (result.code, result.document) == (1, {"schema": "hl.fmt/1", "changed": ["messy.hl"], "written": False})


@pytest.mark.parametrize("option", ["--trace", "--video", "--trials"])
def test_output_option_cannot_overwrite_the_policy(hl, folder, option):
    assert_refused(hl("eval", "lean.hl", option, "lean.hl"), "lean.hl")
    assert (folder / "lean.hl").read_text(encoding="utf-8") == START
