"""Input source `step`: the steps taken in the episode. Every back end reads it: an episode starts where it is 0."""

from __future__ import annotations

from hl_dsl.input_sources.source import InputSource

STEP = InputSource("step", is_wide=False, dtypes=("int32",), says="steps taken in this episode", default=1)
