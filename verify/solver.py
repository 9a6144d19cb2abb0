"""z3 as a process that is spoken to in SMT-LIB, limited by its own resource counter and killed when it hangs."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import sysconfig
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from time import monotonic

SAT, UNSAT, UNKNOWN = "sat", "unsat", "unknown"
_MEGABYTES = 2000


class SolverFailure(Exception):
    """z3 is missing, was killed or complained. Whatever was asked is then unknown, and the text says why."""


def solver_path() -> str | None:
    """The `z3` program of the environment that runs HL, else one on the PATH."""
    for folder in (sysconfig.get_path("scripts"), os.environ.get("PATH")):
        found = shutil.which("z3", path=folder)
        if found:
            return str(Path(found))
    return None


class Solver:
    """One z3 process. Use as a context manager.

    Raises SolverFailure from any method when the process cannot be used.
    """

    def __init__(self, hang_seconds: float):
        self.hang_seconds = hang_seconds
        self.reason = ""
        self._failure: str | None = None
        self._process: subprocess.Popen | None = None
        self._waiting: list[str] = []
        self._buffer = b""
        self._count = 0

    def __enter__(self) -> "Solver":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):  # what was still to be sent to a process that is gone
                    stream.close()
            self._process = None
            self._buffer = b""

    def tell(self, *lines: str) -> None:
        """Commands that give no answer. They are sent with the next question."""
        self._waiting += lines

    def fresh(self, steps: int) -> None:
        """Forgets everything and sets the resource limit of each question that follows."""
        self._waiting = ["(reset)", f"(set-option :rlimit {steps})", "(set-option :model.completion true)"]

    def check(self) -> str:
        """Whether what was told can be so: "sat", "unsat" or "unknown", with the cause of the last in `reason`."""
        answer = self._ask("(check-sat)")
        if answer not in (SAT, UNSAT, UNKNOWN):
            raise SolverFailure(f"z3 answered: {answer[:300]}")
        self.reason = self._ask("(get-info :reason-unknown)").removeprefix('(:reason-unknown "').removesuffix('")') if answer == UNKNOWN else ""
        return answer

    def core(self) -> list[str]:
        """Names of assertions that cannot hold together, after "unsat". `:produce-unsat-cores` must have been set."""
        return self._ask("(get-unsat-core)").strip("()").split()

    def spent(self) -> int:
        """Units of the resource counter used since `fresh`."""
        return int(self._ask("(get-info :rlimit)").strip("()").split()[1])

    def values(self, names: list[str]) -> dict:
        """The model's values after "sat": bool, int or Fraction; None for one that is no rational number."""
        if not names:
            return {}
        answer = _parse(self._ask(f"(get-value ({' '.join(names)}))"))
        return {name: _number(value) for name, value in answer}

    def _ask(self, question: str) -> str:
        self._count += 1
        mark = f"answer-{self._count}"
        lines = [*self._waiting, question, f'(echo "{mark}")', ""]
        self._waiting = []
        process = self._start()
        try:
            os.set_blocking(process.stdin.fileno(), True)
            process.stdin.write("\n".join(lines).encode())
            process.stdin.flush()
        except OSError as error:
            raise self._failed(f"z3 ended by itself: {error}") from None
        return self._read(mark.encode())

    def _failed(self, reason: str) -> SolverFailure:
        """Ends the process for good: one that failed once is not asked again, or every goal would wait for its hang."""
        self.close()
        self._failure = reason
        return SolverFailure(reason)

    def _start(self) -> subprocess.Popen:
        if self._failure is not None:
            raise SolverFailure(self._failure)
        if self._process is None:
            path = solver_path()
            if path is None:
                raise self._failed("the program `z3` was not found; install the package `z3-solver`")
            try:
                self._process = subprocess.Popen([path, "-in", "-smt2", f"-memory:{_MEGABYTES}"], stdin=subprocess.PIPE,
                                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            except OSError as error:
                raise self._failed(f"{path} does not start: {error}") from None
        return self._process

    def _read(self, mark: bytes) -> str:
        end = b"\n" + mark + b"\n"
        limit = monotonic() + self.hang_seconds
        output = self._process.stdout
        self._buffer = b"\n"
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while not self._buffer.endswith(end):
                if not selector.select(max(0.0, limit - monotonic())):
                    raise self._failed(f"z3 gave no answer for {self.hang_seconds:g} s and was stopped")
                piece = os.read(output.fileno(), 65536)
                if not piece:
                    raise self._failed("z3 ended by itself")
                self._buffer += piece
        return self._buffer[: -len(end)].decode().strip()


def _parse(text: str) -> list:
    """An S-expression as nested lists of words."""
    stack: list[list] = [[]]
    for word in text.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            stack.append([])
        elif word == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(word)
    return stack[0][0]


def _number(value) -> bool | int | Fraction | None:
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        try:
            return Fraction(value) if "." in value else int(value)
        except ValueError:
            return None
    if value[0] == "-" and len(value) == 2:
        inner = _number(value[1])
        return None if inner is None else -inner
    if value[0] == "/" and len(value) == 3:
        top, bottom = _number(value[1]), _number(value[2])
        return None if top is None or not bottom else Fraction(top) / Fraction(bottom)
    return None
