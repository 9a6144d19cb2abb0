"""Numbers with their nouns, as people read them."""

from __future__ import annotations


def counted(number: int, one: str, more: str | None = None) -> str:
    """`1 step`, `1,200 steps`; `more` is the plural where an `s` does not make it."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"
