"""What tokens cost, as the person who pays says: there is no table in here that could be out of date."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from hl_dsl.synth.proposers.text.writer import Usage

from hl_dsl.base.errors import HLError

_PER = 1_000_000
_FORM = 'write [models."NAME"] with input and output (and cached_input, where it differs): money for a million tokens'


@dataclass(frozen=True)
class Prices:
    """Money for a million tokens, in whatever currency the budget is in. None: not known."""

    input: float | None = None
    output: float | None = None
    cached_input: float | None = None

    @property
    def known(self) -> bool:
        return self.input is not None and self.output is not None

    def cost(self, usage: Usage) -> float | None:
        """None where the prices are not known."""
        if self.input is None or self.output is None:
            return None
        cached = self.input if self.cached_input is None else self.cached_input
        fresh = usage.input - usage.cached_input
        return (fresh * self.input + usage.cached_input * cached + usage.output * self.output) / _PER

    def most(self, tokens_in: int, tokens_out: int) -> float | None:
        """The most so many tokens may cost."""
        if self.input is None or self.output is None:
            return None
        return (tokens_in * max(self.input, self.cached_input or 0.0) + tokens_out * self.output) / _PER


def read_prices(path: Path | str, model: str) -> Prices:
    """The prices of a model in a TOML file; unknown ones where it is not in there. Raises HLError."""
    try:
        with open(path, "rb") as file:
            models = tomllib.load(file).get("models", {})
    except OSError as error:
        raise HLError(
            f"cannot read the prices in {path}: {(error.strerror or str(error)).lower()}", "check the path"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HLError(f"{path} is no TOML: {error}", _FORM) from None
    if not isinstance(models, dict):
        raise HLError(f"{path} holds no table of models", _FORM)
    if model not in models:
        return Prices()
    entry = models[model]
    names = ("input", "output", "cached_input")
    if not isinstance(entry, dict) or not {"input", "output"} <= set(entry) <= set(names):
        raise HLError(f"{path} says of `{model}` something other than its prices", _FORM)
    for name, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise HLError(f"{path}: the price `{name}` of `{model}` is {value!r}", _FORM)
    return Prices(**{name: float(value) for name, value in entry.items()})
