"""Defects of the verifier, and the proof of a program by a verifier with a defect."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from hl_dsl.operators import OPERATORS, replaced
from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.intervals import fixpoint
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods import k_induction
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.k_induction import Induction
from hl_dsl.verify.smt import encode
from hl_dsl.verify.smt.solver import UNSAT, Solver

BREAKOUT = 'policy p for "Breakout-v5" {{ observe ram, reward act NOOP {} }}'
CARTPOLE = 'policy p for "CartPole-v1" {{ observe cart.position, cart.velocity act LEFT {} }}'


def proved(text: str) -> bool:
    """Returns True if intervals and induction, without a search for violations, prove all goals of a program.

    If the program has an invariant `asked`, only that one counts. A program named `intervals` must be proved by
    intervals alone; for a program named `fine`, induction uses the tighter bounds of rounding errors.
    """
    stage = IntervalStage(Program.parse(text).flow)
    left = [
        goal
        for goal in list_goals(stage.flow)
        if (stage.invariant(goal.stated.node) if goal.obligation is None else stage.obligation(goal.obligation))
        != "proved"
    ]
    if "policy intervals" in text:
        return not left
    with Solver(60) as solver:
        rounding = encode.RELATIVE_ERROR if "policy fine" in text else encode.ROUNDED
        attempts = k_induction.Induction(
            stage.index, stage.ranges, ProofLimits(solver_steps=200_000), solver, rounding
        ).prove(left, (0, 1, 2))
    if "invariant:asked" in attempts:
        return attempts["invariant:asked"].proved
    return all(attempt.proved for attempt in attempts.values())


def row(name: str, **changes):
    """Changes the forms of an operator's row."""
    original = OPERATORS[name]
    return replaced(replace(original, forms=tuple(replace(form, **changes) for form in original.forms)))


@contextmanager
def attribute(place, name: str, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, value)
        yield


def one_round(index, group, ranges, expressions, numbers):
    for cell in group.cells:
        start = index.flow.memories[cell].start
        ranges[cell] = (start, start)
    ranges_after = fixpoint._GroupTick(index, group, expressions, numbers).stored(ranges)
    for cell, pair in ranges_after.items():
        ranges[cell] = fixpoint._join(ranges[cell], pair)


class WithoutBase(Induction):
    def _query(self, goal, hypotheses, evaluator, depth, start):
        return (UNSAT, ()) if start == encode.START else super()._query(goal, hypotheses, evaluator, depth, start)


class WithoutInitialCheck(Induction):
    def _holds_initially(self, goal):
        return True


class WithoutDropping(Induction):
    def prove(self, list_goals, depths):
        """Uses all goals as hypotheses and drops none that fails."""
        found = super().prove(list_goals, depths)
        return {**found, **{goal.id: self._attempt(goal, list_goals, self._all(list_goals)) for goal in list_goals}}

    def _all(self, list_goals):
        return Evaluator(self.index, self.assuming_ranges(list_goals))


class AssumingGoals(Induction):
    """Adds the goals to the assumptions of the tick at which they must be proved."""

    def _query(self, goal, hypotheses, evaluator, depth, start):
        held = self.index.assumes
        self.index.__dict__["assumes"] = [
            *held,
            *(other.stated.node for other in hypotheses if other.declaration is not None),
        ]
        try:
            return super()._query(goal, hypotheses, evaluator, depth, start)
        finally:
            self.index.__dict__["assumes"] = held


def row_with(name: str, **changes):
    """Changes an operator's row."""
    return replaced(replace(OPERATORS[name], **changes))
