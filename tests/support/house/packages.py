"""List of packages in pyproject.toml.

`python -m tests.support.house.packages` writes the list from the folders that hold Python files.
"""

from __future__ import annotations

import re
import tomllib

from tests.support.house.source_tree import STAGES
from tests.support.paths import ROOT

PROJECT = ROOT / "pyproject.toml"


def packages() -> list[str]:
    """The packages in the tree, by the names they are installed under."""
    found = []
    for stage in STAGES:
        folders = sorted(path.parent.relative_to(ROOT).as_posix() for path in (ROOT / stage).rglob("__init__.py"))
        names = [folder.replace("/", ".") for folder in folders]
        found += names if stage == "hl_dsl" else [f"hl_dsl.{name}" for name in names]
    return sorted(found)


def listed() -> list[str]:
    """The packages that pyproject.toml lists."""
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]


def write() -> None:
    """Replaces the list in pyproject.toml."""
    lines = "".join(f'  "{name}",\n' for name in packages())
    text = PROJECT.read_text(encoding="utf-8")
    new = re.sub(r"(?ms)^packages = \[\n.*?^\]", lambda _: f"packages = [\n{lines}]", text, count=1)
    PROJECT.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    write()
