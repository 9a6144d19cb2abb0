"""A sample: one set of values, and what its episodes came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hl_dsl.synth.rollouts.rollout import Rollout
from hl_dsl.synth.runs.trial import Trial

Key = tuple


@dataclass
class Sample:
    """`number` counts the samples of a run. `cap` ends its episodes early. `known` is its trial on record, `parts` are the
    rollouts that were played now. `dropped`: it was left behind before all its seeds were played. `gate` and `reason` are
    the verdict, None until there is one; `told` is what the strategy is told of it. Only what is `eligible` may be accepted."""

    number: int
    values: dict[str, float]
    cap: int | None = None
    known: Trial | None = None
    parts: list[Rollout] = field(default_factory=list)
    dropped: bool = False
    gate: str | None = None
    reason: str = ""
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    case_steps: int = 0
    score: float | None = None
    told: float | None = None
    eligible: bool = True

    @property
    def returns(self) -> dict[int, float]:
        """By seed, of the episodes that came to their end."""
        found = {} if self.known is None else dict(zip(self.known.seeds, self.known.returns))
        for part in self.parts:
            found.update((seed, value) for seed, value, done in zip(part.seeds, part.returns, part.finished) if done)
        return found

    @property
    def fresh(self) -> bool:
        """Whether something was played now."""
        return bool(self.parts)


def joined(parts: Sequence[Rollout]) -> Rollout:
    """The rollouts of one sample as one."""
    first = parts[0]
    if len(parts) == 1:
        return first

    def all_of(name: str) -> tuple:
        return tuple(row for part in parts for row in getattr(part, name))

    rows = (
        "seeds",
        "returns",
        "lengths",
        "finished",
        "truncated",
        "digests",
        "out_of_range",
        "assumption_violations",
        "monitor_violations",
        "planning",
    )
    sums = ("env_steps", "cpu_seconds", "wall_seconds", "seeds_wanted")
    whole = replace(
        first,
        **{name: all_of(name) for name in rows},
        **{name: sum(getattr(part, name) for part in parts) for name in sums},
        interrupted=any(part.interrupted for part in parts),
    )
    return replace(
        whole, distinct_trajectories=len({digest for digest, done in zip(whole.digests, whole.finished) if done})
    )


def lanes(rollout: Rollout, first: int, last: int, parts: int) -> Rollout:
    """The rollout of some lanes by itself, with its share of the time."""
    rows = slice(first, last)
    digests = [digest for digest, done in zip(rollout.digests[rows], rollout.finished[rows]) if done]
    steps = sum(rollout.lengths[rows])
    share = steps / max(1, rollout.env_steps) if rollout.env_steps else 1 / parts
    return replace(
        rollout,
        seeds=rollout.seeds[rows],
        returns=rollout.returns[rows],
        lengths=rollout.lengths[rows],
        finished=rollout.finished[rows],
        truncated=rollout.truncated[rows],
        digests=rollout.digests[rows],
        distinct_trajectories=len(set(digests)),
        env_steps=steps,
        cpu_seconds=rollout.cpu_seconds * share,
        wall_seconds=rollout.wall_seconds * share,
        out_of_range=rollout.out_of_range[rows],
        assumption_violations=rollout.assumption_violations[rows],
        monitor_violations=rollout.monitor_violations[rows],
        seeds_wanted=last - first,
        planning=rollout.planning[rows],
    )
