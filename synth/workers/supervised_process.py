"""The study's side of a keeper: a command that ends, with all that comes of it, when the study does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hl_dsl.synth.workers import supervisor
from hl_dsl.synth.workers.process_tree import end_marked

_LONGEST_END = 3.0  # seconds that a keeper may take to end all; then what carries the mark is ended without it


class SupervisedProcess:
    """A command under a keeper, in a session of its own. What comes of it carries the mark, `variable` = `mark`, which the keeper
    does not. `handed`: descriptors it gets; `more` is for `subprocess.Popen`. Raises OSError."""

    def __init__(
        self,
        command: Sequence[str],
        variable: str,
        mark: str,
        environment: Mapping[str, str],
        handed: Sequence[int] = (),
        **more: Any,
    ):
        self._tell, told = socket.socketpair()
        self._variable, self._mark = variable, mark
        spec = {"parent": os.getpid(), "told": told.fileno(), "variables": {variable: mark}, "handed": list(handed)}
        whole = [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(spec), *command]
        clean = {name: value for name, value in environment.items() if name != variable}
        try:
            self.process = subprocess.Popen(
                whole, env=clean, start_new_session=True, pass_fds=(told.fileno(), *handed), **more
            )
        except OSError:
            self._tell.close()
            raise
        finally:
            told.close()
        self._ended: int | None = None

    def ask_to_end(self) -> None:
        """SIGTERM for the command and its group."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def end(self) -> int:
        """Ends the command with all that came of it; how many others there were by then. Harmless when it has ended."""
        if self._ended is not None:
            return self._ended
        with contextlib.suppress(OSError):
            self._tell.send(b".")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_LONGEST_END)
        self.process.kill()
        self.process.wait()
        self._tell.setblocking(False)
        said = b""
        with contextlib.suppress(OSError):
            said = self._tell.recv(64)
        self._tell.close()
        # A keeper can itself be ended by what it keeps.
        self._ended = int(said or b"0") + end_marked(self._variable, self._mark)
        return self._ended
