"""Input source `lives`: the lives left in a game."""

from __future__ import annotations

from hl_dsl.input_sources.source import InputSource

LIVES = InputSource("lives", is_wide=False, dtypes=("int32",), says="lives left in the game")
