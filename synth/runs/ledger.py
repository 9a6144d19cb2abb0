"""Ledger: the append-only file `trials.jsonl` that holds everything a run has done.

Each line is one JSON object in ASCII. It starts with its `sequence` (1, 2, 3, …), its `time` (UTC) and its `schema`,
and ends with a `checksum`: the first 16 hexadecimal digits of the SHA-256 of the line up to `,"checksum"`. Appending
takes an exclusive lock on the file and syncs it. So several processes may append to one ledger, and no event that was
reported as written is lost.
"""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import storage_problem, sync_folder, try_folder, write_fully
from hl_dsl.synth.runs.ledger_format import (
    can_be_torn,
    current_event,
    event_body,
    last_lines,
    parse_line,
    sealed_line,
    sequence_of,
)

_log = logging.getLogger(__name__)


class LedgerError(HLError):
    """An error of a ledger."""


class LedgerUnwritable(LedgerError):
    """An event could not be written. The ledger is unchanged."""


class LedgerUnreadable(LedgerError):
    """The ledger exists but cannot be read."""


class LedgerDamaged(LedgerError):
    """A complete line was changed after it was written. `line` counts from 1."""

    path: Path
    line: int
    problem: str

    @classmethod
    def at(cls, path: Path, line: int, problem: str) -> LedgerDamaged:
        """Returns the error for a line, with a hint on how to recover."""
        if line == 1:
            hint = "restore the file from a copy, or move it away: the next event starts a new ledger"
        else:
            command = f"head -n {line - 1} {shlex.quote(str(path))} > repaired.jsonl"
            hint = (
                "restore the file from a copy, or keep the events before the damage: "
                f"run `{command}`, then replace the file with repaired.jsonl"
            )
        error = cls(f"{path}, line {line}: {problem}", hint)
        error.path, error.line, error.problem = path, line, problem
        return error


