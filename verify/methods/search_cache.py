"""Cache of proof results across the programs of a search, so that a mutant costs only what is new in it.

Every entry is stored by everything that it depends on. A verdict from the cache is therefore the one that a proof
without it would give, whatever was proved before.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable

from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.smt.answer_cache import SolverAnswerCache
from hl_dsl.verify.smt.solver import Solver
from hl_dsl.verify.smt.solver_program import solver_path

_MOST_ANSWERS = 50_000


class SearchCache:
    """Results of earlier proofs, and the solver process, which ends with the cache.

    Attributes:
        expressions: Interval results.
        ranges: Ranges of dependency groups of memory cells.
        verdicts: Interval verdicts of goals.
        answers: Answers of the solver.
        queries: Number of queries that z3 answered for proofs with this cache.
    """

    def __init__(self) -> None:
        self.queries = 0
        self._solver: Solver | None = None
        self._clear()

    def _clear(self) -> None:
        self.expressions = ExpressionTable()
        self.ranges: dict[Hashable, tuple[Interval, ...]] = {}
        self.verdicts: dict[Hashable, ProofStatus] = {}
        self.answers: dict[bytes, str] = {}

    def start_program(self) -> None:
        """Must be called once for each program. Empties a cache that has grown too large."""
        if self.expressions.is_full() or len(self.answers) > _MOST_ANSWERS:
            self._clear()

    def solver(self, hang_seconds: float, answer_cache: SolverAnswerCache | None) -> Solver:
        """Returns the solver: the same process as before unless it has failed."""
        solver = self._solver
        if solver is None or solver.failed or solver.path != solver_path():
            if solver is not None:
                solver.close()
            solver = self._solver = Solver(hang_seconds)
            weakref.finalize(self, solver.close)
        solver.hang_seconds, solver.answers = hang_seconds, CachedSearch(self, answer_cache)
        return solver

    @property
    def solver_pid(self) -> int | None:
        """Identifier of the solver's process, while it runs."""
        return None if self._solver is None else self._solver.pid

    def close(self) -> None:
        """Ends the solver's process. The next query starts a new one."""
        if self._solver is not None:
            self._solver.close()


class CachedSearch:
    """Answers of the solver: those of a search first, then those of an answer cache."""

    def __init__(self, search_cache: SearchCache, answer_cache: SolverAnswerCache | None):
        self.answers, self.answer_cache = search_cache.answers, answer_cache

    def get(self, key: bytes) -> str | None:
        """Returns the answer, or None if it is not stored."""
        answer = self.answers.get(key)
        if answer is None and self.answer_cache is not None:
            answer = self.answer_cache.get(key)
            if answer is not None:
                self.answers[key] = answer
        return answer

    def put(self, key: bytes, answer: str) -> None:
        """Stores an answer in both."""
        self.answers[key] = answer
        if self.answer_cache is not None:
            self.answer_cache.put(key, answer)
