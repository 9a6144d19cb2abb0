"""What a search keeps from one program to the next, so that a mutant only costs what is new in it.

Everything is kept under what it depends on. A verdict found in a memo is therefore the one that a proof from scratch
would give, whatever was proved before.
"""

from __future__ import annotations

import weakref

from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.smt.answer_cache import SolverAnswerCache
from hl_dsl.verify.smt.solver import Solver, solver_path

_MOST_ANSWERS = 50_000


class SearchCache:
    """Ranges of groups of memory cells, verdicts of goals, intervals of expressions, answers of the solver, and its process,
    which ends with the memo.

    queries  how many questions z3 was asked for proofs with this memo
    """

    _solver: Solver | None = None

    def __init__(self):
        self.expressions = ExpressionTable()
        self.ranges: dict[tuple, tuple[Interval, ...]] = {}
        self.verdicts: dict[tuple, ProofStatus] = {}
        self.answers: dict[bytes, str] = {}
        self.queries = 0

    def begin(self) -> None:
        """Called once for each program. A memo that has grown too large starts afresh."""
        queries = self.queries
        if self.expressions.is_full() or len(self.answers) > _MOST_ANSWERS:
            self.__init__()
        self.queries = queries

    def solver(self, hang_seconds: float, cache: SolverAnswerCache | None) -> Solver:
        """The solver to ask, the same process as before unless that failed."""
        known = self._solver
        if known is None or known.failed or known.path != solver_path():
            if known is not None:
                known.close()
            known = self._solver = Solver(hang_seconds)
            weakref.finalize(self, known.close)
        known.hang_seconds, known.answers = hang_seconds, CachedSearch(self, cache)
        return known

    @property
    def solver_pid(self) -> int | None:
        """The solver's process, while it runs."""
        return None if self._solver is None else self._solver.pid

    def close(self) -> None:
        """Ends the solver's process; it is started again when it is needed."""
        if self._solver is not None:
            self._solver.close()


class CachedSearch:
    """Answers of the solver, looked up in a memo first and in a cache after it."""

    def __init__(self, search_cache: SearchCache, cache: SolverAnswerCache | None):
        self.answers, self.cache = search_cache.answers, cache

    def get(self, key: bytes) -> str | None:
        answer = self.answers.get(key)
        if answer is None and self.cache is not None:
            answer = self.cache.get(key)
            if answer is not None:
                self.answers[key] = answer
        return answer

    def put(self, key: bytes, answer: str) -> None:
        self.answers[key] = answer
        if self.cache is not None:
            self.cache.put(key, answer)
