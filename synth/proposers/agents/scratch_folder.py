"""Scratch folder of an external agent: its input files, and the one file that is read back."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from hl_dsl.grammar.tree.input_limits import LONGEST_TEXT
from hl_dsl.synth.proposers.text.writer import Prompt

PROGRAM, TASK, FEEDBACK, PICTURE = "policy.hl", "TASK.md", "FEEDBACK.md", "picture-{}.png"
TASK_TEXT = f"""\
Improve the controller in {PROGRAM}. First read {TASK} (the language, the environment, the rules) and {FEEDBACK}
(earlier programs, what failed and where). Edit {PROGRAM} in place and no other file: only that file is read. Its first
line must be a comment that says what you changed and why. When you exit, the program is checked, proved and evaluated.
"""
_BYTES_PER_CHARACTER = 4  # most bytes of a character in UTF-8


class ScratchFolder:
    """A new folder under the system's temporary folder, deleted at the end of the `with` block."""

    def __init__(self, prompt: Prompt):
        self._prompt = prompt

    def __enter__(self) -> ScratchFolder:
        """Creates the folder and writes the agent's input files."""
        self.path = Path(tempfile.mkdtemp(prefix="hl-agent-"))
        (self.path / TASK).write_text(self._prompt.stable + "\n", encoding="utf-8", errors="replace")
        (self.path / FEEDBACK).write_text(
            self._prompt.variable + self._picture_list() + "\n", encoding="utf-8", errors="replace"
        )
        (self.path / PROGRAM).write_text(self.initial_program, encoding="utf-8")
        for number, picture in enumerate(self._prompt.pictures, 1):
            (self.path / PICTURE.format(number)).write_bytes(picture.png)
        (self.path / "tmp").mkdir()
        return self

    def __exit__(self, *exception: object) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.path, onerror=_delete_unreadable)

    def _picture_list(self) -> str:
        lines = [
            f"- Picture {number} is `{PICTURE.format(number)}`: {picture.says}"
            for number, picture in enumerate(self._prompt.pictures, 1)
        ]
        return "\n\n## Pictures\n\n" + "\n".join(lines) if lines else ""

    @property
    def initial_program(self) -> str:
        """The program before the agent edits it."""
        parts = self._prompt.parts
        return "" if parts is None else parts.parent.text

    def read_program(self) -> str:
        """Returns the program as the agent left it; empty if it is not a readable file. Links are not followed."""
        try:
            descriptor = os.open(self.path / PROGRAM, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return ""
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return ""
        with open(descriptor, "rb") as file:
            # One byte more than a program may have, so that a longer program is rejected and not truncated.
            return file.read(_BYTES_PER_CHARACTER * LONGEST_TEXT + 1).decode("utf-8", "replace")


def _delete_unreadable(function: Callable[[str], object], path: str, error: object) -> None:
    """Makes a path of an agent deletable and deletes it; a path that still cannot be deleted is left."""
    try:
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        function(path)
    except OSError:
        pass
