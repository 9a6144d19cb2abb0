"""Regular expressions without lookaround: all names except some, all numbers below a bound."""

from __future__ import annotations

from collections.abc import Iterable

FIRST = "abcdefghijklmnopqrstuvwxyz_"
MORE = FIRST + "0123456789"
LONGEST_NAME = 40


def names_but(words: Iterable[str]) -> str:
    """The expression, without slashes, for names of small letters, digits and `_` except `words`.

    It spells the words letter by letter, and leaves each at every place where a name can go another way.
    """
    return _spelled(sorted({word for word in words if set(word) <= set(MORE)}), FIRST)


def _spelled(words: list[str], letters: str) -> str:
    """What may follow a beginning that all `words` have had taken off."""
    next_letters = sorted({word[0] for word in words if word})
    ways = [f"{_one_of(sorted(set(letters) - set(next_letters)))}{_ANY}"]
    for letter in next_letters:
        rest = [word[1:] for word in words if word[:1] == letter]
        after = _spelled(rest, MORE)
        ways.append(f"{letter}({after})" if "" in rest else f"{letter}({after})?")
    return "|".join(ways)


def _one_of(letters: list[str]) -> str:
    runs: list[list[str]] = []
    for letter in letters:
        if runs and ord(letter) == ord(runs[-1][-1]) + 1:
            runs[-1].append(letter)
        else:
            runs.append([letter])
    return "[" + "".join("".join(run) if len(run) < 3 else f"{run[0]}-{run[-1]}" for run in runs) + "]"


_ANY = f"[a-z0-9_]{{0,{LONGEST_NAME}}}"


def numbers_below(end: int) -> str:
    """The whole numbers 0 to `end - 1` without leading zeros: the expression, without slashes."""
    last = str(end - 1)
    ways = []
    for length in range(1, len(last)):
        ways.append("[0-9]" if length == 1 else "[1-9]" + "[0-9]" * (length - 1))
    for position, digit in enumerate(last):
        lowest = 1 if position == 0 and len(last) > 1 else 0
        below = int(digit) - (position + 1 < len(last))  # the last digit itself may be reached
        if below >= lowest:
            ways.append(last[:position] + _digits(lowest, below) + "[0-9]" * (len(last) - position - 1))
    return "|".join(ways)


def _digits(low: int, high: int) -> str:
    return str(low) if low == high else f"[{low}-{high}]"
