"""Paths and words of the command line, taken as they are.

Typer has Pydantic make every value into what its parameter is annotated with. Loading Pydantic takes longer than checking a
policy; so it is left to what there is something to convert and to refuse of: numbers, and what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

_TAKEN: dict[Any, Callable[[Any], Any]] = {
    str: str,
    Path: Path,
    list[Path]: lambda values: [Path(value) for value in values],
}


class _Quick:
    def get_params(self, context: Any) -> list:
        """The parameters, each with a quicker way from what was written, or not written, to its value."""
        parameters = super().get_params(context)  # type: ignore[misc]
        for parameter in parameters:
            if not isinstance(parameter.process_value, partial):
                parameter.process_value = partial(_processed, parameter, parameter.process_value)
        return parameters


class QuickCommand(_Quick, TyperCommand):
    """A command whose paths and words need no library."""


class QuickGroup(_Quick, TyperGroup):
    """The same for the options before the command."""


def _processed(parameter: Any, otherwise: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    """The value of a parameter; `otherwise` is the library's way to it."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    written = value if type(value) is tuple else (value,)
    if annotation in _TAKEN and written and all(type(one) is str for one in written):
        value = _TAKEN[annotation](value)
    elif value is None and (parameter.required or parameter.nargs != 1):
        return otherwise(context, value)
    elif value is not None and type(value) is not bool and value is not parameter.default:
        return otherwise(context, value)
    return value if parameter.callback is None else parameter.callback(context, parameter, value)
