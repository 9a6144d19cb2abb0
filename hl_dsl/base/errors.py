"""The base class of every error that HL reports to its user."""

from __future__ import annotations


class HLError(Exception):
    """An error meant for the person using HL: what is wrong and, in `hint`, how to mend it. `code` has a page, where
    there is one."""

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None, code: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
