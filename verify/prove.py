"""The proof of a program: tier after tier, each on what the ones before left open."""

from __future__ import annotations

from hl_dsl.compiler.ir import Dataflow
from hl_dsl.verify.limits import Limits
from hl_dsl.verify.report import Proof
from hl_dsl.verify.screen import screen


def prove(flow: Dataflow, limits: Limits = Limits()) -> Proof:
    return screen(flow)
