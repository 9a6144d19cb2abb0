"""Input source `reward`: the reward of the last step."""

from __future__ import annotations

from hl_dsl.input_sources.source import InputSource

REWARD = InputSource(
    "reward", is_wide=False, dtypes=("float32",), says="reward of the last step, 0 at the start", default=0.0
)
