"""The scratch folder of an external agent: what it is given, and the one file that is read back."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from hl_dsl.grammar.tree.input_limits import LONGEST_TEXT
from hl_dsl.synth.proposers.text.writer import Prompt

PROGRAM, TASK, FEEDBACK, PICTURE = "policy.hl", "TASK.md", "FEEDBACK.md", "picture-{}.png"
TOLD = f"""\
Improve the controller in {PROGRAM}. Read {TASK} (the language, the environment, the rules) and {FEEDBACK} (the programs so
far, what went wrong and where) first. Edit {PROGRAM} in place and nothing else; only that file is read. Begin it with one
comment line that says what you changed and why. It will be checked, proved and played once you are done.
"""


class Workspace:
    """A folder of its own under the system's temporary folder, gone at the end of the `with` block."""

    def __init__(self, prompt: Prompt):
        self._prompt = prompt

    def __enter__(self) -> Workspace:
        self.path = Path(tempfile.mkdtemp(prefix="hl-agent-"))
        (self.path / TASK).write_text(self._prompt.stable + "\n", encoding="utf-8", errors="replace")
        (self.path / FEEDBACK).write_text(
            self._prompt.variable + self._named_pictures() + "\n", encoding="utf-8", errors="replace"
        )
        (self.path / PROGRAM).write_text(self.given, encoding="utf-8")
        for number, picture in enumerate(self._prompt.pictures, 1):
            (self.path / PICTURE.format(number)).write_bytes(picture.png)
        (self.path / "tmp").mkdir()
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self.path, onerror=_force)

    def _named_pictures(self) -> str:
        named = [
            f"- Picture {number} is `{PICTURE.format(number)}`: {one.says}"
            for number, one in enumerate(self._prompt.pictures, 1)
        ]
        return "\n\n## Pictures\n\n" + "\n".join(named) if named else ""

    @property
    def given(self) -> str:
        """The program as the agent finds it."""
        parts = self._prompt.parts
        return "" if parts is None else parts.parent.text

    def program(self) -> str:
        """The program as the agent left it; empty where there is none that can be read. Links are not followed."""
        try:
            descriptor = os.open(self.path / PROGRAM, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return ""
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return ""
        with open(descriptor, "rb") as file:
            # One byte more than a program may have: it is then refused as too long, not cut to something else.
            return file.read(4 * LONGEST_TEXT + 1).decode("utf-8", "replace")


def _force(function, path, problem) -> None:
    """What an agent made unreadable is made readable and removed; what will not go stays."""
    try:
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        function(path)
    except OSError:
        pass
