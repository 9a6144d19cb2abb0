"""Sources of choices for generators: Hypothesis, which shrinks examples, or random numbers, which are faster.

A generator takes numbers below a count from a `Choices` and does not depend on its kind.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from hypothesis import strategies as st


class Choices:
    """Everything rests on `below`. Smaller numbers stand for simpler things."""

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1."""
        raise NotImplementedError

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence):
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        """True in about `percent` of 100 draws; shrinks to False."""
        return self.below(100) >= 100 - percent

    def shuffled(self, items: Sequence) -> list:
        """Fisher and Yates; the order given where only zeros are chosen."""
        order = list(items)
        for position in range(len(order) - 1):
            other = position + self.below(len(order) - position)
            order[position], order[other] = order[other], order[position]
        return order

    def real(self, low: float, high: float) -> float:
        """A float of the range."""
        raise NotImplementedError

    def any_float(self) -> float:
        """Any float at all: NaN, infinite and subnormal ones too."""
        raise NotImplementedError


class Drawn(Choices):
    """Choices of a Hypothesis test, by its `draw`."""

    def __init__(self, draw: Callable):
        self._draw = draw

    def below(self, count: int) -> int:
        return self._draw(st.integers(0, count - 1))

    def shuffled(self, items: Sequence) -> list:
        return self._draw(st.permutations(items))

    def real(self, low: float, high: float) -> float:
        return self._draw(st.floats(low, high, allow_subnormal=False))

    def any_float(self) -> float:
        return self._draw(st.floats())


class Rolled(Choices):
    """Choices of a random generator.

    `taken` are the numbers chosen. Given as `again`, they generate the same object; with some numbers removed or
    reduced, a simpler one. Past the end of `again` every choice is 0.
    """

    def __init__(self, generator: random.Random | None = None, again: Iterable[int] = ()):
        self._random = generator.random if generator is not None else None
        self._again = iter(again)
        self.taken: list[int] = []

    def below(self, count: int) -> int:
        if self._random is None:
            number = next(self._again, 0)
            number = number if number < count else number % count
        else:
            number = int(self._random() * count)
        self.taken.append(number)
        return number

    def real(self, low: float, high: float) -> float:
        number = low + (high - low) * (self.below(2**53) / 2**53)
        return min(max(number, low), high)

    def any_float(self) -> float:
        return struct.unpack("<d", struct.pack("<Q", self.below(2**32) << 32 | self.below(2**32)))[0]


def reduced(
    taken: Sequence[int], fails: Callable[[Sequence[int]], list[int] | None], attempts: int = 3000
) -> list[int]:
    """A shorter or smaller list of choices that still fails.

    `fails` returns the choices that were taken if the list fails, else None. Whole stretches are removed first, then
    numbers are reduced, until no change helps or the attempts are spent.
    """
    best = list(taken)
    left = attempts
    improved = True
    while improved and left > 0:
        improved = False
        for trial in islice(_simpler(lambda: best), left):  # noqa: B023 (the list of this moment is meant)
            left -= 1
            found = fails(trial)
            if found is not None and _simplicity(found) < _simplicity(best):
                best, improved = found, True
    return best


def _simplicity(taken: Sequence[int]) -> tuple:
    return len(taken), sum(number.bit_length() for number in taken), list(taken)


def _simpler(current: Callable[[], list[int]]) -> Iterable[list[int]]:
    """Lists simpler than the current one, which changes while they are tried."""
    size = max(1, len(current()) // 2)
    while size:
        start = 0
        while start < len(current()):
            before = current()
            yield before[:start] + before[start + size :]
            if current() is before:
                start += size
        size //= 2
    for position in range(len(current())):
        number = current()[position] if position < len(current()) else 0
        for smaller in sorted({0, 1, number // 2, number - 1}):
            if 0 <= smaller < number and position < len(current()) and current()[position] == number:
                yield [*current()[:position], smaller, *current()[position + 1 :]]
