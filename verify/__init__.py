"""The verifier: proof of a program's obligations and properties for every input, parameter and state in range.

`prove` runs every stage; `screen` only the intervals, for a search that proves two hundred programs a second.
"""

from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import GoalResult, Proof
from hl_dsl.verify.screening import screen
from hl_dsl.verify.smt.answer_cache import SolverAnswerCache

__all__ = ["GoalResult", "Proof", "ProofLimits", "SearchCache", "SolverAnswerCache", "prove", "screen"]
