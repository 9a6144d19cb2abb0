"""Forecasts of signals from recorded frames, found without reward and without an environment step.

Many things move evenly, are reflected at walls, and matter at the moment at which something else turns back. For each
signal that the program reads, and each other one, the turning points of the other are located. If they are at one
level, the signal is extrapolated to the step at which that level is reached, and the prediction is compared with the
recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hl_dsl.grammar.tree.syntax_tree import Index, Name, Number
from hl_dsl.program import Program
from hl_dsl.synth.mutation.forecast import Forecast
from hl_dsl.synth.mutation.signal_terms import CompanionSignal, Signal
from hl_dsl.synth.proposers.local.leading_signals import lead_of, rate_of
from hl_dsl.synth.rollouts.episode import Recording

_LAG = 4  # steps over which a speed is measured
_MOST_TICKS = 8192  # steps of a recording that are used
_KEPT = 3  # forecasts
_GOOD = 0.5  # largest error, relative to the mean change of the signal until then
_FEWEST_TURNS, _FEWEST_TESTS = 8, 50
_FEWEST_STATES = 2  # distinct values of a rate signal
_SOONEST, _LATEST = 4, 120  # steps until the turn
_LEVEL_WIDTH, _AT_LEVEL = 0.05, 0.6  # tolerance of the level as a part of the range; least share of turns at it


def forecasts(program: Program, recording: Recording) -> tuple[Forecast, ...]:
    """The best forecasts for the signals that the program reads, the best first."""
    shown = dict(_shown(program, recording))
    read = [source for source in shown if source in _read(program)]
    turning = {source: turns for source, values in shown.items() for turns in [_turns(values)] if turns}
    candidates = [
        _tested(moving, shown[moving], nearing, shown[nearing], rising, places)
        for moving in read
        for nearing, turns in turning.items()
        if nearing != moving
        for rising, places in turns
    ]
    best = sorted((forecast for forecast in candidates if forecast is not None), key=lambda forecast: forecast.error)
    kept = best[:_KEPT]
    changing = dict(_shown(program, recording, _FEWEST_STATES))
    rates = {
        source: rate_of(shown[source], changing) for forecast in kept for source in (forecast.moving, forecast.nearing)
    }
    others = {source: values for source, values in shown.items() if source not in read}
    leads = {source: lead_of(shown[source], others) for source in read}
    return tuple(_with_signals(forecast, shown, turning, rates, leads) for forecast in kept)


def _with_signals(found: Forecast, shown: dict, turning: dict, rates: dict, leads: dict) -> Forecast:
    """The forecast with rate signals, walls and companion signals.

    Companions are the other signals that the program reads, with their distances to the predicted one at the turns.
    """
    low, high = _walls(shown[found.moving], found)
    places = next(places for rising, places in turning[found.nearing] if rising == found.rising)
    others = []
    for source, lead in leads.items():
        if source not in (found.moving, found.nearing):
            values = shown[source]
            apart = (shown[found.moving] - values)[places]
            nearest, usual, farthest = (float(np.quantile(apart, part)) for part in (0.05, 0.5, 0.95))
            others.append(
                CompanionSignal(source, float(values.min()), float(values.max()), nearest, usual, farthest, lead)
            )
    return replace(
        found, low=low, high=high, moves=rates[found.moving], comes=rates[found.nearing], others=tuple(others)
    )


def _walls(values: np.ndarray, found: Forecast) -> tuple[float, float]:
    """The range of a signal, or its 1 % to 99 % range if a few steps are far outside."""
    near = _LEVEL_WIDTH * (found.high - found.low)
    low, high = float(values.min()), float(values.max())
    low, high = (low if found.low - low <= near else found.low), (high if high - found.high <= near else found.high)
    return (round(low), round(high)) if found.moving.base == "int" else (round(low, 4), round(high, 4))


def _shown(program: Program, recording: Recording, fewest: int = _FEWEST_TURNS) -> Iterator[tuple[Signal, np.ndarray]]:
    for name, field in program.card.fields.items():
        values = recording.shown.get(field.source)
        if values is None or field.base == "bool" or field.source in ("reward", "step", "lives"):
            continue
        rows = np.asarray(values[:_MOST_TICKS], float).reshape(len(values[:_MOST_TICKS]), -1)
        for place, column in enumerate(field.index):
            if len(np.unique(rows[:, column])) >= fewest:
                yield Signal(name, None if field.size is None else place, field.base), rows[:, column]


def _read(program: Program) -> set[Signal]:
    from hl_dsl.synth.mutation.scope import Scope

    fields, found = program.card.fields, set()
    for _, node, _ in Scope(program).places:
        if (
            isinstance(node, Index)
            and isinstance(node.vector, Name)
            and node.vector.name in fields
            and isinstance(node.index, Number)
        ):
            found.add(Signal(node.vector.name, int(node.index.value), fields[node.vector.name].base))
        elif isinstance(node, Name) and node.name in fields:
            found.add(Signal(node.name, None, fields[node.name].base))
    return found


def _speed(values: np.ndarray) -> np.ndarray:
    speed = np.zeros(len(values))
    speed[_LAG:] = (values[_LAG:] - values[:-_LAG]) / _LAG
    return speed


def _turns(values: np.ndarray) -> list[tuple[bool, np.ndarray]]:
    """Turning points at one level: (whether the signal rises before them, their steps)."""
    speed = _speed(values)
    found: list[tuple[bool, np.ndarray]] = []
    if len(values) < 4 * _LAG:
        return found
    for rising in (True, False):
        toward = speed if rising else -speed
        places = (
            np.flatnonzero(
                (toward[_LAG : -_LAG - 1] > 0) & (toward[_LAG + 1 : -_LAG] <= 0) & (toward[2 * _LAG : -1] < 0)
            )
            + _LAG
        )
        # The value farthest out around the turn is where it turned.
        around = _outmost(values, rising, places) if rising else -_outmost(values, rising, places)
        if len(around) < _FEWEST_TURNS:
            continue
        near = np.abs(around - np.median(around)) <= _LEVEL_WIDTH * np.ptp(values)
        if near.mean() >= _AT_LEVEL:
            found.append((rising, places[near]))
    return found


def _outmost(values: np.ndarray, rising: bool, places: np.ndarray) -> np.ndarray:
    """The extreme values around turning points."""
    sign = 1 if rising else -1
    return np.array([sign * (sign * values[place - _LAG : place + _LAG]).max() for place in places])


def _tested(
    moving: Signal, values: np.ndarray, nearing: Signal, others: np.ndarray, rising: bool, places: np.ndarray
) -> Forecast | None:
    sign = 1.0 if rising else -1.0
    level = float(np.median(_outmost(others, rising, places)))
    approach, speed = _speed(others), _speed(values)
    ticks = np.arange(len(values))
    following = np.searchsorted(places, ticks)
    known = following < len(places)
    turn = places[np.minimum(following, len(places) - 1)]
    moves = sign * approach
    steady = moves > 0
    slowest = float(np.quantile(moves[steady], 0.1)) / 2 if steady.any() else 0.0
    # All the way from a tick to the turn it must come nearer: ticks since it last did not.
    last_away = np.maximum.accumulate(np.where(moves > slowest, -1, ticks))
    straight = last_away[np.maximum(turn - _LAG, 0)] < ticks
    tests = (
        known & (moves > slowest) & (turn - ticks >= _SOONEST) & (turn - ticks <= _LATEST) & straight & (ticks >= _LAG)
    )
    if tests.sum() < _FEWEST_TESTS:
        return None
    low, high = (float(np.quantile(values, part)) for part in (0.01, 0.99))
    left = np.clip((level - others[tests]) / approach[tests], 0, 200)
    predicted, then = values[tests] + speed[tests] * left, values[turn[tests]]
    if high <= low or slowest <= 0:
        return None
    away = np.mod(predicted - low, 2 * (high - low))
    predicted = low + np.where(away <= high - low, away, 2 * (high - low) - away)
    distance = np.abs(values[tests] - then).mean()
    error = np.abs(predicted - then).mean() / distance if distance > 0 else np.inf
    if error > _GOOD:
        return None
    whole = moving.base == "int"
    return Forecast(
        moving,
        nearing,
        rising,
        round(level) if nearing.base == "int" else round(level, 4),
        round(low) if whole else round(low, 4),
        round(high) if whole else round(high, 4),
        _LAG,
        float(f"{slowest:.2g}"),
        float(error),
    )
