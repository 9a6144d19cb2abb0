"""Input source `plan`: the plan that a planner chose for this tick."""

from __future__ import annotations

from hl_dsl.input_sources.source import InputSource, Producer

PLAN = InputSource(
    "plan", is_wide=True, dtypes=("float64",), says="the components of the chosen plan", producer=Producer.PLANNER
)
