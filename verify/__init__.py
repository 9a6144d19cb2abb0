"""The verifier: what is claimed of a program before it plays, and how the claim is made true.

`prove` runs every tier; `screen` only the intervals, for a search that asks two hundred times a second.
"""

from hl_dsl.verify.cache import Cache
from hl_dsl.verify.limits import Limits
from hl_dsl.verify.memo import Memo
from hl_dsl.verify.pipeline import prove
from hl_dsl.verify.report import Proof, Result
from hl_dsl.verify.screening import screen

__all__ = ["Cache", "Limits", "Memo", "Proof", "Result", "prove", "screen"]
