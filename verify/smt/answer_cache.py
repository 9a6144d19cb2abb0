"""Cache of solver answers on disk, by the hash of everything the solver was given before it answered.

A file that is damaged, locked or not writable counts as empty. Each row carries a hash of itself, so a row that was
changed counts as missing. Only answers are stored, never verdicts: a trace found from them is replayed as if z3 had
just given it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from hl_dsl.base.cache_folder import cache_file

if TYPE_CHECKING:
    import sqlite3

_FILE = "proofs.sqlite"
_MOST_ROWS = 50_000
_WAIT_SECONDS = 2.0  # for a lock of another process


class SolverAnswerCache:
    """Solver answers in a database file. Threads may share an object, and processes the file.

    Attributes:
        path: The file; None if nothing is stored.
        note: Why the file could not be used; empty if it could.
    """

    def __init__(self, path: str | None):
        self.path = path
        self.note = ""
        self._new: dict[bytes, str] = {}
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    @classmethod
    def of_user(cls) -> SolverAnswerCache:
        """Returns the cache in the user's cache folder."""
        return cls(cache_file(_FILE))

    def get(self, key: bytes) -> str | None:
        """Returns the answer, or None if it is not stored."""
        with self._lock:
            if key in self._new:
                return self._new[key]
            rows = self._run("select answer, seal from answers where key = ?", [(key,)])
        if not rows:
            return None
        answer, seal = rows[0]
        return answer.decode() if isinstance(answer, bytes) and seal == _seal(key, answer) else None

    def put(self, key: bytes, answer: str) -> None:
        """Stores an answer: at once for this object, in the file with the next `save`."""
        with self._lock:
            self._new[key] = answer

    def save(self) -> None:
        """Writes new answers to the file, and deletes the oldest rows if there are too many."""
        with self._lock:
            if not self._new:
                return
            rows = [(key, answer.encode(), _seal(key, answer.encode())) for key, answer in self._new.items()]
            self._run("insert or replace into answers (key, answer, seal) values (?, ?, ?)", rows)
            self._run("delete from answers where rowid <= (select max(rowid) from answers) - ?", [(_MOST_ROWS,)])
            if self._connection is not None:
                self._new.clear()

    def close(self) -> None:
        """Writes new answers and closes the file."""
        self.save()
        with self._lock:
            self._drop()

    def _run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> list[tuple[Any, ...]] | None:
        """Returns the rows of a query; None if the file cannot be used."""
        import sqlite3  # only for a look-up, for a fast start

        path = self.path
        if path is None:
            return None
        try:
            if self._connection is None:
                self._connection = _open(path)
            with self._connection:
                if len(rows) == 1:
                    return self._connection.execute(statement, rows[0]).fetchall()
                self._connection.executemany(statement, rows)
        except (sqlite3.Error, OSError, OverflowError) as problem:
            self._abandon(
                problem,
                damaged=isinstance(problem, sqlite3.DatabaseError)
                and not isinstance(problem, sqlite3.OperationalError),
            )
        return None

    def _abandon(self, problem: Exception, damaged: bool) -> None:
        """Continues without the file. Deletes a damaged one for the next process."""
        self.note = f"the cache {self.path} was not used: {problem}"
        self._drop()
        if damaged and self.path is not None:
            with suppress(OSError):
                os.unlink(self.path)
        self.path = None

    def _drop(self) -> None:
        import sqlite3

        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _open(path: str) -> sqlite3.Connection:
    import sqlite3

    connection = sqlite3.connect(path, timeout=_WAIT_SECONDS, check_same_thread=False)
    connection.execute("pragma synchronous = off")  # a lost answer only costs time
    connection.execute("create table if not exists answers (key blob unique, answer blob, seal blob)")
    return connection


def _seal(key: bytes, answer: bytes) -> bytes:
    return hashlib.blake2b(answer, key=key[:64], digest_size=16).digest()
