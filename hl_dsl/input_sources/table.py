"""Table of input sources."""

from __future__ import annotations

from types import MappingProxyType

from hl_dsl.input_sources.lives import LIVES
from hl_dsl.input_sources.observation import OBSERVATION
from hl_dsl.input_sources.plan import PLAN
from hl_dsl.input_sources.ram import RAM
from hl_dsl.input_sources.reward import REWARD
from hl_dsl.input_sources.source import InputSource, Producer
from hl_dsl.input_sources.step import STEP

# In the order in which messages list them. The order has no meaning for programs.
INPUT_SOURCES: tuple[InputSource, ...] = (RAM, OBSERVATION, REWARD, LIVES, STEP, PLAN)

SOURCE_OF = MappingProxyType({source.name: source for source in INPUT_SOURCES})
SOURCE_NAMES = tuple(SOURCE_OF)
ENVIRONMENT_SOURCES = tuple(source.name for source in INPUT_SOURCES if source.producer is Producer.ENVIRONMENT)
"""Names of the sources that an environment fills: those that a card may name."""
