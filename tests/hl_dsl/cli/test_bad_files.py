"""Files that cannot be read, and files that are no policies."""

from __future__ import annotations

import os

import pytest

from tests.hl_dsl.cli.conftest import START, refused

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


def test_each_is_refused_by_every_command(hl, folder):
    for name, words in bad_files(folder).items():
        for command in COMMANDS:
            refused(hl(command[0], name, *command[1:]), *words)
    assert not (folder / "r").exists() and not (folder / "trials.jsonl").exists()


def test_a_file_that_may_not_be_read(hl, folder, monkeypatch):
    """Root may read everything, so the system's refusal is played."""
    import hl_dsl.program_files

    def refuse(self, *arguments):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(hl_dsl.program_files.Path, "open", refuse)
    refused(hl("check", "lean.hl"), "`lean.hl` cannot be read: permission denied", "check its permissions")


def test_a_name_that_is_no_text(hl_process):
    ended = hl_process("check", os.fsdecode(b"\xff.hl"), "--json")
    assert ended.code == 2 and "no file" in ended.document["files"][0]["error"]


def test_formatting_leaves_links_and_permissions(hl, folder):
    (folder / "lean.hl").write_text(START.replace("  observe", "observe"), encoding="utf-8")
    (folder / "lean.hl").chmod(0o640)
    (folder / "link.hl").symlink_to("lean.hl")
    assert hl("fmt", "link.hl").code == 0
    assert (folder / "lean.hl").read_text(encoding="utf-8") == START
    assert (folder / "link.hl").is_symlink() and (folder / "lean.hl").stat().st_mode & 0o777 == 0o640


def test_formatting_writes_no_file_where_one_is_bad(hl, folder):
    messy = START.replace("  observe", "observe")
    (folder / "messy.hl").write_text(messy, encoding="utf-8")
    (folder / "bad.hl").write_text("policy", encoding="utf-8")
    refused(hl("fmt", "messy.hl", "bad.hl"), "bad.hl:1", code=1)
    assert (folder / "messy.hl").read_text(encoding="utf-8") == messy
    ended = hl("fmt", "--check", "messy.hl", "lean.hl", "--json")
    assert (ended.code, ended.document) == (1, {"schema": "hl.fmt/1", "changed": ["messy.hl"], "written": False})


@pytest.mark.parametrize("option", ["--trace", "--video", "--trials"])
def test_no_option_overwrites_the_policy(hl, folder, option):
    refused(hl("eval", "lean.hl", option, "lean.hl"), "lean.hl")
    assert (folder / "lean.hl").read_text(encoding="utf-8") == START
