"""Records golden outputs again: `python -m tests.golden.update [FOLDER ...]`, or `make golden`."""

from __future__ import annotations

import sys

from tests.golden.recorders import RECORDERS, cases


def main(folders: list[str]) -> int:
    """Writes the outputs that changed, and prints their files."""
    unknown = set(folders) - set(RECORDERS)
    if unknown:
        print(f"no such folder: {', '.join(sorted(unknown))}; folders: {', '.join(RECORDERS)}", file=sys.stderr)
        return 2
    for folder, program, recorded in cases():
        if not folders or folder in folders:
            output = RECORDERS[folder](program)
            if not recorded.exists() or recorded.read_text(encoding="utf-8") != output:
                recorded.write_text(output, encoding="utf-8")
                print(recorded)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
