"""Settings of a plan in the lanes of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hl_dsl.compiler.ir.dataflow import Dataflow, OfParameter
from hl_dsl.grammar.tree.plan_settings import SETTINGS


@dataclass(frozen=True)
class LaneSettings:
    """One value for each lane, (n,), under the names of `grammar/tree/plan_settings.py`.

    `sigma` is (n, components) if the components differ.
    """

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


def lane_settings(flow: Dataflow, parameters: Sequence[Any], num_lanes: int) -> LaneSettings:
    """The settings of a program's plan; `parameters` are its parameters' values, a number or one for each lane."""
    assert flow.plan is not None
    settings = flow.plan.settings

    def values(name: str) -> np.ndarray:
        setting = settings[name]
        value = parameters[setting.position] if isinstance(setting, OfParameter) else setting
        array = np.asarray(value, np.int64 if SETTINGS[name].base == "int" else np.float64)
        if isinstance(setting, tuple) and not isinstance(setting, OfParameter):
            return np.broadcast_to(array, (num_lanes, len(setting)))
        return np.broadcast_to(array, num_lanes)

    return LaneSettings(**{name: values(name) for name in SETTINGS})
