"""Runs `hl eval` in forked children, each interrupted at another moment, and prints a line of JSON for each.

    python interrupted_at.py POLICY FOLDER COUNT [AGAIN]

A moment is a number of Python calls. Half of them are spread over the whole run, from the first call after the start of
the command to the last, and half over its last quarter, in which the episodes are evaluated and recorded. With AGAIN a
second interrupt follows after so many calls.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

from hl_dsl.cli.main import main
from hl_dsl.program import Program
from hl_dsl.synth.environments.backends.envpool_backend import EnvPoolBackend
from tests.support.step_counter import steps_taken

FIRST = 80  # calls from the start of `main` until the first handler is in place


def run(policy: str, folder: Path, moment: int | None, again: int = 0) -> dict:
    """Result of a run that was interrupted at `moment` (None: not at all)."""
    folder.mkdir()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_command(policy, folder, moment, again, writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = json.loads(pipe.read() or "{}")
    _, status = os.waitpid(child, 0)
    return {
        "moment": moment,
        "exit_code": os.waitstatus_to_exitcode(status),
        "stderr": (folder / "stderr").read_text(),
        **said,
    }


def _be_the_command(policy: str, folder: Path, moment: int | None, again: int, writer: int) -> None:
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), descriptor)
    calls = 0

    def count(frame, event, argument) -> None:
        nonlocal calls
        calls += 1
        if moment is not None and calls in (moment, moment + again):
            os.kill(os.getpid(), signal.SIGINT)

    sys.argv = [
        "hl",
        "eval",
        policy,
        "--seeds",
        "0..3",
        "--num-envs",
        "2",
        "--max-steps",
        "60",
        "--trials",
        str(folder / "trials.jsonl"),
        "--trace",
        str(folder / "trace.jsonl"),
        "--json",
    ]
    leave = os._exit

    def report_and_exit(code: int) -> None:
        sys.setprofile(None)
        os.write(writer, json.dumps({"calls": calls, "steps": steps_taken()}).encode())
        leave(code)

    os._exit = report_and_exit  # type: ignore[assignment]  # the command itself may leave by it
    code = 99
    sys.setprofile(count)
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException as error:  # what Python would print a traceback for
        print("Traceback", repr(error), file=sys.stderr)
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    policy, folder, count, again = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int([*sys.argv, "0"][4])
    Program.load(policy).compile()  # so that the children need not
    EnvPoolBackend.load()
    for module in ("hl_dsl.cli.app", "hl_dsl.synth.evaluation.evaluate", "hl_dsl.verify.smt.solver"):
        import_module(module)  # once, not in every child

    whole = run(policy, folder / "whole", None)
    print(json.dumps(whole), flush=True)
    last, half = whole["calls"], count // 2
    moments = [FIRST + number * (last - FIRST) // half for number in range(half)]
    moments += [
        last - (last // 4) * (half - number) ** 2 // half**2 for number in range(half)
    ]  # denser towards the end
    for number, moment in enumerate(moments):
        print(json.dumps(run(policy, folder / str(number), moment, again)), flush=True)
