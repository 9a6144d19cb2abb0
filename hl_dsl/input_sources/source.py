"""Record of an input source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Producer(StrEnum):
    """Producers of an input source."""

    ENVIRONMENT = "environment"
    PLANNER = "planner"


@dataclass(frozen=True)
class InputSource:
    """An array with one row for each lane, from which inputs of a policy are read.

    Frames, recordings, cards and the back ends of the compiler read this record. A new source is one module with such a
    record and one entry in `table.INPUT_SOURCES`.

    Attributes:
        name: Name on cards, in frames and in recordings.
        is_wide: Shape (lanes, columns) if true, else (lanes,).
        dtypes: Types of the array for which back ends are compiled in advance. Other types are converted.
        says: What the source holds.
        producer: What fills it.
        is_recorded: Whether recordings of episodes keep it. Pixels are never kept.
        default: Value of every row where `Policy.act` is not given the source; None where it must be given.
        holds_bytes: Whether it is made of bytes, so that an input with the range 0..255 needs no check.
        holds_pixels: Whether it is a picture on environments with pixels.
    """

    name: str
    is_wide: bool
    dtypes: tuple[str, ...]
    says: str
    producer: Producer = Producer.ENVIRONMENT
    is_recorded: bool = True
    default: float | None = None
    holds_bytes: bool = False
    holds_pixels: bool = False
