"""The worker: plays what its parent asks for, until there is no parent. `python child.py SPEC`, a JSON object."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

_MAPPED = 3 << 30  # bytes that libraries, stacks of threads and simulators of robots ask for and never touch
_WARM_UP = 'policy p for "CartPole-v1" { observe pole.angle  act { when pole.angle > 0 => RIGHT  otherwise => LEFT } }'
READY, PROGRESS, RESULT, REFUSED, RAISED = "ready", "progress", "result", "refused", "raised"


def confine(memory: int) -> None:
    """This process leaves no core, is the first to go where the machine's memory runs out, and cannot even ask for much more
    than `memory` bytes. Its keeper ends it with the study."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory + _MAPPED, memory + _MAPPED))


class _Asked:
    """For the worker what `Stopping` is for a process that plays itself: an interrupt that waits for the next tick."""

    def __init__(self, board, number: int):
        self._board, self._number = board, number

    @property
    def asked(self) -> bool:
        return self._board.stop == self._number

    def here(self) -> None:
        raise KeyboardInterrupt

    def at_ticks(self, *watching: Callable | None) -> Callable:
        from hl_dsl.synth.rollouts.interrupts import Stopping

        return Stopping.at_ticks(self, *watching)


def answer(board, request: dict[str, Any], send: Callable[[tuple], None]) -> tuple:
    """What became of a request: the kind of answer, and what it says."""
    from hl_dsl.synth.environments.gymnasium_pool import EnvironmentFailed
    from hl_dsl.synth.rollouts.executor import ExecutionHooks

    from hl_dsl.base.errors import HLError

    number, count = request["number"], request["before_step"]

    def before_step(steps: int) -> None:
        board.steps = steps
        if count is not None:
            count(steps)

    try:
        value = request["function"](
            *request["arguments"],
            **request["options"],
            hooks=ExecutionHooks(
                before_step=before_step,
                stop=lambda: board.leave == number,
                stopping=_Asked(board, number),
                on_progress=lambda steps: send((PROGRESS, steps)),
            ),
        )
    except EnvironmentFailed as error:
        return RAISED, (
            error.message,
            error.hint,
        )  # it may be one program's doing, which is found out by playing each alone
    except HLError as error:
        return REFUSED, (error.message, error.hint)
    except MemoryError:
        return RAISED, ("the evaluator failed: MemoryError: more memory than it may hold", "")
    except Exception as error:
        return RAISED, (f"the evaluator failed: {type(error).__name__}: {error}", "")
    finally:
        getattr(count, "close", lambda: None)()
    return RESULT, value


def main() -> None:
    spec = json.loads(sys.argv[1])
    confine(spec["memory"])
    sys.path[:] = spec["path"]
    from hl_dsl.synth.environments.environments import load_simulator
    from hl_dsl.synth.workers.messages import Inbox, packed
    from hl_dsl.synth.workers.shared_counters import SharedCounters

    from hl_dsl.program import Program

    channel, board, process = socket.socket(fileno=spec["channel"]), SharedCounters(spec["board"]), os.getpid()
    inbox = Inbox(channel)

    def send(number: int, message: tuple) -> None:
        if os.getpid() == process:  # not a copy of it
            channel.sendall(packed((number, *message)))

    load_simulator()
    warm = Program.parse(_WARM_UP).compile()
    warm.reset(1)
    send(0, (READY, warm.backend))
    with contextlib.suppress(ConnectionError):
        while inbox.receive():
            for request in inbox.messages():
                number = request["number"]
                send(number, answer(board, request, lambda message: send(number, message)))
    os._exit(0)


if __name__ == "__main__":
    main()
