"""Text of counted nouns."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Returns text such as `1 step` or `1,200 steps`. `plural` is the plural of an irregular noun."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
