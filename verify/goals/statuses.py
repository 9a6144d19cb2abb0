"""The words of a result. What a status claims is said here and nowhere else."""

from __future__ import annotations

from enum import StrEnum

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.goals.goals import Goal


class ProofStatus(StrEnum):
    """Status of a goal. The value is the word in reports and JSON documents.

    `describe_claim` states what each status means. `OPEN` is internal: a stage could not decide the goal, and a later one may.
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
    """What a status says of a goal, in full."""
    words = _REACHABLE if goal.kind == "reachable" else _CLAIMS
    return words[status].format(
        says=goal.says, assumptions=describe_assumptions(flow), kept=_kept(flow), name=goal.name
    )


def describe_whole_claim(flow: Dataflow) -> str:
    """The claim of a program all of which is proved, said once."""
    names = [f"`{item.name}`" for item in flow.of_kind("invariant")]
    held = f"{_listed(names)} {'hold' if len(names) > 1 else 'holds'} and " if names else ""
    says = f"{held}everything is well defined"
    return _CLAIMS[ProofStatus.PROVED].format(says=says, assumptions=describe_assumptions(flow))


def describe_assumptions(flow: Dataflow) -> str:
    names = [f"`{item.name}`" for item in flow.of_kind("assume")]
    return f"the `assume` facts {_listed(names)}" if names else "no `assume` facts"


def _kept(flow: Dataflow) -> str:
    return f"keep {describe_assumptions(flow)}" if flow.of_kind("assume") else "there are no `assume` facts to keep"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_EVERYWHERE = "From every declared initial state, for every parameter, residual and finite input within its declared range, at every tick, {says} "
_LIMITS = "Says nothing of the score or of the environment."

_CLAIMS = {
    ProofStatus.PROVED: _EVERYWHERE
    + "of the compiled program under IEEE-754 binary64 rounding to nearest, ties to even. Assumes {assumptions}, "
    "sin, cos, tanh, exp and atan2 within 4 ulp and their own ranges, no fused or reassociated arithmetic, and the tools correct. "
    + _LIMITS,
    ProofStatus.PROVED_REALS: _EVERYWHERE
    + "over the real numbers. This is no proof of the program that runs, which rounds. Assumes {assumptions}. "
    + _LIMITS,
    ProofStatus.VIOLATED: "It is not so that {says}: the trace below starts an episode and breaks it, as replayed by the reference interpreter. "
    "The inputs are within their declared ranges and {kept}.",
    ProofStatus.NOT_INDUCTIVE: "The state below breaks that {says}. Whether it can be reached is not known: no trace to the depth tried reaches it.",
    ProofStatus.UNCONFIRMED: "The solver gave a trace that breaks that {says}, but the reference interpreter did not when it replayed it. Nothing is claimed.",
    ProofStatus.UNKNOWN: "Whether {says} is not known: the limits were reached.",
    ProofStatus.VACUOUS: "That {says} means nothing here: what it is conditioned on cannot happen. Assumes {assumptions}.",
    ProofStatus.ILL_DEFINED: "The program is not well defined. It is not so that {says}: the trace below starts an episode and breaks it, as replayed "
    "by the reference interpreter. The inputs are within their declared ranges and {kept}.",
}

_REACHABLE = {
    ProofStatus.PROVED: "`{name}` can hold: the trace below starts an episode and reaches it at its last tick, as replayed by the reference interpreter. "
    "The inputs are within their declared ranges and {kept}. Whether the environment can show these inputs is not said.",
    ProofStatus.VACUOUS: "`{name}` can never hold. "
    + _CLAIMS[ProofStatus.PROVED].replace("at every tick, {says} ", "it holds at no tick "),
    ProofStatus.UNKNOWN: "Whether `{name}` can hold is not known: the limits were reached. It does not count as reachable.",
}
