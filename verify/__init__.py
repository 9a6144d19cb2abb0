"""The verifier: proves a program's obligations and invariants.

`prove` tries every method; `screen` only intervals, for searches that check hundreds of programs a second.
"""

from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import GoalResult, Proof
from hl_dsl.verify.screening import screen
from hl_dsl.verify.smt.answer_cache import SolverAnswerCache

__all__ = ["GoalResult", "Proof", "ProofLimits", "SearchCache", "SolverAnswerCache", "prove", "screen"]
