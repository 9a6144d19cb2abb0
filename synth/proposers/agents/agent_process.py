"""An external program that runs for a while and is then gone, with everything it started."""

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

MARK = "HL_AGENT"  # the variable by which whatever an agent starts is known, whatever session it flees to
_KEPT_OUTPUT = 16_384  # bytes, from the end
_GRACE = 1.0  # seconds between asking a program to end and ending it


@dataclass(frozen=True)
class AgentOutcome:
    """`exit_code` is negative for a signal. `survivors`: processes that had to be ended after the program itself."""

    exit_code: int
    timed_out: bool
    output: str
    survivors: int


def run_agent(
    command: Sequence[str],
    folder: Path,
    told: str,
    deadline: float,
    mark: str,
    writable: Sequence[str] | None,
    environment: Mapping[str, str],
    on_wait: Callable[[], None],
) -> AgentOutcome:
    """Runs a command in `folder` with `told` on its stdin, in a session of its own, for at most `deadline` seconds. It may
    write beneath `writable` only (None: anywhere). Both its outputs are kept together, the end of them. Raises OSError."""
    spec = {"writable": None if writable is None else list(writable)}
    whole = [sys.executable, "-I", "-S", sandbox.__file__, json.dumps(spec), *command]
    kept_command = SupervisedProcess(
        whole,
        MARK,
        mark,
        environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    process = kept_command.process
    kept = bytearray()
    threads = [
        threading.Thread(target=_drain, args=(process, kept), daemon=True),
        threading.Thread(target=_tell, args=(process, told), daemon=True),
    ]
    try:
        for thread in threads:
            thread.start()
        timed_out = not _wait(process, time.monotonic() + deadline, on_wait)
        if timed_out:
            kept_command.ask_to_end()
            _wait(process, time.monotonic() + _GRACE, on_wait)
    finally:
        survivors = kept_command.end()
    for thread in threads:
        thread.join(_GRACE)
    return AgentOutcome(process.returncode, timed_out, bytes(kept).decode("utf-8", "replace"), survivors)


def _wait(process: subprocess.Popen, until: float, on_wait: Callable[[], None]) -> bool:
    while time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, min(0.2, until - time.monotonic())))
            return True
        on_wait()
    return process.poll() is not None


def _drain(process: subprocess.Popen, kept: bytearray) -> None:
    with contextlib.suppress(OSError, ValueError):
        while piece := os.read(process.stdout.fileno(), 65_536):
            kept += piece
            del kept[:-_KEPT_OUTPUT]


def _tell(process: subprocess.Popen, told: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(told.encode("utf-8", "replace"))
        process.stdin.close()
