"""Atomic writing of files, and messages for storage errors of the operating system."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from hl_dsl.base.errors import HLError

_PROBLEMS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", "free some space, then try again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or raise the quota, then try again"),
    errno.EFBIG: (
        "the file would be larger than the system allows",
        "raise the limit (`ulimit -f`) or start a new run folder",
    ),
    errno.EROFS: ("the file system is read-only", "choose a folder on a disk that can be written"),
    errno.EACCES: ("permission denied", "make it writable for you (`chmod u+rwx`), or choose another folder"),
    errno.EPERM: (
        "the system does not permit it",
        "make it writable for you (`chmod u+rwx`), or choose another folder",
    ),
    errno.ENOENT: ("the folder does not exist", "create the folder first, or check the spelling of the path"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose a path whose parents are all folders"),
    errno.EISDIR: ("it is a folder, not a file", "move the folder away, or choose another path"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter path"),
    errno.ELOOP: ("its links lead in a circle", "replace the links by the real path"),
    errno.EIO: ("the disk reports a fault", "check the disk; what was written before is kept"),
    errno.ESTALE: ("the network folder went away", "mount it again, then try again"),
    errno.EMFILE: ("too many files are open", "raise the limit (`ulimit -n`) or run fewer processes"),
    errno.ENOLCK: ("the file system cannot lock files", "choose a folder on a local disk"),
    errno.ENOTSUP: ("the file system cannot lock files", "choose a folder on a local disk"),
}


class FileUnwritable(HLError):
    """A file could not be written. The previous file is unchanged."""


def storage_problem(error: OSError) -> tuple[str, str]:
    """Returns the meaning of an operating-system error, and a hint on how to fix it."""
    if error.errno == errno.ENOENT and error.filename and Path(os.fsdecode(error.filename)).absolute().parent.is_dir():
        return "the folder does not accept new files", "choose another folder"
    known = _PROBLEMS.get(error.errno or 0)
    return known or (error.strerror or str(error), "check the path and the disk, then try again")


def write_fully(descriptor: int, data: bytes) -> None:
    """Writes all of `data`. The system may accept it in parts. Raises OSError, for example if the disk is full."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Syncs a folder, so that a new file in it survives a power failure.

    Has no effect if the file system cannot do it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def try_folder(folder: Path) -> None:
    """Checks that `folder` accepts new files, by a temporary one. Raises OSError."""
    trial = folder / f".{os.getpid()}-{secrets.token_hex(4)}.tmp"
    os.close(os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    os.unlink(trial)


def write_whole(path: Path | str, content: str | bytes) -> Path:
    """Writes `content` to `path` atomically, by a synced temporary file and a rename, and returns the path.

    Raises:
        FileUnwritable: The file could not be written. The old file is unchanged and the temporary one is removed.
    """
    path = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            try:
                write_fully(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, path)
        except BaseException:
            # Also on Ctrl-C: an interrupt leaves no temporary file.
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        problem, hint = storage_problem(error)
        raise FileUnwritable(f"cannot write {path}: {problem}", hint) from error
    sync_folder(path.parent)
    return path


def remove_leftovers(folder: Path) -> None:
    """Removes temporary files of a killed writer. The caller must hold the lock of the folder."""
    for leftover in folder.glob(".*.tmp"):
        with suppress(OSError):
            leftover.unlink()
