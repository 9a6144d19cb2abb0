"""Objects between two processes over a socket, so that neither ever waits for the other half of one."""

from __future__ import annotations

import io
import pickle
import socket
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from hl_dsl.operators import OPERATORS, Form

_LENGTH = struct.Struct("<q")
_PIECE = 1 << 20


class _Pickler(pickle.Pickler):
    """The forms of operators hold functions without a name; they travel as their places in the table."""

    def __init__(self, file: io.BytesIO):
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)

    def persistent_id(self, obj: Any):
        return _places(len(OPERATORS)).get(id(obj)) if type(obj) is Form else None


@lru_cache(maxsize=1)
def _places(operators: int) -> dict[int, tuple[str, int]]:
    """Where each form stands, by its identity; of a table that grows, by its length, a new one."""
    return {id(form): (row.name, place) for row in OPERATORS.values() for place, form in enumerate(row.forms)}


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: tuple[str, int]) -> Form:
        name, place = pid
        return OPERATORS[name].forms[place]


def packed(message: Any) -> bytes:
    """A message as it goes over the socket: its length, then itself."""
    file = io.BytesIO()
    _Pickler(file).dump(message)
    body = file.getvalue()
    return _LENGTH.pack(len(body)) + body


class Inbox:
    """Puts together what arrives in pieces."""

    def __init__(self, source: socket.socket):
        self._source = source
        self._held = bytearray()

    def receive(self) -> bool:
        """Takes in what there is, and waits for it where the socket does. False at the end of the stream."""
        try:
            piece = self._source.recv(_PIECE)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        self._held += piece
        return bool(piece)

    def messages(self) -> Iterator[Any]:
        """The whole messages that have arrived."""
        while len(self._held) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._held)[0]
            if len(self._held) < end:
                return
            body = bytes(self._held[_LENGTH.size : end])
            del self._held[:end]
            yield _Unpickler(io.BytesIO(body)).load()
