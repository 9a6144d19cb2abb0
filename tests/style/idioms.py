"""Occurrences of idioms that `idioms.txt` lists: `python -m tests.style.idioms [PATH ...]` prints them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.paths import ROOT

LIST = Path(__file__).with_name("idioms.txt")
SUFFIXES = {".py", ".md", ".lark", ".toml", ".hl", ".txt", ".yaml"}
EXEMPT = ("tests/style/", "LICENSE", "requirements.lock")
# A module is named by what it holds, not by a question.
QUESTIONS = ("what", "whether", "how", "which", "where", "who", "why")


@cache
def idioms() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The patterns, each with the plain words to write instead."""
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    pairs = [line.rsplit("=>", 1) for line in lines]
    return tuple(
        (re.compile(pattern.strip().replace(" ", r"\s+"), re.IGNORECASE), words.strip()) for pattern, words in pairs
    )


def occurrences(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, idiom and plain words of every occurrence in a text. An idiom may span the end of a line."""
    plain = text.replace("_", " ")
    flat = re.sub(r"[#\n]", " ", plain)
    for pattern, words in idioms():
        for match in pattern.finditer(flat):
            yield plain.count("\n", 0, match.start()) + 1, match.group(), words


def questions(text: str) -> Iterator[tuple[int, str, str]]:
    """The first line of a module's or a class's docstring, if it is an indirect question."""
    tree = ast.parse(text)
    nodes: list[ast.Module | ast.ClassDef] = [tree]
    nodes += [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for node in nodes:
        docstring = ast.get_docstring(node)
        if docstring and docstring.split()[0].lower().rstrip(",:") in QUESTIONS:
            line = getattr(node, "lineno", 1)
            yield line, docstring.splitlines()[0], "a noun phrase"


def checked_files(paths: list[str]) -> list[str]:
    """Files of the project that the rules hold for, below `paths` if any are given."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *paths], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [
        file
        for file in listed
        if (Path(file).suffix in SUFFIXES or file == "Makefile")
        and not file.startswith(EXEMPT)
        and (ROOT / file).is_file()
    ]


def found_in(file: str) -> list[str]:
    """One line for each occurrence in a file."""
    text = (ROOT / file).read_text(encoding="utf-8", errors="replace")
    found = list(occurrences(text))
    if file.endswith(".py") and "malformed" not in file:
        found += questions(text)
    return [f"{file}:{line}: `{idiom}`; write: {words}" for line, idiom, words in sorted(found)]


if __name__ == "__main__":
    lines = [line for file in checked_files(sys.argv[1:]) for line in found_in(file)]
    print("\n".join([*lines, f"{len(lines)} occurrences"]))
    sys.exit(bool(lines))
