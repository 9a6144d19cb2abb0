"""Packaged cards: those of the environments that HL supports without a probe.

They are data of this package and do not change while a process runs, so they are read once.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from hl_dsl.cards.model import Card
from hl_dsl.cards.reader import build_card, file_name, parse_card, parse_toml

_ATARI = "atari.toml"  # one file for all games: the shared part, and the action names of each game


@cache
def packaged_card(environment: str) -> Card | None:
    """The packaged card of an environment, None where there is none."""
    if environment in _own_files():
        name = file_name(environment)
        return parse_card(_text(name), name)
    actions = _atari()["actions"].get(environment)
    if actions is None:
        return None
    shared = {key: value for key, value in _atari().items() if key != "actions"}
    action = {"names": actions.split(), "dtype": "int32"}
    return build_card({**shared, "environment": environment, "action": action}, _ATARI)


def packaged_environments() -> tuple[str, ...]:
    """The ids of all packaged cards."""
    return *_atari()["actions"], *_own_files()


@cache
def _atari() -> dict[str, Any]:
    return parse_toml(_text(_ATARI), _ATARI)


@cache
def _own_files() -> tuple[str, ...]:
    names = (entry.name for entry in (files("hl_dsl.cards") / "data").iterdir())
    return tuple(sorted(name[: -len(".toml")] for name in names if name.endswith(".toml") and name != _ATARI))


def _text(name: str) -> str:
    return (files("hl_dsl.cards") / "data" / name).read_text(encoding="utf-8")
