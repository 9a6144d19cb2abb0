"""Gates of a candidate, kinds of trials and status of a trial."""

from __future__ import annotations

from enum import StrEnum


class Gate(StrEnum):
    """The gate at which a trial stopped.

    The members from `PARSE` to `ACCEPTED` are in the order in which a candidate meets them.
    """

    PARSE = "parse"
    DUPLICATE = "duplicate"
    CHECK = "check"
    PROVE = "prove"
    QUICK_SEEDS = "quick_seeds"
    """Rejected on the first rung, a few development seeds."""
    PRUNED = "pruned"
    """Stopped before it was played on all seeds: its return was clearly below that of the best."""
    ALL_SEEDS = "all_seeds"
    """Played on all development seeds, and not better than the best."""
    REGRESSION = "regression"
    ACCEPTED = "accepted"
    """Passed every gate."""
    NONE = "none"
    """Not a candidate: a probe of the environment, or an evaluation on held-out seeds."""


GATES = tuple(gate for gate in Gate if gate is not Gate.NONE)
"""The gates that a candidate meets, in order; `Gate.ACCEPTED` is the last."""


class TrialKind(StrEnum):
    """Kind of a trial: the activity that produced it."""

    SEARCH = "search"
    """A candidate of `hl synth`."""
    TUNE = "tune"
    """A sample of `hl tune`."""
    SIMPLIFY = "simplify"
    """A smaller form of the best program, which the study derives by itself: no proposer is involved."""
    STUDY = "study"
    """Summary of a whole study of `hl synth`, in the ledger next to a policy."""
    TUNING = "tuning"
    """Summary of a whole study of `hl tune`, in the ledger next to a policy."""
    EVALUATION = "evaluation"
    HELD_OUT = "held-out"
    PROBE = "probe"
    REGRESSION = "regression"
    VERIFY_REJECT = "verify-reject"
    """An evaluation that was refused because the program is not proved."""
    VIDEO = "video"
    INTERRUPTED = "interrupted"
    """Steps that an interrupt or a crash wasted."""


STUDY_KINDS = (TrialKind.SEARCH, TrialKind.TUNE, TrialKind.SIMPLIFY)
"""The kinds of trials among which a study chooses its best program."""

EVALUATION_KINDS = (TrialKind.EVALUATION, TrialKind.HELD_OUT)
"""The kinds of trials that evaluate a given program outside a study."""


class TrialStatus(StrEnum):
    """Result of a trial in one word, derived from its gate."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PRUNED = "pruned"
    NOT_A_CANDIDATE = "not a candidate"

    @classmethod
    def of(cls, gate: Gate) -> TrialStatus:
        """Returns the status of a trial that stopped at `gate`."""
        special = {Gate.ACCEPTED: cls.ACCEPTED, Gate.PRUNED: cls.PRUNED, Gate.NONE: cls.NOT_A_CANDIDATE}
        return special.get(gate, cls.REJECTED)
