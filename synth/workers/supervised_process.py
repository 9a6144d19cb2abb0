"""Client of the supervisor: a command whose process tree is killed when this process ends."""

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
from hl_dsl.synth.workers.process_tree import kill_marked

_SUPERVISOR_SECONDS = 3.0  # for the supervisor to kill the tree; then this process kills the marked processes


class SupervisedProcess:
    """A command under a supervisor, in a session of its own.

    Args:
        command: The command and its arguments.
        variable: Environment variable that marks the command and its descendants, but not the supervisor.
        mark: Value of the variable.
        environment: Environment of the command.
        handed: File descriptors for the command.
        options: Options of `subprocess.Popen`.

    Raises:
        OSError: The supervisor cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        variable: str,
        mark: str,
        environment: Mapping[str, str],
        handed: Sequence[int] = (),
        **options: Any,
    ):
        self._control, theirs = socket.socketpair()
        self._variable, self._mark = variable, mark
        spec = {
            "parent": os.getpid(),
            "control": theirs.fileno(),
            "variables": {variable: mark},
            "handed": list(handed),
        }
        supervised = [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(spec), *command]
        unmarked = {name: value for name, value in environment.items() if name != variable}
        try:
            self.process = subprocess.Popen(
                supervised, env=unmarked, start_new_session=True, pass_fds=(theirs.fileno(), *handed), **options
            )
        except OSError:
            self._control.close()
            raise
        finally:
            theirs.close()
        self._killed: int | None = None

    def ask_to_end(self) -> None:
        """Sends SIGTERM to the command's process group."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def end(self) -> int:
        """Kills the command and its descendants. Returns the number of killed descendants; safe to repeat."""
        if self._killed is not None:
            return self._killed
        with contextlib.suppress(OSError):
            self._control.send(b".")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_SUPERVISOR_SECONDS)
        self.process.kill()
        self.process.wait()
        self._control.setblocking(False)
        report = b""
        with contextlib.suppress(OSError):
            report = self._control.recv(64)
        self._control.close()
        # The command can kill its own supervisor.
        self._killed = int(report or b"0") + kill_marked(self._variable, self._mark)
        return self._killed
