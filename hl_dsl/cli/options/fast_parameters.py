"""Conversion of paths and words of the command line without Pydantic.

Typer converts every value with Pydantic. Loading Pydantic takes longer than checking a policy, so it is used only where
there is something to convert or to reject: numbers, and values that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from typer.core import TyperCommand, TyperGroup

_CONVERTERS: Mapping[Any, Callable[[Any], Any]] = MappingProxyType(
    {str: str, Path: Path, list[Path]: lambda values: [Path(value) for value in values]}
)


class QuickCommand(TyperCommand):
    """A command whose paths and words need no library."""

    def get_params(self, context: Any) -> list[Any]:
        """Returns the parameters with the quicker conversion."""
        return _with_quick_conversion(super().get_params(context))


class QuickGroup(TyperGroup):
    """A group of commands whose own options need no library."""

    def get_params(self, context: Any) -> list[Any]:
        """Returns the parameters with the quicker conversion."""
        return _with_quick_conversion(super().get_params(context))


def _with_quick_conversion(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if not isinstance(parameter.process_value, partial):
            parameter.process_value = partial(_process, parameter, parameter.process_value)
    return parameters


def _process(parameter: Any, by_library: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    """Returns a parameter's value; `by_library` is Typer's own conversion."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    words = value if type(value) is tuple else (value,)
    if annotation in _CONVERTERS and words and all(type(word) is str for word in words):
        value = _CONVERTERS[annotation](value)
    elif _needs_library(parameter, value):
        return by_library(context, value)
    return value if parameter.callback is None else parameter.callback(context, parameter, value)


def _needs_library(parameter: Any, value: Any) -> bool:
    """Whether a value is missing, or is neither a default nor a switch."""
    if value is None:
        return bool(parameter.required or parameter.nargs != 1)
    return type(value) is not bool and value is not parameter.default
