"""Base class of all errors that HL reports to its user."""

from __future__ import annotations

from typing import Any


class HLError(Exception):
    """An error meant for the person who uses HL.

    Attributes:
        message: What is wrong.
        hint: What to do about it, as an imperative sentence.
        code: Code of the error's page in `hl explain`, such as `HL610`.
        details: Further fields of the error's JSON document.
        exit_code: Exit code of a command that ends with this error.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None, code: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.details: dict[str, Any] = {}
