"""Prices of tokens, as the user states them. HL has no price table of its own, which could be out of date."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from hl_dsl.base.errors import HLError
from hl_dsl.synth.proposers.text.writer import Usage

_TOKENS_PER_PRICE = 1_000_000
_HINT = 'write [models."NAME"] with input and output (and cached_input, if it differs): the price of a million tokens'


@dataclass(frozen=True)
class Prices:
    """Prices of a million tokens, in the currency of the budget; None if unknown."""

    input: float | None = None
    output: float | None = None
    cached_input: float | None = None

    @property
    def known(self) -> bool:
        """True if the prices of input and output are known."""
        return self.input is not None and self.output is not None

    def cost(self, usage: Usage) -> float | None:
        """Returns the cost of a call; None if the prices are unknown."""
        if self.input is None or self.output is None:
            return None
        cached_price = self.input if self.cached_input is None else self.cached_input
        uncached = usage.input - usage.cached_input
        total = uncached * self.input + usage.cached_input * cached_price + usage.output * self.output
        return total / _TOKENS_PER_PRICE

    def most(self, tokens_in: int, tokens_out: int) -> float | None:
        """Returns an upper bound on the cost of so many tokens; None if the prices are unknown."""
        if self.input is None or self.output is None:
            return None
        return (tokens_in * max(self.input, self.cached_input or 0.0) + tokens_out * self.output) / _TOKENS_PER_PRICE


def read_prices(path: Path | str, model: str) -> Prices:
    """Reads the prices of a model from a TOML file; unknown prices if the file does not name the model.

    Raises:
        HLError: The file cannot be read, or an entry is invalid.
    """
    try:
        with open(path, "rb") as file:
            models = tomllib.load(file).get("models", {})
    except OSError as error:
        raise HLError(
            f"cannot read the prices in {path}: {(error.strerror or str(error)).lower()}", "check the path"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HLError(f"{path} is not a TOML document: {error}", _HINT) from None
    if not isinstance(models, dict):
        raise HLError(f"`models` in {path} is not a table", _HINT)
    if model not in models:
        return Prices()
    entry = models[model]
    names = ("input", "output", "cached_input")
    if not isinstance(entry, dict) or not {"input", "output"} <= set(entry) <= set(names):
        raise HLError(f"the entry of `{model}` in {path} does not hold its prices", _HINT)
    for name, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise HLError(f"{path}: the price `{name}` of `{model}` is {value!r}, not a number of 0 or more", _HINT)
    return Prices(**{name: float(value) for name, value in entry.items()})
