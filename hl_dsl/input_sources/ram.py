"""Input source `ram`: the memory of a console."""

from __future__ import annotations

from hl_dsl.input_sources.source import InputSource

RAM = InputSource("ram", is_wide=True, dtypes=("uint8",), says="bytes of the console's memory", holds_bytes=True)
