"""A golden case, which speaks of the environment and not of a program."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from hl_dsl.verify.results.counterexample_files import Counterexample

from hl_dsl.base.text import counted

SCHEMA = "hl.regression/1"


@dataclass(frozen=True)
class Window:
    """Ticks `start` to `start + ticks - 1` of an episode, counted from 0."""

    start: int
    ticks: int

    @property
    def end(self) -> int:
        return self.start + self.ticks


@dataclass(frozen=True)
class EpisodeCase:
    """An episode that is played: under `protocol`, on `seed`, ended after `max_steps`, or after `no_reward_steps` without any
    reward. What is demanded of it, or of its `window` alone: that the rewards add up to `least_return`, and that `holds`,
    a property over what is observed, is true at every tick. `origin` says where the case comes from."""

    name: str
    environment: str
    protocol: str
    seed: int
    max_steps: int | None = None
    no_reward_steps: int | None = None
    window: Window | None = None
    least_return: float | None = None
    holds: str | None = None
    origin: str = ""

    kind = "played"

    @property
    def limit(self) -> int | None:
        """After how many steps there is nothing more to see."""
        ends = [end for end in (self.max_steps, None if self.window is None else self.window.end) if end is not None]
        return min(ends, default=None)

    def to_json(self) -> dict[str, Any]:
        """The document of its file."""
        window = None if self.window is None else {"start": self.window.start, "ticks": self.window.ticks}
        return {
            "schema": SCHEMA,
            "environment": self.environment,
            "protocol": self.protocol,
            "seed": self.seed,
            "max_steps": self.max_steps,
            "dry_steps": self.no_reward_steps,
            "window": window,
            "least_return": self.least_return,
            "holds": self.holds,
            "origin": self.origin,
        }

    def says(self) -> str:
        """What it demands, in a line."""
        demands = [] if self.least_return is None else [f"a return of {self.least_return:g} or more"]
        demands += [] if self.holds is None else [f"`{self.holds}`"]
        when = "" if self.window is None else f" in ticks {self.window.start} to {self.window.end - 1}"
        limits = [] if self.max_steps is None else [f"at most {counted(self.max_steps, 'step')}"]
        limits += (
            []
            if self.no_reward_steps is None
            else [f"ended after {counted(self.no_reward_steps, 'step')} without reward"]
        )
        return f"seed {self.seed} under {self.protocol}{when}: {' and '.join(demands)}" + (
            f" ({', '.join(limits)})" if limits else ""
        )


@dataclass(frozen=True)
class TraceCase:
    """A run that broke a property once, as `hl verify --save-trace` keeps it; it is replayed and takes no step."""

    name: str
    case: Counterexample

    kind = "trace"

    @property
    def environment(self) -> str:
        return self.case.environment

    def to_json(self) -> dict[str, Any]:
        """The document of its file."""
        return self.case.to_json()

    def says(self) -> str:
        """What it demands, in a line."""
        about = self.case.property
        return f"a run of {counted(len(self.case.inputs), 'tick')} does not break {about['kind']} `{about['name'] or about['text']}`"


Regression = EpisodeCase | TraceCase


def content_hash(case: Regression) -> str:
    """Names what a case demands, wherever it comes from."""
    document = {key: value for key, value in case.to_json().items() if key != "origin"}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]
