"""Conversion of values to plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from hl_dsl.base.errors import HLError

_SIMPLE = frozenset((type(None), bool, str, int))
"""Types of JSON values. Most values have one of them; for these, `plain` need not compute the place for its message."""


class NotRecordable(HLError):
    """A value that cannot be recorded as JSON."""


def plain(value: object, where: str = "event") -> object:
    """Returns `value` with values of type None, bool, int, float, str, list and dict only.

    NaN and the infinities become the strings "NaN", "Infinity" and "-Infinity": JSON lacks these numbers, and Python's
    `float` reads the strings. Tuples and arrays become lists; paths, members of a StrEnum and int keys become strings.

    Args:
        value: The value.
        where: Its place, for the message.

    Raises:
        NotRecordable: A value has no such form; the message names its place.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)  # a member of a StrEnum as its text
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else number_name(value)
    if isinstance(value, Mapping):
        return _plain_mapping(value, where)
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _SIMPLE else plain(item, f"{where}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays, without importing NumPy
        return plain(value.tolist(), where)
    raise NotRecordable(
        f"cannot record {where}: a {type(value).__name__} is not a JSON value",
        "Record numbers, strings, booleans, lists and mappings with string keys.",
    )


def _plain_mapping(value: Mapping[Any, object], where: str) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, item in value.items():
        name = str(key) if isinstance(key, int) and not isinstance(key, bool) else key
        if not isinstance(name, str) or name in result:
            raise NotRecordable(
                f"cannot record {where}: {key!r} is not a string, or is a key twice", "use distinct strings as keys"
            )
        result[str(name)] = item if type(item) in _SIMPLE else plain(item, f"{where}.{name}")
    return result


def number_name(value: float) -> str:
    """Returns the string for a float that JSON has no number for."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
