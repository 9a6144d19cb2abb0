"""Ctrl-C while there is something to lose: it waits for a moment at which nothing is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """`asked`: an interrupt waits. `delivered`: an interrupt was let through."""

    def __init__(self) -> None:
        self.asked = False
        self.delivered = False
        self._holding = False
        self._number = 0
        self._before: dict[int, Callable] = {}

    def here(self) -> None:
        """A good moment: an interrupt that waits is let through, as a KeyboardInterrupt."""
        if self.asked:
            self.asked, self.delivered = False, True
            self._before[self._number](self._number, None)

    def hold(self) -> None:
        """From here on not even a second interrupt is let through before the end of the block."""
        self._holding = True

    def at_ticks(self, *watching: Callable | None) -> Callable:
        """An `on_tick` (see rollout.py) that lets an interrupt through before it calls others: at the beginning of a tick all
        that was played is in the rollout's record."""
        called = [on_tick for on_tick in watching if on_tick is not None]

        def tick(environments, frame, actions) -> None:
            if self.asked:
                self.here()
            for on_tick in called:
                on_tick(environments, frame, actions)

        return tick

    def _take(self, number: int, frame: object) -> None:
        again, self.asked, self._number = self.asked, True, number
        if again and not self._holding:
            self.here()


@contextmanager
def stopping() -> Iterator[Stopping]:
    """A block in which a first Ctrl-C waits for `here()`, or for the end of the block; a second one does not wait.

    Outside the main thread, where no signal arrives, it changes nothing.
    """
    state = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return
    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler):  # neither ignored nor left to the system
            state._before[number] = handler
    try:
        for number in state._before:
            signal.signal(number, state._take)
        yield state
    finally:
        for number, handler in state._before.items():
            signal.signal(number, handler)
    state.here()
