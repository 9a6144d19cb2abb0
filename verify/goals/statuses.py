"""Statuses of goals, and the claim that each status makes."""

from __future__ import annotations

from enum import StrEnum

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal


class ProofStatus(StrEnum):
    """Status of a goal. The value is the word in reports and JSON documents.

    `describe_claim` gives the meaning of each. `OPEN` is internal: a stage did not decide the goal, a later one may.
    """

    PROVED = "proved"
    PROVED_REALS = "proved (reals)"
    VIOLATED = "violated"
    NOT_INDUCTIVE = "not inductive"
    UNCONFIRMED = "unconfirmed"
    UNKNOWN = "unknown"
    VACUOUS = "vacuous"
    ILL_DEFINED = "ill-defined"
    OPEN = "open"

    @classmethod
    def _missing_(cls, value: object) -> ProofStatus | None:
        """Reads documents of earlier versions, in which `UNCONFIRMED` was written as `candidate`."""
        return cls.UNCONFIRMED if value == "candidate" else None


# The statuses of a finished proof, in the order of a summary.
FINAL_STATUSES = tuple(status for status in ProofStatus if status is not ProofStatus.OPEN)
# Statuses with evidence against the goal.
REFUTED = frozenset((ProofStatus.VIOLATED, ProofStatus.NOT_INDUCTIVE, ProofStatus.VACUOUS, ProofStatus.ILL_DEFINED))


def describe_claim(flow: Dataflow, goal: Goal, status: ProofStatus) -> str:
    """Returns the full claim that a status makes about a goal."""
    claims = _REACHABLE if goal.kind == "reachable" else _CLAIMS
    return claims[status].format(
        says=goal.says, assumptions=describe_assumptions(flow), kept=_kept(flow), name=goal.name
    )


def describe_whole_claim(flow: Dataflow) -> str:
    """Returns the claim about a program all of whose goals are proved."""
    names = [f"`{item.name}`" for item in flow.of_kind("invariant")]
    invariants = f"{_listed(names)} {'hold' if len(names) > 1 else 'holds'} and " if names else ""
    return _CLAIMS[ProofStatus.PROVED].format(
        says=f"{invariants}everything is well defined", assumptions=describe_assumptions(flow)
    )


def describe_assumptions(flow: Dataflow) -> str:
    """Returns a phrase that names the program's `assume` facts."""
    names = [f"`{item.name}`" for item in flow.of_kind("assume")]
    return f"the `assume` facts {_listed(names)}" if names else "no `assume` facts"


def _kept(flow: Dataflow) -> str:
    return f"keep {describe_assumptions(flow)}" if flow.of_kind("assume") else "there are no `assume` facts to keep"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_EVERYWHERE = (
    "From every declared initial state, for every parameter, residual and finite input within its declared range, "
    "at every tick, {says} "
)
_LIMITS = "It does not cover the score or the environment."
_REPLAYED = (
    "The trace below violates it from the start of an episode; replayed by the reference interpreter. "
    "The inputs are within their declared ranges and {kept}."
)
_CLAIMS = {
    ProofStatus.PROVED: _EVERYWHERE
    + "of the compiled program under IEEE-754 binary64 rounding to nearest, ties to even. Assumes {assumptions}, "
    "sin, cos, tanh, exp and atan2 within 4 ulp and their own ranges, no fused or reassociated arithmetic, and the "
    "tools correct. " + _LIMITS,
    ProofStatus.PROVED_REALS: _EVERYWHERE
    + "over the real numbers. This does not prove the program that runs, which rounds. Assumes {assumptions}. "
    + _LIMITS,
    ProofStatus.VIOLATED: "False: {says}. " + _REPLAYED,
    ProofStatus.NOT_INDUCTIVE: "The state below violates: {says}. It is not known whether a run reaches this state: no "
    "trace to the depth tried does.",
    ProofStatus.UNCONFIRMED: "The solver gave a trace that violates: {says}. The reference interpreter did not confirm "
    "it. Nothing is claimed.",
    ProofStatus.UNKNOWN: "Not known whether {says}: a limit was reached.",
    ProofStatus.VACUOUS: "Without meaning here: {says}. A condition that it depends on never holds. "
    "Assumes {assumptions}.",
    ProofStatus.ILL_DEFINED: "The program is not well defined. False: {says}. " + _REPLAYED,
}
_REACHABLE = {
    ProofStatus.PROVED: "`{name}` can hold: the trace below reaches it at its last tick from the start of an episode; "
    "replayed by the reference interpreter. The inputs are within their declared ranges and {kept}. The environment "
    "may never show these inputs.",
    ProofStatus.VACUOUS: "`{name}` can never hold. "
    + _CLAIMS[ProofStatus.PROVED].replace("at every tick, {says} ", "it holds at no tick "),
    ProofStatus.UNKNOWN: "Not known whether `{name}` can hold: a limit was reached. It does not count as reachable.",
}
