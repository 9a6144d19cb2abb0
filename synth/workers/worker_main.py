"""Worker process: runs the requests of its parent until the parent closes the channel.

Usage: `python worker_main.py SPEC`. SPEC is a JSON object with `memory` (bytes), `path` (`sys.path`), and the file
descriptors `channel` and `counters`.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hl_dsl.synth.workers.shared_counters import SharedCounters

# Address space of libraries, thread stacks and MuJoCo that is reserved and never touched.
_RESERVED_BYTES = 3 << 30
_WARM_UP_ENVIRONMENT = "CartPole-v1"
_WARM_UP = 'policy p for "CartPole-v1" { observe pole.angle  act { when pole.angle > 0 => RIGHT  otherwise => LEFT } }'
READY, PROGRESS, RESULT, REFUSED, RAISED = "ready", "progress", "result", "refused", "raised"  # kinds of answers


def apply_rlimits(memory: int) -> None:
    """Limits this process: no core file, first choice of the out-of-memory killer, and little more than `memory` bytes.

    Interrupts are ignored: the parent passes them on.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory + _RESERVED_BYTES, memory + _RESERVED_BYTES))


def answer(counters: SharedCounters, request: dict[str, Any], send: Callable[[tuple], None]) -> tuple[str, Any]:
    """Runs a request. Returns the kind of the answer and its value."""
    from hl_dsl.base.errors import HLError
    from hl_dsl.synth.environments.backends.backend import EnvironmentFailed
    from hl_dsl.synth.rollouts.executor import ExecutionHooks
    from hl_dsl.synth.rollouts.interrupts import RemoteInterrupt

    number, count = request["number"], request["before_step"]

    def before_step(steps: int) -> None:
        counters.steps = steps
        if count is not None:
            count(steps)

    hooks = ExecutionHooks(
        before_step=before_step,
        stop=lambda: counters.abandoned_request == number,
        interrupt=RemoteInterrupt(lambda: counters.interrupted_request == number),
        on_progress=lambda steps: send((PROGRESS, steps)),
    )
    try:
        return RESULT, request["function"](*request["arguments"], **request["options"], hooks=hooks)
    except EnvironmentFailed as error:
        # Possibly caused by one program of the batch: the study then plays each alone.
        return RAISED, (error.message, error.hint)
    except HLError as error:
        return REFUSED, (error.message, error.hint)
    except MemoryError:
        return RAISED, ("the evaluator failed: MemoryError: more memory than it may hold", "")
    except Exception as error:
        return RAISED, (f"the evaluator failed: {type(error).__name__}: {error}", "")


def main() -> None:
    """Runs the command line."""
    spec = json.loads(sys.argv[1])
    apply_rlimits(spec["memory"])
    sys.path[:] = spec["path"]
    from hl_dsl.program import Program
    from hl_dsl.synth.rollouts.executor import InProcessExecutor
    from hl_dsl.synth.workers.messages import Inbox, pack
    from hl_dsl.synth.workers.shared_counters import SharedCounters

    channel, counters, process = socket.socket(fileno=spec["channel"]), SharedCounters(spec["counters"]), os.getpid()
    inbox = Inbox(channel)

    def send(number: int, message: tuple) -> None:
        if os.getpid() == process:  # not a fork of it
            channel.sendall(pack((number, *message)))

    executor = InProcessExecutor()  # keeps idle simulators for the next request
    executor.simulators.load(_WARM_UP_ENVIRONMENT)
    policy = Program.parse(_WARM_UP).compile()  # compiles the tape before the first request
    policy.reset(1)
    send(0, (READY, policy.backend))
    with contextlib.suppress(ConnectionError):
        while inbox.receive():
            for request in inbox.messages():
                number = request["number"]
                if "resources" in request["options"]:
                    request["options"]["resources"] = replace(request["options"]["resources"], executor=executor)
                send(number, answer(counters, request, partial(send, number)))
                request.clear()  # closes the step file that `before_step` holds
    os._exit(0)


if __name__ == "__main__":
    main()