class Ledger:
    """An append-only file of events, safe against crashes and against concurrent writers.

    Attributes:
        path: The file, which need not exist.
        torn: Bytes of an incomplete last line (a torn write) that the last `read` or `append` found; else empty. `read`
            omits that line, `append` removes it from the file. Any other damage raises LedgerDamaged.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.torn = b""

    def append(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Writes one event and returns it as `read` will, with the fields that the ledger adds.

        Raises:
            NotRecordable: The event is not plain JSON, or has a field of the ledger's own.
            LedgerUnwritable: Disk full, read-only, missing folder. The ledger is unchanged.
            LedgerDamaged: The last line is damaged.
        """
        return self.append_many([event])[0]

    def append_many(self, events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Writes several consecutive events with one sync: all of them, or none and it raises as `append` does."""
        bodies = [event_body(event) for event in events]
        if not bodies:
            return []
        try:
            with _locked(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
                sequence, end, whole = self._find_end(descriptor)
                moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
                lines = [sealed_line(sequence + 1 + offset, moment, body) for offset, body in enumerate(bodies)]
                self._write(descriptor, end, b"".join(lines) if whole else b"\n" + b"".join(lines))
        except OSError as error:
            problem, hint = storage_problem(error)
            raise LedgerUnwritable(f"cannot write to the ledger {self.path}: {problem}", hint) from error
        return [json.loads(line) for line in lines]

    def prepare(self) -> None:
        """Checks that an event can be appended, before work whose record would otherwise be lost.

        Removes a torn last line. Raises as `append` does; a full disk is detected only there.
        """
        try:
            if self.path.exists():
                with _locked(self.path, os.O_RDWR | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
                    self._find_end(descriptor)
            else:
                try_folder(self.path.parent)
        except OSError as error:
            problem, hint = storage_problem(error)
            raise LedgerUnwritable(f"cannot write to the ledger {self.path}: {problem}", hint) from error

    def read(self) -> list[dict[str, Any]]:
        """Returns all events in order, in the words of the current schema; an empty list if there is no file.

        Raises:
            LedgerDamaged: A line is damaged.
            LedgerUnreadable: The file cannot be read.
            UnknownSchema: A line has a schema of a later version.
        """
        self.torn = b""
        try:
            with (
                _locked(self.path, os.O_RDONLY, fcntl.LOCK_SH) as descriptor,
                open(descriptor, "rb", closefd=False) as file,
            ):
                return list(self._events(file))
        except FileNotFoundError:
            return []
        except OSError as error:
            problem, hint = storage_problem(error)
            raise LedgerUnreadable(f"cannot read the ledger {self.path}: {problem}", hint) from error

    def read_from(self, offset: int, sequence: int) -> tuple[list[dict[str, Any]], int]:
        """Returns the events after the byte `offset`, and the offset after them.

        A last line without its newline is not complete yet. Raises as `read` does.

        Args:
            offset: Byte at which to start, as returned by the last call.
            sequence: Number of events before it.
        """
        try:
            with open(self.path, "rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return [], offset
        except OSError as error:
            problem, hint = storage_problem(error)
            raise LedgerUnreadable(f"cannot read the ledger {self.path}: {problem}", hint) from error
        whole = data[: data.rfind(b"\n") + 1]
        return list(self._events(io.BytesIO(whole), sequence + 1)), offset + len(whole)

    def _events(self, lines: Iterable[bytes], first: int = 1) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(lines, start=first):
            event, problem = parse_line(line.removesuffix(b"\n"), number)
            if event is not None:
                yield current_event(event)
            elif not line.endswith(b"\n") and can_be_torn(line, number):
                self._note_torn(line)
            else:
                raise LedgerDamaged.at(self.path, number, problem)

    def _find_end(self, descriptor: int) -> tuple[int, int, bool]:
        """Returns the last sequence number, the offset of the next byte, and whether the last line has its newline."""
        self.torn = b""
        size = os.fstat(descriptor).st_size
        if size == 0:
            sync_folder(self.path.parent)
            return 0, 0, True
        whole_line, rest = last_lines(descriptor, size)
        sequence = 0
        if whole_line is not None:
            sequence = sequence_of(whole_line)
            if parse_line(whole_line, sequence)[0] is None:
                self._raise_damage(descriptor)
        if not rest:
            return sequence, size, True
        if parse_line(rest, sequence + 1)[0] is not None:
            return sequence + 1, size, False
        if not can_be_torn(rest, sequence + 1):
            self._raise_damage(descriptor)
        self._note_torn(rest)
        os.ftruncate(descriptor, size - len(rest))
        return sequence, size - len(rest), True

    def _raise_damage(self, descriptor: int) -> None:
        """Reads the whole file to name the first damaged line; only its tail was read before."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        with open(descriptor, "rb", closefd=False) as file:
            for _ in self._events(file):
                pass
        raise LedgerDamaged.at(self.path, 1, "the file changed while it was read")

    def _write(self, descriptor: int, end: int, data: bytes) -> None:
        try:
            write_fully(descriptor, data)
            os.fsync(descriptor)
        except BaseException:
            # A partial event must not stay; after an interrupt the caller cannot know whether the event was written.
            try:
                os.ftruncate(descriptor, end)
            except OSError:
                _log.warning("%s: a partly written event could not be removed; the next append removes it", self.path)
            raise

    def _note_torn(self, line: bytes) -> None:
        self.torn = line
        _log.warning("%s: the last line is incomplete after a crash (%d bytes); it is omitted", self.path, len(line))


@contextmanager
def _locked(path: Path, flags: int, kind: int) -> Iterator[int]:
    """Yields a locked descriptor of the file at `path`.

    The file may be replaced while this process waits for the lock.
    """
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            fcntl.flock(descriptor, kind)
            try:
                current = os.path.samestat(os.fstat(descriptor), os.stat(path))
            except FileNotFoundError:
                current = False
            if current:
                yield descriptor
                return
        finally:
            os.close(descriptor)
