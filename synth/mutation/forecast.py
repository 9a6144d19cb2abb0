"""Predictions of one signal at the next turning point of another."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.synth.mutation.signal_terms import CompanionSignal, RateSignal, Signal


@dataclass(frozen=True)
class Forecast:
    """A prediction of `moving` at the step at which `nearing` turns back at `level`.

    Both signals are extrapolated linearly from their last `lag` steps; `moving` is reflected at `low` and `high`.

    Attributes:
        moving: The predicted signal.
        nearing: The signal whose next turning point is the time of the prediction.
        rising: Whether `nearing` rises before it turns.
        level: Value at which `nearing` turns.
        low: Lower wall of `moving`.
        high: Upper wall of `moving`.
        lag: Steps over which the speeds are measured.
        slowest: Least speed of `nearing`, per step, for which a prediction is made.
        error: Mean prediction error divided by the mean change of `moving` until then.
        moves: Signal that predicts the speed of `moving`, if one was found.
        comes: Signal that predicts the speed of `nearing`, if one was found.
        others: Other signals that the program reads.
    """

    moving: Signal
    nearing: Signal
    rising: bool
    level: float
    low: float
    high: float
    lag: int
    slowest: float
    error: float
    moves: RateSignal | None = None
    comes: RateSignal | None = None
    others: tuple[CompanionSignal, ...] = ()
