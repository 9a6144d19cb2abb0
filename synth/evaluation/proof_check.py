"""Check of a proof against episodes: everything that is proved is monitored at each tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.backends.monitored_properties import as_monitors
from hl_dsl.compiler.planner.controller import controller_for
from hl_dsl.program import Program
from hl_dsl.synth.environments.environments import Environments

CHECKED = ("monitor", "invariant", "reachable")  # kinds of properties that a checked policy monitors


@dataclass(frozen=True)
class Disagreement:
    """A proved invariant that was violated while all assumptions held: `count` ticks, the first at `tick` of `seed`."""

    name: str
    seed: int
    tick: int
    count: int

    def __str__(self) -> str:
        times = "once" if self.count == 1 else f"{self.count:,} times"
        where = f"first at tick {self.tick} of seed {self.seed}"
        return f"proof and run disagree: `{self.name}` is proved and was broken {times}, {where}"


class ProofCheck:
    """A policy that monitors the proved properties, and their violations. `on_tick` must be called at each tick.

    A violation after a violated assumption is not a disagreement: the proof holds under the assumptions only.
    """

    def __init__(self, program: Program, parameters: Mapping[str, float] | None, planner_seed: int = 0):
        self.policy = controller_for(as_monitors(program.flow), parameters, planner_seed=planner_seed)
        self._watched = [item for item in program.flow.properties if item.kind in CHECKED]
        self._places = [place for place, item in enumerate(self._watched) if item.kind == "invariant"]
        self._environments: Any = None
        self._first: dict[int, tuple[int, int]] = {}
        self._counts = [0] * len(self._places)

    def on_tick(self, environments: Environments, frame: Frame, actions: np.ndarray | None) -> None:
        """Compares the violations with those before the tick."""
        if actions is None:
            return
        counts = self.policy.monitor_violations[:, self._places]
        if environments is not self._environments:
            self._environments, self._before = environments, np.zeros_like(counts)
        if (counts == self._before).all():
            return
        new = (counts - self._before) * ~self.policy.assumption_violations.any(axis=1, keepdims=True)
        self._before = counts
        for lane, place in np.argwhere(new).tolist():
            self._counts[place] += int(new[lane, place])
            tick = int(frame.step[frame.lanes == lane][0])
            self._first.setdefault(place, (int(environments.seeds[lane]), tick))

    @property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """The violated invariants, in the program's order."""
        return tuple(
            Disagreement(self._watched[self._places[place]].name, *self._first[place], self._counts[place])
            for place in sorted(self._first)
        )

    def counted(self, kind: str, violations: Sequence[int]) -> dict[str, int]:
        """The violations of the properties of a kind, by name; `violations` are those of this check's policy."""
        return {item.name: count for item, count in zip(self._watched, violations) if item.kind == kind}
