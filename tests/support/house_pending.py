"""Rules of the house that are not met yet, one exception a line in `tests/house_pending.txt`.

`python -m tests.support.house_pending` removes the lines that are no longer needed. Lines are not added.
"""

from __future__ import annotations

from tests.support.house.rules import cycles, long_file, long_signatures, wrong_directions
from tests.support.house.source_tree import CHECKS, STAGES, imported_files, sources
from tests.support.paths import ROOT

FILE = ROOT / "tests" / "house_pending.txt"


def pending(rule: str) -> set[str]:
    """The exceptions of one rule."""
    rows = (
        line.split(maxsplit=1) for line in FILE.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")
    )
    return {name.strip() for kind, name in rows if kind == rule}


def findings() -> dict[str, dict[str, str]]:
    """What breaks the rules that have exceptions: by rule, the name of the exception and the message."""
    from tests.test_house import LEVEL

    files = sources(STAGES + CHECKS)
    imports = {file: {target for target, _ in imported_files(tree)} for file, tree in sources()}
    return {
        "direction": {
            f"{file} -> {target}": message
            for file, tree in sources()
            if file != "policies/__init__.py"
            for target, message in wrong_directions(file, tree, LEVEL)
        },
        "cycle": {
            file: f"{file} is part of a cycle: {', '.join(group)}" for group in cycles(imports) for file in group
        },
        "lines": {
            file: message for file, _ in files for message in long_file(file, (ROOT / file).read_text(encoding="utf-8"))
        },
        "parameters": {
            f"{file} {name}": message for file, tree in files for name, message in long_signatures(file, tree)
        },
    }


def prune() -> None:
    """Removes the lines that are no longer needed."""
    found = findings()
    needed = {f"{rule} {name}" for rule, names in found.items() for name in names}
    lines = FILE.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line[:1] in ("", "#") or " ".join(line.split()) in needed]
    FILE.write_text("\n".join(kept) + "\n", encoding="utf-8")
    print(f"removed {len(lines) - len(kept)} lines from {FILE.name}")


if __name__ == "__main__":
    prune()
