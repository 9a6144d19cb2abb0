"""What a search keeps from one program to the next, so that a mutant only costs what is new in it.

Everything is kept under what it depends on. A verdict found in a memo is therefore the one that a proof from scratch
would give, whatever was proved before.
"""

from __future__ import annotations

from hl_dsl.verify.plan import Pair
from hl_dsl.verify.pool import Pool


class Memo:
    """Ranges of groups of memory cells, verdicts of goals, intervals of expressions."""

    def __init__(self):
        self.pool = Pool()
        self.ranges: dict[tuple, tuple[Pair, ...]] = {}
        self.verdicts: dict[tuple, str] = {}

    def begin(self) -> None:
        """Called once for each program. A memo that has grown too large starts afresh."""
        if self.pool.is_full():
            self.__init__()
