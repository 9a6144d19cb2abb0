"""The verifier: what is claimed of a program before it plays, and how the claim is made true.

`prove` runs every tier; `screen` only the intervals, for a search that asks two hundred times a second.
"""

from hl_dsl.verify.smt.answer_cache import SolverAnswerCache
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import Proof, GoalResult
from hl_dsl.verify.screening import screen

__all__ = ["Cache", "Limits", "Memo", "Proof", "Result", "prove", "screen"]
