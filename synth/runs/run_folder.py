"""Run folder: exclusive lock, settings, best program, and the files derived from the ledger."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import remove_leftovers, storage_problem, write_whole
from hl_dsl.base.json_values import plain
from hl_dsl.cards import Card
from hl_dsl.cards.packaged import packaged_card
from hl_dsl.cards.reader import file_name
from hl_dsl.cards.writer import card_text
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.ledger_format import current_settings
from hl_dsl.synth.runs.trial import trials_of

if TYPE_CHECKING:
    from hl_dsl.synth.runs.plots import Reference

LEDGER, BEST, SETTINGS = "trials.jsonl", "best.hl", "run.json"
SUMMARY, PLOT, LOCK = "summary.csv", "sample_efficiency.png", ".lock"


class RunFolderError(HLError):
    """A run folder cannot be used."""


class RunFolderBusy(RunFolderError):
    """Another process writes into the folder."""


class RunFolder:
    """A folder that this process has locked until `close`, the end of the `with` block, or the end of the process.

    Creates the folder and its parents. An evaluation that only appends to a policy's own `trials.jsonl` uses `Ledger`
    alone.

    Raises:
        RunFolderBusy: Another process holds the lock; the message names it.
        RunFolderError: The folder cannot be used.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock: int | None = None
        self._made: list[Path] = []
        descriptor = None
        try:
            while descriptor is None:
                self._make_folders()
                descriptor = self._locked()
        except BaseException:
            self._unmake()
            raise
        self._lock = descriptor
        os.register_at_fork(after_in_child=partial(_release_in_child, weakref.ref(self)))
        remove_leftovers(self.path)
        self.ledger = Ledger(self.path / LEDGER)

    def _make_folders(self) -> None:
        try:
            self._made = [folder for folder in reversed([self.path, *self.path.parents]) if not folder.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise RunFolderError(
                f"cannot use {self.path} as a run folder: it is a file", "choose another path for the run"
            ) from error
        except OSError as error:
            problem, hint = storage_problem(error)
            raise RunFolderError(f"cannot use {self.path} as a run folder: {problem}", hint) from error

    def _locked(self) -> int | None:
        """Returns a locked descriptor of the lock file; None if its holder removed the folder in the meantime."""
        lock = self.path / LOCK
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not self.path.exists():
                return None
            problem, hint = storage_problem(error)
            raise RunFolderError(f"cannot use {self.path} as a run folder: {problem}", hint) from error
        try:
            self._take(descriptor)
            if lock.exists() and os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                return descriptor
        except BaseException as error:
            if self._made and not isinstance(error, RunFolderBusy):
                lock.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        except BlockingIOError as error:
            raise RunFolderBusy(
                f"another run writes into {self.path}: {_holder(descriptor)}",
                "wait until it ends, stop it with Ctrl-C, or choose another folder",
            ) from error
        except OSError as error:
            problem, hint = storage_problem(error)
            raise RunFolderError(f"cannot lock the run folder {self.path}: {problem}", hint) from error

    def _unmake(self) -> None:
        """Removes the folders that were made for this run and are empty."""
        while self._made:
            try:
                self._made.pop().rmdir()
            except OSError:
                return

    def close(self) -> None:
        """Releases the folder, and removes it if it was made for this run and is empty. A second call has no effect."""
        if self._lock is None:
            return
        if self._made and self._is_empty():
            # Removed while locked: a process that waits for this lock then detects that the file is no longer in the
            # folder.
            (self.path / LOCK).unlink(missing_ok=True)
            self._unmake()
        os.close(self._lock)
        self._lock = None

    def _is_empty(self) -> bool:
        try:
            return [entry.name for entry in self.path.iterdir()] == [LOCK]
        except OSError:
            return False

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(self, name: str, content: str | bytes) -> Path:
        """Writes a file into the folder atomically. Raises FileUnwritable."""
        return write_whole(self.path / name, content)

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Writes the settings of the run, so that it can be resumed and repeated. Raises FileUnwritable."""
        self.write(SETTINGS, json.dumps(plain(settings, "settings"), indent=2) + "\n")

    def write_card(self, card: Card) -> None:
        """Writes the card of a user's environment into the folder, so that the folder is readable on its own."""
        if packaged_card(card.environment) is None:
            self.write(file_name(card.environment), card_text(card))

    def read_settings(self) -> dict[str, Any] | None:
        """Returns the recorded settings; None in a new folder. Raises RunFolderError if they cannot be read."""
        return settings_in(self.path)

    def write_best(self, program: str) -> Path:
        """Writes the text of the best program to `best.hl`. Raises FileUnwritable."""
        return self.write(BEST, program)

    def stop(self, reason: str, fields: Mapping[str, Any]) -> None:
        """Records why the run stopped, with further fields, and calls `rebuild`. Raises LedgerError, FileUnwritable."""
        self.ledger.append({"event": "stop", "reason": reason, **fields})
        self.rebuild()

    def rebuild(self, title: str | None = None, references: Sequence[Reference] = ()) -> None:
        """Writes `summary.csv` and `sample_efficiency.png` again from the ledger.

        Raises LedgerError, FileUnwritable.
        """
        from hl_dsl.synth.runs.plots import plot_sample_efficiency
        from hl_dsl.synth.runs.summary_csv import write_summary

        trials = trials_of(self.ledger.read())
        write_summary(trials, self.path / SUMMARY)
        plot_sample_efficiency(trials, self.path / PLOT, title=title, references=references)


def settings_in(folder: Path) -> dict[str, Any] | None:
    """Returns the settings of the run in a folder, in the words of the current schema; None if the folder has no run.

    Raises:
        RunFolderError: The settings cannot be read.
    """
    path = folder / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("it does not hold a JSON object")
        return current_settings(settings)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        problem, hint = storage_problem(error)
        raise RunFolderError(f"cannot read {path}: {problem}", hint) from error
    except ValueError as error:
        raise RunFolderError(
            f"cannot read {path}: {error}", "restore it from a copy, or start a new run in another folder"
        ) from error


def lock_holder(path: Path) -> str | None:
    """Returns the process that has locked a run folder, as text; None if there is none or it is unknown.

    Changes nothing.
    """
    try:
        descriptor = os.open(path / LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    fields = os.pread(descriptor, 256, 0).decode("utf-8", "replace").split()
    if len(fields) != 2:
        return "a process that is just starting"
    place = "" if fields[1] == socket.gethostname() else f" on {fields[1]}"
    return f"process {fields[0]}{place}"


def _release_in_child(reference: weakref.ref[RunFolder]) -> None:
    """Closes the lock in a forked child: if the child outlived the run, it would keep the folder busy."""
    folder = reference()
    if folder is not None:
        folder._made.clear()
        folder.close()
