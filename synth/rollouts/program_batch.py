"""Batch of programs: a controller whose lanes belong to several programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hl_dsl.compiler.backends.episode_counts import EpisodeCounts, PlanningCounts
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.compiler.controller import Controller
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.planner.controller import controller_for
from hl_dsl.compiler.policy import Policy


@dataclass(frozen=True)
class Member:
    """A program in `lanes` adjacent lanes. Each of its parameters is a number, or one for each of its lanes."""

    flow: Dataflow
    lanes: int
    parameters: Mapping[str, Any]


class ProgramBatch(Controller):
    """The members in adjacent lanes, in their order."""

    def __init__(self, members: Sequence[Member]):
        self.members = tuple(members)
        self._policies = [controller_for(member.flow, dict(member.parameters)) for member in self.members]
        self._planning = [policy for policy in self._policies if policy.flow.plan is not None]
        if self._planning:
            self.report_every, self.options = self._planning[0].report_every, self._planning[0].options
        self._starts = np.cumsum([0] + [member.lanes for member in self.members])
        self._divided: np.ndarray | None = None  # the lanes for which the parts were made
        self._parts: list[tuple[Policy, slice, np.ndarray]] = []

    @property
    def num_lanes(self) -> int:
        """Lanes of all members."""
        return int(self._starts[-1])

    def prepare(self, seeds: Sequence[int], num_threads: int) -> None:
        """Announces the episodes of the next `reset` to each member."""
        for policy, first, end in zip(self._policies, self._starts[:-1], self._starts[1:], strict=True):
            policy.prepare(seeds[first:end], num_threads)

    def reset(self, num_lanes: int) -> None:
        """Starts an episode in every lane. Raises ValueError if the members have another number of lanes."""
        if num_lanes != self.num_lanes:
            raise ValueError(f"the batch has {self.num_lanes} lanes, not {num_lanes}")
        for member, policy in zip(self.members, self._policies, strict=True):
            policy.reset(member.lanes)
        self._divided = None

    def tick(self, frame: Frame) -> np.ndarray:
        """The actions of the lanes in the frame."""
        if frame.lanes is not self._divided:
            self._divide(frame.lanes)
        if len(self._parts) == 1:
            policy, _, lanes = self._parts[0]
            part = _part(frame, slice(None), lanes)
            actions = policy.tick(part)
            frame.plan = part.plan
            return actions
        parts = [_part(frame, rows, lanes) for _, rows, lanes in self._parts]
        actions = np.concatenate([policy.tick(part) for (policy, _, _), part in zip(self._parts, parts, strict=True)])
        if self._planning:
            frame.plan = _side_by_side(
                [np.zeros((len(part.lanes), 0)) if part.plan is None else part.plan for part in parts]
            )
        return actions

    def _divide(self, lanes: np.ndarray) -> None:
        ends = np.searchsorted(lanes, self._starts)
        self._parts = []
        for number, policy in enumerate(self._policies):
            rows = slice(int(ends[number]), int(ends[number + 1]))
            if rows.start < rows.stop:
                self._parts.append(
                    (policy, rows, np.ascontiguousarray(lanes[rows] - np.int32(self._starts[number]), np.int32))
                )
        self._divided = lanes

    def counts(self) -> list[EpisodeCounts]:
        """The members' counts, one for each lane. If a member plans, the planning counts of the others are 0."""
        rows = [row for policy in self._policies for row in policy.counts()]
        if self._planning:
            rows = [replace(row, planning=row.planning or PlanningCounts()) for row in rows]
        return rows


def _part(frame: Frame, rows: slice, lanes: np.ndarray) -> Frame:
    return Frame(lanes, frame.sources(rows), frame.done, frame.truncated, frame.ended)


def _side_by_side(tables: list[np.ndarray]) -> np.ndarray:
    width = max(table.shape[1] for table in tables)
    return np.vstack([np.pad(table, ((0, 0), (0, width - table.shape[1]))) for table in tables])
