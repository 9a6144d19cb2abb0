"""z3 as a process that is spoken to in SMT-LIB, limited by its own resource counter and killed when it hangs."""

from __future__ import annotations

import hashlib
import os
import selectors
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import Protocol

SAT, UNSAT, UNKNOWN = "sat", "unsat", "unknown"
_MEGABYTES = 2000
_PIECE = 65536
_MOST_OUTPUT = 64_000_000


# Causes of "unknown" that say nothing of the question: another run may well find an answer. (z3 calls its own counter "canceled".)
_ACCIDENTS = ("memory", "timeout", "interrupt")


class Answers(Protocol):
    """Where answers are remembered, by a key that stands for all that was told."""

    def get(self, key: bytes) -> str | None: ...
    def put(self, key: bytes, answer: str) -> None: ...


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
    """One z3 process, started when it is first needed. Use as a context manager.

    Raises SolverFailure from any method when the process cannot be used. With `answers`, a question that was asked before
    after the very same text is not asked again. `queries` counts the satisfiability questions that z3 was asked.
    """

    def __init__(self, hang_seconds: float, answers: Answers | None = None):
        self.hang_seconds = hang_seconds
        self.path = solver_path()
        self.answers = answers
        self.reason = ""
        self.queries = 0
        self._failure: str | None = None
        self._process: subprocess.Popen | None = None
        self._told: list[str] = []  # everything since `fresh`, questions included
        self._sent = self._hashed = 0  # how much of it z3 and the hash have seen
        self._asked: list[
            tuple[int, str]
        ] = []  # questions that were answered from memory: where they stand, the answer
        self._hash = hashlib.sha256()
        self._count = 0

    def __enter__(self) -> Solver:
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
            self._sent = 0

    @property
    def failed(self) -> bool:
        return self._failure is not None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def started(self) -> bool:
        """Whether a question costs no start of a process."""
        return self._process is not None

    def add(self, *lines: str) -> None:
        """Commands that give no answer. They are sent with the next question that is not answered from memory."""
        self._told += lines

    def reset(self, steps: int, cores: bool = False) -> None:
        """Forgets everything and sets the resource limit of each question that follows. `cores`: `core` will be asked."""
        self._told = [
            "(reset)",
            *(["(set-option :produce-unsat-cores true)"] if cores else []),
            f"(set-option :rlimit {steps})",
            "(set-option :model.completion true)",
        ]
        self._sent = self._hashed = 0
        self._asked = []
        self._hash = hashlib.sha256(_identity(self.path).encode())

    def check(self, supposed: Sequence[str] = (), products: bool = False) -> str:
        """Whether what was told can be so, and these bool constants all true: "sat", "unsat" or "unknown", with the cause of
        the last in `reason`. `products`: of what is no literal; the tactic that z3 picks for these by itself may run for
        minutes past its resource limit."""
        question = (
            f"(check-sat-assuming ({' '.join(supposed)}))"
            if supposed
            else "(check-sat-using smt)"
            if products
            else "(check-sat)"
        )
        answer, _, reason = self._ask(f"{question}\n(get-info :reason-unknown)").partition("\n")
        if answer not in (SAT, UNSAT, UNKNOWN) or not reason.startswith("(:reason-unknown"):
            raise self._failed(f"z3 answered: {answer[:300]}")
        self.reason = reason.removeprefix('(:reason-unknown "').removesuffix('")') if answer == UNKNOWN else ""
        return answer

    def core(self, tries: int = 10) -> list[str]:
        """Those of the constants supposed that were enough for "unsat", as few as some more questions find."""
        found = self._core()
        for name in list(found)[:tries] if len(found) > 1 else ():
            if name in found and self.check([other for other in found if other != name]) == UNSAT:
                found = self._core()
        return found

    def named_core(self) -> list[str]:
        """Names of assertions that cannot hold together, after "unsat"."""
        return self._core()

    def _core(self) -> list[str]:
        return [name for name in _parse(self._ask("(get-unsat-core)")) if isinstance(name, str)]

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
        self._told.append(question)
        if self.answers is None:
            return self._answer()
        self._hash.update("\n".join([*self._told[self._hashed :], ""]).encode())
        self._hashed = len(self._told)
        key = self._hash.digest()
        known = self.answers.get(key) if self._failure is None else None
        if known is not None:
            self._asked.append((len(self._told) - 1, known))
            return known
        answer = self._answer()
        if "(error" not in answer and not (answer.startswith(UNKNOWN) and any(word in answer for word in _ACCIDENTS)):
            self.answers.put(key, answer)
        return answer

    def _answer(self) -> str:
        """z3's own answer to the question told last. It is told everything first that it was not told yet, in the same
        order, so that its state is the one it would have without a memory."""
        for position, known in self._asked:
            if self._send(position + 1) != known:
                raise self._failed(
                    "z3 now answers otherwise than the cache of proofs says; `--no-cache` does without it"
                )
        self._asked = []
        return self._send(len(self._told))

    def _send(self, end: int) -> str:
        """Tells z3 what stands before `end`, a question last, and gives its answer."""
        self._count += 1
        mark = f"answer-{self._count}"
        lines = [*self._told[self._sent : end], f'(echo "{mark}")', ""]
        self._sent = end
        self.queries += lines[-3].startswith("(check-sat")
        return self._exchange("\n".join(lines).encode(), b"\n" + mark.encode() + b"\n")

    def _failed(self, reason: str) -> SolverFailure:
        """Ends the process for good: one that failed once is not asked again, or every goal would wait for its hang."""
        self.close()
        self._failure = reason
        return SolverFailure(reason)

    def _start(self) -> subprocess.Popen:
        if self._failure is not None:
            raise SolverFailure(self._failure)
        if self._process is None:
            path = self.path
            if path is None:
                raise self._failed("the program `z3` was not found; install the package `z3-solver`")
            try:
                self._process = subprocess.Popen(
                    [path, "-in", "-smt2", f"-memory:{_MEGABYTES}"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    bufsize=0,
                )
                os.set_blocking(self._process.stdin.fileno(), False)
                _bounded(self._process.pid)
            except OSError as error:
                raise self._failed(f"{path} does not start: {error}") from None
        return self._process

    def _exchange(self, text: bytes, end: bytes) -> str:
        """Sends a text and gives what z3 prints up to `end`. Neither a z3 that does not read nor one that does not stop
        writing is waited for longer than the limit."""
        process = self._start()
        limit = monotonic() + self.hang_seconds
        output = bytearray(b"\n")
        sent = 0
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.register(process.stdin, selectors.EVENT_WRITE)
            while not output.endswith(end):
                ready = selector.select(max(0.0, limit - monotonic()))
                if not ready or monotonic() > limit:
                    raise self._failed(f"z3 gave no answer for {self.hang_seconds:g} s and was stopped")
                try:
                    for key, _ in ready:
                        if key.fileobj is process.stdin:
                            sent += os.write(process.stdin.fileno(), text[sent : sent + _PIECE])
                            if sent == len(text):
                                selector.unregister(process.stdin)
                        elif piece := os.read(process.stdout.fileno(), _PIECE):
                            output += piece
                        else:
                            raise self._failed(f"z3 ended by itself{_last_words(output)}")
                except OSError as error:
                    raise self._failed(f"z3 ended by itself: {error}{_last_words(output)}") from None
                if len(output) > _MOST_OUTPUT:
                    raise self._failed("z3 does not stop printing and was stopped")
        return output[: -len(end)].decode(errors="replace").strip()


def _bounded(pid: int) -> None:
    """The machine's memory is safe even from a z3 that ignores its own limit, where the system can see to it."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        size = 2 * _MEGABYTES * 2**20
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))


def _identity(path: str | None) -> str:
    """Which z3 this is, without starting it: a new one is a new file. Nothing is ever remembered of none."""
    try:
        found = os.stat(path or "")
    except OSError:
        return "none"
    return f"{os.path.realpath(path)} {found.st_size} {found.st_mtime_ns}"


def _last_words(output: bytes) -> str:
    words = output.decode(errors="replace").strip()
    return f" ({words[-200:]})" if words else ""


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
