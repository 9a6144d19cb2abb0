"""The ledger: `trials.jsonl`, the only truth of a run.

One JSON object a line, ASCII. Each begins with its `sequence` (1, 2, 3, …) and its `time` (UTC) and ends with a
`checksum`: the first 16 hexadecimal digits of the SHA-256 of the line up to `,"checksum"`. Appending takes an exclusive
lock on the file and syncs it, so many processes may append to one ledger and nothing reported as written is lost.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import logging
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hl_dsl.synth.runs.ledger_schema import SCHEMA, SCHEMA_FIELD, current_event

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import storage_problem, sync_folder, try_folder, write_fully
from hl_dsl.base.json_values import NotRecordable, plain

LEDGER_FIELDS = ("sequence", "time", SCHEMA_FIELD, "checksum")
_SEAL = b',"checksum":"%s"}'
_SEAL_LENGTH = len(_SEAL % (b"0" * 16))
_TAIL_BYTES = 1 << 16
_log = logging.getLogger(__name__)


class LedgerError(HLError):
    """Something is wrong with a ledger."""


class LedgerUnwritable(LedgerError):
    """An event could not be written. The ledger holds what it held before."""


class LedgerUnreadable(LedgerError):
    """The ledger is there but cannot be read."""


class LedgerDamaged(LedgerError):
    """A line that was written whole is not what was written. `path`, `line` (from 1) and `problem` say where and what."""

    path: Path
    line: int
    problem: str

    @classmethod
    def at(cls, path: Path, line: int, problem: str) -> LedgerDamaged:
        if line == 1:
            hint = "Restore the file from a copy, or move it away: the next event starts a new ledger."
        else:
            mend = f"head -n {line - 1} {shlex.quote(str(path))} > mended.jsonl"
            hint = f"Restore the file from a copy. Or keep the events before the damage: `{mend}`, then put mended.jsonl in its place."
        error = cls(f"{path}, line {line}: {problem}", hint)
        error.path, error.line, error.problem = path, line, problem
        return error


class Ledger:
    """An append-only file of events, safe against crashes and against other processes.

    `torn` holds the bytes of a last line that a crash cut short, as the last `read` or `append` met it (else empty):
    `read` leaves it out, `append` removes it from the file. Any other damage raises LedgerDamaged.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.torn = b""

    def append(self, event: Mapping) -> dict:
        """Write one event; returns it as `read` will, with `sequence`, `time` and `checksum`.

        Raises NotRecordable, LedgerUnwritable (disk full, read-only, no such folder; the ledger is then as before)
        and LedgerDamaged (the last line cannot be continued).
        """
        return self.append_many([event])[0]

    def append_many(self, events: Iterable[Mapping]) -> list[dict]:
        """Write several events next to each other with one sync. Raises as `append`; then none of them is kept."""
        bodies = [_body(event) for event in events]
        if not bodies:
            return []
        try:
            with _locked(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
                sequence, end, whole = self._find_end(descriptor)
                moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
                lines = [_line(sequence + 1 + offset, moment, body) for offset, body in enumerate(bodies)]
                self._write(descriptor, end, b"".join(lines) if whole else b"\n" + b"".join(lines))
        except OSError as error:
            problem, hint = storage_problem(error)
            raise LedgerUnwritable(f"cannot write to the ledger {self.path}: {problem}", hint) from error
        return [json.loads(line) for line in lines]

    def prepare(self) -> None:
        """Shows that an event could be appended, before work is done whose record would be lost.

        Removes a torn last line. Raises as `append`; a full disk shows only there.
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

    def read(self) -> list[dict]:
        """All events, in order; an empty list where there is no file yet. Raises LedgerDamaged and LedgerUnreadable."""
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

    def read_from(self, offset: int, sequence: int) -> tuple[list[dict], int]:
        """What came after the byte `offset`, up to which `sequence` events stand, and where that ends. A last line without its
        newline is not there yet. Raises as `read`."""
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

    def _events(self, lines: Iterable[bytes], first: int = 1) -> Iterator[dict]:
        for number, line in enumerate(lines, start=first):
            event, problem = _parse(line.removesuffix(b"\n"), number)
            if event is not None:
                yield current_event(event)
            elif not line.endswith(b"\n") and _could_be_torn(line, number):
                self._note_torn(line)
            else:
                raise LedgerDamaged.at(self.path, number, problem)

    def _find_end(self, descriptor: int) -> tuple[int, int, bool]:
        """The last sequence number, where the next byte goes, and whether the last line has its newline."""
        self.torn = b""
        size = os.fstat(descriptor).st_size
        if size == 0:
            sync_folder(self.path.parent)
            return 0, 0, True
        whole_line, rest = _last_lines(descriptor, size)
        sequence = 0
        if whole_line is not None:
            sequence = _sequence_of(whole_line)
            if _parse(whole_line, sequence)[0] is None:
                self._raise_damage(descriptor)
        if not rest:
            return sequence, size, True
        if _parse(rest, sequence + 1)[0] is not None:
            return sequence + 1, size, False
        if not _could_be_torn(rest, sequence + 1):
            self._raise_damage(descriptor)
        self._note_torn(rest)
        os.ftruncate(descriptor, size - len(rest))
        return sequence, size - len(rest), True

    def _raise_damage(self, descriptor: int) -> None:
        """Only the tail was looked at; read it all, to name the first bad line."""
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
            # Half an event is worse than none; after an interrupt the caller does not know it was written.
            try:
                os.ftruncate(descriptor, end)
            except OSError:
                _log.warning("%s: a half-written event could not be removed; the next append will", self.path)
            raise

    def _note_torn(self, line: bytes) -> None:
        self.torn = line
        _log.warning("%s: the last line was cut short by a crash (%d bytes); it is left out", self.path, len(line))


@contextmanager
def _locked(path: Path, flags: int, kind: int) -> Iterator[int]:
    """A descriptor of the file that stands at `path` once the lock is held: it may be replaced while we wait."""
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


def _body(event: Mapping) -> bytes:
    taken = [name for name in LEDGER_FIELDS if name in event]
    if taken:
        raise NotRecordable(
            f"cannot record an event with a field called `{taken[0]}`", "The ledger writes that field itself."
        )
    try:
        text = json.dumps(plain(event), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise NotRecordable(f"cannot record the event: {error}", "Record smaller numbers or flatter values.") from error
    return text[1:-1].encode("ascii")


def _line(sequence: int, moment: str, body: bytes) -> bytes:
    sealed = b'{"sequence":%d,"time":"%s","schema":"%s"' % (sequence, moment.encode("ascii"), SCHEMA.encode("ascii"))
    if body:
        sealed += b"," + body
    return sealed + _SEAL % _checksum(sealed) + b"\n"


def _checksum(sealed: bytes) -> bytes:
    return hashlib.sha256(sealed).hexdigest()[:16].encode("ascii")


def _parse(line: bytes, expected: int) -> tuple[dict | None, str]:
    """The event of a line without its newline, or None and what is wrong with it."""
    if not line:
        return None, "the line is empty"
    sealed, seal = line[:-_SEAL_LENGTH], line[-_SEAL_LENGTH:]
    if not (line.startswith(b'{"sequence":') and seal.startswith(_SEAL[:13]) and seal.endswith(b'"}')):
        return None, "this is no ledger event, or part of one"
    if seal != _SEAL % _checksum(sealed):
        return None, "the checksum does not fit: the line was changed after it was written"
    event = json.loads(line)
    if event["sequence"] != expected:
        return (
            None,
            f"event {expected} should stand here, but this is event {event['sequence']}: lines were lost or moved",
        )
    return event, ""


def _sequence_of(line: bytes) -> int:
    digits = line[len(b'{"sequence":') :].split(b",", 1)[0]
    return int(digits) if digits.isdigit() and len(digits) < 20 else 0


def _could_be_torn(rest: bytes, expected: int) -> bool:
    """Whether `rest` can be the beginning of event `expected`: a file that is no ledger must never be cut.

    A power cut may leave zeros where the data never reached the disk.
    """
    head = b'{"sequence":%d,"time":"' % expected
    rest = rest.rstrip(b"\0")
    return head.startswith(rest[: len(head)])


def _last_lines(descriptor: int, size: int) -> tuple[bytes | None, bytes]:
    """The last line that has a newline (None if there is none), and what follows it; read from the end."""
    length = _TAIL_BYTES
    while True:
        start = max(0, size - length)
        tail = _read_at(descriptor, start, size - start)
        cut = tail.rfind(b"\n")
        before = tail.rfind(b"\n", 0, cut) if cut >= 0 else -1
        if start == 0 or before >= 0:
            return (tail[before + 1 : cut] if cut >= 0 else None), tail[cut + 1 :]
        length *= 4


def _read_at(descriptor: int, start: int, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = os.pread(descriptor, length - len(data), start + len(data))
        if not piece:
            raise OSError(5, "the file ended early")
        data += piece
    return data
