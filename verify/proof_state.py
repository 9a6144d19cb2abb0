"""State of a proof: its goals, the verdicts so far, and the goals that are deferred."""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal, list_goals
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.results.report import Verdict
from hl_dsl.verify.simulation.replay import SimulatedRun, shorten_run, trace_run
from hl_dsl.verify.simulation.trace import describe_trigger_tick

_LONG_TICKS = 60  # a run that is longer is shortened by the NumPy form


class ProofState:
    """Shared state of the stages of a proof.

    Attributes:
        flow: The program.
        limits: Limits of the proof.
        search_cache: Results of earlier proofs.
        stage: The interval stage, with the ranges of the memory.
        index: Index of the program.
        goals: All goals.
        verdicts: Verdicts so far, by goal id. A `reachable` goal has the verdict on its negation.
        deferred: Obligations that hold if the memory keeps its ranges, with the goals that state these ranges, by goal
            id.
        unmet_antecedents: Why the intervals show that a goal is vacuous, by goal id. Each is proved too.
        depends_on: Nodes that a proof by induction depends on, by goal id.
    """

    def __init__(self, flow: Dataflow, limits: ProofLimits, search_cache: SearchCache):
        self.flow, self.limits, self.search_cache = flow, limits, search_cache
        self.stage = IntervalStage(flow, search_cache)
        self.index = self.stage.index
        self.goals = list_goals(flow)
        self.verdicts: dict[str, Verdict] = {}
        self.deferred: dict[str, tuple[Goal, list[Goal]]] = {}
        self.unmet_antecedents: dict[str, str] = {}
        self.depends_on: dict[str, tuple[int, ...]] = {}

    def open_goals(self) -> list[Goal]:
        """Returns the goals that have no verdict and are not deferred."""
        return [goal for goal in self.goals if goal.id not in self.verdicts and goal.id not in self.deferred]

    def record_violation(self, goal: Goal, run: SimulatedRun, method: str, seconds: float) -> None:
        """Records the verdict on a goal that a replayed run violates, with a shorter run if there is one."""
        if len(run.rows) > _LONG_TICKS:
            from hl_dsl.verify.simulation.shrinking import shorten_run_in_lanes  # loads NumPy

            run = shorten_run_in_lanes(self.flow, goal, run)
        else:
            run = shorten_run(self.flow, goal, run)
        trace = trace_run(self.flow, run)
        status = ProofStatus.VIOLATED if goal.declaration is not None else ProofStatus.ILL_DEFINED
        detail = f"violated at tick {len(trace) - 1}, counting from 0{describe_trigger_tick(trace, goal.name)}"
        self.verdicts[goal.id] = Verdict(status, method, detail, trace, seconds)
