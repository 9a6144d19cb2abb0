"""Any record value as plain JSON, valid in every reader."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath

from hl_dsl.base.errors import HLError

_SIMPLE = frozenset((type(None), bool, str, int))
"""Types that are JSON already; most values have one of them, and naming their place would take most of the time."""


class NotRecordable(HLError):
    """A value that has no place in a JSON record."""


def plain(value: object, where: str = "event") -> object:
    """`value` in None, bool, int, float, str, list and dict only.

    NaN and the infinities become the strings "NaN", "Infinity" and "-Infinity" (JSON has no such numbers, and
    Python's `float` reads the strings back). Tuples and arrays become lists, paths strings, int keys strings.
    Raises NotRecordable, naming the place.
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
        f"cannot record {where}: a {type(value).__name__} is no JSON value",
        "Record numbers, strings, booleans, lists and mappings with string keys.",
    )


def _plain_mapping(value: Mapping, where: str) -> dict:
    result: dict[str, object] = {}
    for key, item in value.items():
        name = str(key) if isinstance(key, int) and not isinstance(key, bool) else key
        if not isinstance(name, str) or name in result:
            raise NotRecordable(
                f"cannot record {where}: {key!r} is no key, or stands twice", "Use distinct strings as keys."
            )
        result[str(name)] = item if type(item) in _SIMPLE else plain(item, f"{where}.{name}")
    return result


def number_name(value: float) -> str:
    """The JSON string for a float that JSON has no number for."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
