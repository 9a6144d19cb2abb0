"""A plan's settings in the lanes of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hl_dsl.compiler.ir.dataflow import Dataflow, OfParameter
from hl_dsl.grammar.tree.plan_settings import SETTINGS


@dataclass(frozen=True)
class LaneSettings:
    """One value for each lane, (n,), under the names of `grammar/tree/plan_settings.py`; `sigma` is (n, components) where it differs
    among them."""

    horizon: np.ndarray
    candidates: np.ndarray
    rounds: np.ndarray
    elites: np.ndarray
    sigma: np.ndarray
    decay: np.ndarray
    active: np.ndarray
    smooth: np.ndarray
    warm_start: np.ndarray
    prune: np.ndarray


def lane_settings(flow: Dataflow, parameters: Sequence, num_lanes: int) -> LaneSettings:
    """`parameters`: for each of the program's a number, or one for each lane."""

    def values(name: str) -> np.ndarray:
        given = flow.plan.settings[name]
        value = parameters[given.position] if type(given) is OfParameter else given
        array = np.asarray(value, np.int64 if SETTINGS[name].base == "int" else np.float64)
        return (
            np.broadcast_to(array, (num_lanes, len(given)))
            if type(given) is tuple
            else np.broadcast_to(array, num_lanes)
        )

    return LaneSettings(**{name: values(name) for name in SETTINGS})
