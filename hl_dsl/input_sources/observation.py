"""Input source `observation`: the environment's observation as one row of numbers."""

from __future__ import annotations

from hl_dsl.input_sources.source import InputSource

OBSERVATION = InputSource(
    "observation",
    is_wide=True,
    dtypes=("float32", "float64"),
    says="the environment's observation, flattened",
    holds_pixels=True,
)
