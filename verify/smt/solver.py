"""z3 as a process that reads SMT-LIB, limited by its own resource counter and killed when it hangs."""

from __future__ import annotations

import hashlib
import os
import selectors
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import IO, Protocol

from hl_dsl.verify.smt.s_expressions import ModelValue, parse_s_expression, read_number
from hl_dsl.verify.smt.solver_program import identify_program, solver_path

SAT, UNSAT, UNKNOWN = "sat", "unsat", "unknown"
_MEGABYTES = 2000  # memory limit that z3 is given
_CHUNK = 65536  # bytes of one read or write
_MOST_OUTPUT = 64_000_000  # bytes of one answer

# Causes of "unknown" that do not depend on the query alone. (z3 calls its own resource counter "canceled".)
_TRANSIENT_CAUSES = ("memory", "timeout", "interrupt")


class Answers(Protocol):
    """Store of solver answers, by a hash of everything the solver was given."""

    def get(self, key: bytes) -> str | None:
        """Returns the answer, or None if it is not stored."""

    def put(self, key: bytes, answer: str) -> None:
        """Stores an answer."""


class SolverFailure(Exception):
    """z3 is missing, was killed or reported an error. The message says why; the query's answer is unknown."""


class Solver:
    """One z3 process, started when it is first needed. Use as a context manager.

    Every method raises SolverFailure if the process cannot be used. A query whose whole text was answered before is
    taken from `answers`, without z3.

    Attributes:
        hang_seconds: Seconds without an answer after which the process is killed.
        answers: Store of earlier answers, if any.
        reason: Cause of the last "unknown".
        queries: Number of satisfiability queries that z3 answered.
    """

    def __init__(self, hang_seconds: float, answers: Answers | None = None):
        self.hang_seconds = hang_seconds
        self.path = solver_path()
        self.answers = answers
        self.reason = ""
        self.queries = 0
        self._failure: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._commands: list[str] = []  # everything since `reset`, queries included
        self._sent = self._hashed = 0  # how many of the commands z3 and the hash have seen
        self._stored: list[tuple[int, str]] = []  # queries answered from the store: position in the commands, answer
        self._hash = hashlib.sha256()
        self._count = 0

    def __enter__(self) -> Solver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kills the process. A later query starts a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in _pipes(self._process):
                with suppress(OSError):  # unsent data of a process that has ended
                    stream.close()
            self._process = None
            self._sent = 0

    @property
    def failed(self) -> bool:
        """True after a failure; the solver then answers no further query."""
        return self._failure is not None

    @property
    def pid(self) -> int | None:
        """Identifier of the process, while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def started(self) -> bool:
        """True if the process runs, so that a query does not have to start it."""
        return self._process is not None

    def add(self, *lines: str) -> None:
        """Adds commands without an answer. They are sent with the next query that is not answered from the store."""
        self._commands += lines

    def reset(self, steps: int, cores: bool = False) -> None:
        """Removes all commands and sets the resource limit of each following query. `cores`: enables `core`."""
        self._commands = [
            "(reset)",
            *(["(set-option :produce-unsat-cores true)"] if cores else []),
            f"(set-option :rlimit {steps})",
            "(set-option :model.completion true)",
        ]
        self._sent = self._hashed = 0
        self._stored = []
        self._hash = hashlib.sha256(identify_program(self.path).encode())

    def check(self, supposed: Sequence[str] = (), products: bool = False) -> str:
        """Checks whether the commands are satisfiable.

        Args:
            supposed: Bool constants that are also assumed to be true.
            products: True if the commands multiply terms that are not literals. The tactic that z3 then chooses itself
                may run for minutes past its resource limit, so another one is requested.

        Returns:
            SAT, UNSAT or UNKNOWN, the cause of the last in `reason`.
        """
        query = (
            f"(check-sat-assuming ({' '.join(supposed)}))"
            if supposed
            else "(check-sat-using smt)"
            if products
            else "(check-sat)"
        )
        answer, _, reason = self._ask(f"{query}\n(get-info :reason-unknown)").partition("\n")
        if answer not in (SAT, UNSAT, UNKNOWN) or not reason.startswith("(:reason-unknown"):
            raise self._fail(f"z3 answered: {answer[:300]}")
        self.reason = reason.removeprefix('(:reason-unknown "').removesuffix('")') if answer == UNKNOWN else ""
        return answer

    def core(self, tries: int = 10) -> list[str]:
        """Returns supposed constants that suffice for the last UNSAT, reduced by at most `tries` further queries."""
        core = self._core()
        for name in list(core)[:tries] if len(core) > 1 else ():
            if name in core and self.check([other for other in core if other != name]) == UNSAT:
                core = self._core()
        return core

    def named_core(self) -> list[str]:
        """Returns the names of assertions that contradict each other, after UNSAT."""
        return self._core()

    def _core(self) -> list[str]:
        return [name for name in parse_s_expression(self._ask("(get-unsat-core)")) if isinstance(name, str)]

    def spent(self) -> int:
        """Returns the units of the resource counter used since `reset`."""
        return int(self._ask("(get-info :rlimit)").strip("()").split()[1])

    def values(self, names: list[str]) -> dict[str, ModelValue | None]:
        """Returns the model's values after SAT. A value that is not a rational number is None."""
        if not names:
            return {}
        pairs = parse_s_expression(self._ask(f"(get-value ({' '.join(names)}))"))
        return {str(pair[0]): read_number(pair[1]) for pair in pairs}

    def _ask(self, query: str) -> str:
        self._commands.append(query)
        if self.answers is None:
            return self._answer()
        self._hash.update("\n".join([*self._commands[self._hashed :], ""]).encode())
        self._hashed = len(self._commands)
        key = self._hash.digest()
        known = self.answers.get(key) if self._failure is None else None
        if known is not None:
            self._stored.append((len(self._commands) - 1, known))
            return known
        answer = self._answer()
        if "(error" not in answer and not (
            answer.startswith(UNKNOWN) and any(word in answer for word in _TRANSIENT_CAUSES)
        ):
            self.answers.put(key, answer)
        return answer

    def _answer(self) -> str:
        """Returns z3's own answer to the last query.

        Commands that were not sent yet are sent first, in the same order, stored queries included. The state of z3 is
        therefore the same as without a store.
        """
        for position, known in self._stored:
            if self._send(position + 1) != known:
                raise self._fail(
                    "an answer of z3 differs from the one in the cache of proofs; use `--no-cache` to ignore the cache"
                )
        self._stored = []
        return self._send(len(self._commands))

    def _send(self, end: int) -> str:
        """Sends the commands before `end`, of which the last is a query, and returns its answer."""
        self._count += 1
        mark = f"answer-{self._count}"
        lines = [*self._commands[self._sent : end], f'(echo "{mark}")', ""]
        self._sent = end
        self.queries += lines[-3].startswith("(check-sat")
        return self._exchange("\n".join(lines).encode(), b"\n" + mark.encode() + b"\n")

    def _fail(self, reason: str) -> SolverFailure:
        """Ends the process for good and returns the error. Otherwise every goal would wait for the same hang."""
        self.close()
        self._failure = reason
        return SolverFailure(reason)

    def _start(self) -> subprocess.Popen[bytes]:
        if self._failure is not None:
            raise SolverFailure(self._failure)
        if self._process is None:
            path = self.path
            if path is None:
                raise self._fail("the program `z3` was not found; install the package `z3-solver`")
            try:
                self._process = subprocess.Popen(
                    [path, "-in", "-smt2", f"-memory:{_MEGABYTES}"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    bufsize=0,
                )
                os.set_blocking(_pipes(self._process)[0].fileno(), False)
                _limit_memory(self._process.pid)
            except OSError as error:
                raise self._fail(f"{path} does not start: {error}") from None
        return self._process

    def _exchange(self, text: bytes, end: bytes) -> str:
        """Sends a text and returns what z3 prints before `end`, within `hang_seconds`."""
        stdin, stdout = _pipes(self._start())
        limit = monotonic() + self.hang_seconds
        output = bytearray(b"\n")
        sent = 0
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stdin, selectors.EVENT_WRITE)
            while not output.endswith(end):
                ready = selector.select(max(0.0, limit - monotonic()))
                if not ready or monotonic() > limit:
                    raise self._fail(f"z3 gave no answer for {self.hang_seconds:g} s and was stopped")
                try:
                    for key, _ in ready:
                        if key.fileobj is stdin:
                            sent += os.write(stdin.fileno(), text[sent : sent + _CHUNK])
                            if sent == len(text):
                                selector.unregister(stdin)
                        elif chunk := os.read(stdout.fileno(), _CHUNK):
                            output += chunk
                        else:
                            raise self._fail(f"z3 ended by itself{_last_words(output)}")
                except OSError as error:
                    raise self._fail(f"z3 ended by itself: {error}{_last_words(output)}") from None
                if len(output) > _MOST_OUTPUT:
                    raise self._fail("z3 does not stop printing and was stopped")
        return output[: -len(end)].decode(errors="replace").strip()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None and process.stdout is not None  # both were requested
    return process.stdin, process.stdout


def _limit_memory(pid: int) -> None:
    """Limits the memory of a z3 that ignores its own limit, where the operating system can do that."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        size = 2 * _MEGABYTES * 2**20
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))


def _last_words(output: bytes | bytearray) -> str:
    words = output.decode(errors="replace").strip()
    return f" ({words[-200:]})" if words else ""
