"""Messages between two processes over a socket, framed so that neither process waits for the rest of one."""

from __future__ import annotations

import io
import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

from hl_dsl.operators import OPERATORS, Form

_LENGTH = struct.Struct("<q")  # a message is preceded by its length in bytes
_READ_BYTES = 1 << 20  # largest read from the socket


class _Pickler(pickle.Pickler):
    """Pickles the forms of operators, which hold lambdas, as their positions in the operator table."""

    def __init__(self, file: io.BytesIO):
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._positions: dict[int, tuple[str, int]] | None = None

    def persistent_id(self, obj: Any) -> tuple[str, int] | None:
        if type(obj) is not Form:
            return None
        if self._positions is None:
            self._positions = {
                id(form): (row.name, position) for row in OPERATORS.values() for position, form in enumerate(row.forms)
            }
        return self._positions.get(id(obj))


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: tuple[str, int]) -> Form:
        name, position = pid
        return OPERATORS[name].forms[position]


def pack(message: Any) -> bytes:
    """The bytes of a message on the socket."""
    file = io.BytesIO()
    _Pickler(file).dump(message)
    body = file.getvalue()
    return _LENGTH.pack(len(body)) + body


class Inbox:
    """Reads messages from a socket."""

    def __init__(self, source: socket.socket):
        self._source = source
        self._buffer = bytearray()

    def receive(self) -> bool:
        """Reads what has arrived; a blocking socket waits for it. False at the end of the stream."""
        try:
            piece = self._source.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        self._buffer += piece
        return bool(piece)

    def messages(self) -> Iterator[Any]:
        """Takes out the messages that have arrived completely."""
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield _Unpickler(io.BytesIO(body)).load()
