"""Evaluators that misbehave during an evaluation of some programs, in place of `candidate_batch.play`."""

import ctypes
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.synth.rollouts.candidate_batch import play

AFTER = 40  # steps
SOME = "9c"  # of sixteen; not the first program's


def loops():
    while True:
        pass


def sleeps():
    time.sleep(10_000)


def sleeps_and_reports():
    Path(os.environ["HL_TEST_FILE"]).touch()
    sleeps()


def forks_and_reports():
    """Two children in sessions of their own; the second becomes a program without an environment."""
    children = []
    for number in range(2):
        if (child := os.fork()) == 0:
            os.setsid()
            if number:
                os.execve("/bin/sleep", ["sleep", "10000"], {})
            time.sleep(10_000)
        children.append(child)
    time.sleep(0.5)
    report = Path(os.environ["HL_TEST_FILE"])
    report.with_suffix(".new").write_text(" ".join(map(str, children)))
    report.with_suffix(".new").rename(report)
    sleeps()


def leaks():
    held: list[bytearray] = []
    while len(held) < 128:
        held.append(bytearray(b"x") * (64 << 20))  # 8 GiB in all


def asks_for_too_much():
    bytearray(b"x") * (8 << 30)


def forks():
    for number in range(30):
        if os.fork() == 0:
            if number % 2:
                os.setsid()
            time.sleep(10_000)
    sleeps()


def segfaults():
    ctypes.string_at(0)


def kills_its_supervisor():
    """Kills the supervisor; a child has left its session before."""
    if os.fork() == 0:
        os.setsid()
        time.sleep(10_000)
    os.kill(os.getppid(), signal.SIGKILL)
    sleeps()


def leaves():
    os._exit(3)


def raises():
    raise ZeroDivisionError("by nothing")


def forks_quietly():
    """Continues, and so does a copy of it; another child waits in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        time.sleep(10_000)
    os.fork()


def timed(act, file):
    """Records the start of the act."""
    Path(file).write_text(str(time.monotonic()))
    act()


def is_struck(flow, of) -> bool:
    return canonical_hash(flow)[0] in of


def playing(act, of, flows, *rest, hooks, **more):
    """Evaluates; for programs whose hash starts with a digit in `of`, the act runs at the 40th step."""
    struck = any(is_struck(flow, of) for flow in flows)
    done: list[int] = []

    def count(steps):
        hooks.before_step(steps)
        if struck and steps >= AFTER and not done:
            done.append(steps)
            act()

    return play(flows, *rest, hooks=replace(hooks, before_step=count), **more)


def in_company(act, flows, *rest, **more):
    """Evaluates single programs, and acts on a batch of several."""
    return playing(act, "0123456789abcdef" if len(flows) > 1 else "", flows, *rest, **more)
