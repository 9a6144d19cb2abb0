"""Process of an external agent: it runs until a deadline and is then killed with everything it started."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hl_dsl.synth.proposers.agents import sandbox
from hl_dsl.synth.workers.supervised_process import SupervisedProcess

MARK = "HL_AGENT"  # environment variable that identifies an agent's processes, also those in other sessions
_MOST_OUTPUT_BYTES = 16_384  # kept from the end
_GRACE_SECONDS = 1.0  # between the request to exit and the kill
_POLL_SECONDS = 0.2  # between two calls of `on_wait`
_READ_BYTES = 65_536


@dataclass(frozen=True)
class AgentCommand:
    """Command line, folder and environment of an agent.

    Attributes:
        command: Command and arguments.
        folder: Working folder.
        task: Text for its standard input.
        mark: Value of the variable `MARK`.
        writable: Folders in which it may write; None: no restriction.
        environment: Environment variables.
    """

    command: Sequence[str]
    folder: Path
    task: str
    mark: str
    writable: Sequence[str] | None
    environment: Mapping[str, str]


@dataclass(frozen=True)
class AgentOutcome:
    """Result of a run. `exit_code` is negative for a signal; `survivors` counts processes killed after the command."""

    exit_code: int
    timed_out: bool
    output: str
    survivors: int


def run_agent(agent: AgentCommand, deadline: float, on_wait: Callable[[], None]) -> AgentOutcome:
    """Runs an agent in its own session for at most `deadline` seconds.

    `on_wait` is called regularly while it runs. The outcome holds the end of its standard output and error, merged.

    Raises:
        OSError: The command cannot be started.
    """
    spec = {"writable": None if agent.writable is None else list(agent.writable)}
    supervised = SupervisedProcess(
        [sys.executable, "-I", "-S", sandbox.__file__, json.dumps(spec), *agent.command],
        MARK,
        agent.mark,
        agent.environment,
        cwd=agent.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    process = supervised.process
    output = bytearray()
    threads = [
        threading.Thread(target=_read_output, args=(process, output), daemon=True),
        threading.Thread(target=_send_task, args=(process, agent.task), daemon=True),
    ]
    try:
        for thread in threads:
            thread.start()
        timed_out = not _wait(process, time.monotonic() + deadline, on_wait)
        if timed_out:
            supervised.ask_to_end()
            _wait(process, time.monotonic() + _GRACE_SECONDS, on_wait)
    finally:
        survivors = supervised.end()
    for thread in threads:
        thread.join(_GRACE_SECONDS)
    return AgentOutcome(process.returncode, timed_out, bytes(output).decode("utf-8", "replace"), survivors)


def _wait(process: subprocess.Popen[bytes], until: float, on_wait: Callable[[], None]) -> bool:
    """Waits for the process; False if it still runs at the time `until`."""
    while time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, min(_POLL_SECONDS, until - time.monotonic())))
            return True
        on_wait()
    return process.poll() is not None


def _read_output(process: subprocess.Popen[bytes], output: bytearray) -> None:
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        while piece := os.read(process.stdout.fileno(), _READ_BYTES):
            output += piece
            del output[:-_MOST_OUTPUT_BYTES]


def _send_task(process: subprocess.Popen[bytes], task: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(task.encode("utf-8", "replace"))
        process.stdin.close()
