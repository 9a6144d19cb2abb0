"""Reader of card files.

A card file is TOML: `environment`, `family`, `max_episode_steps`, `solved` (optional), `protocols`, `says`; `[action]`
with `names` (discrete) or `low` and `high` (continuous) and `dtype`; one `[fields.NAME]` for each thing to observe,
with `base`, `source`, `index` and the range, where one number holds for every component of a vector and a table with a
`size` reads the columns 0, 1, … if it has no `index`. `time_step` (seconds), the table `[capabilities]`, the record
`Capabilities`, and the table `[model]`, the record `Model`, are optional; -1 in `qpos` and `qvel` of a model means a
coordinate that is not shown. Two fields are generated: `step`, from `max_episode_steps`, and `obs`, the whole
observation, if every column has its own name.
"""

from __future__ import annotations

import struct
from dataclasses import fields as record_fields
from pathlib import Path
from typing import Any

from hl_dsl.cards.capabilities import Capabilities, Rendering
from hl_dsl.cards.model import ActionSpace, BadCard, Card, Field, Model
from hl_dsl.input_sources.table import ENVIRONMENT_SOURCES

LONGEST_EPISODE = 100_000
"""Steps after which HL ends an episode of an environment that states no limit."""
_HINT = "fix it, or move it away and generate it again by a probe: `hl env ENV-ID --save`"


def file_name(environment: str) -> str:
    """The name of a card's file. An id may hold a slash or a colon, a file name cannot on every system."""
    return environment.replace("/", "--").replace(":", "@") + ".toml"


def environment_of_file(path: Path) -> str:
    """The id that the name of a card's file states."""
    return path.stem.replace("--", "/").replace("@", ":")


def read_card(path: Path, environment: str | None = None) -> Card:
    """The card in the file at `path`, which must be of `environment` where one is given. Raises BadCard."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCard(f"cannot read the card {path}: {error}", _HINT) from error
    card = parse_card(text, str(path))
    if environment is not None and card.environment != environment:
        raise BadCard(
            f"the card {path} is of `{card.environment}`, not of `{environment}`",
            "give it the file name of its own environment, or probe this one again",
        )
    return card


def parse_card(text: str, origin: str) -> Card:
    """The card written in `text`; `origin` names it in errors. Raises BadCard."""
    try:
        return build_card(parse_toml(text, origin), origin)
    except BadCard as error:
        raise BadCard(f"the card {origin} cannot be used: {error.message}", error.hint) from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        missing = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise BadCard(f"the card {origin} is damaged: {missing}", _HINT) from error


def parse_toml(text: str, origin: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises BadCard."""
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadCard(f"the card {origin} is not TOML: {error}", _HINT) from error


def build_card(table: dict[str, Any], origin: str) -> Card:
    """The card that the tables of a card file describe. Raises KeyError, TypeError or ValueError where one is wrong."""
    limit = int(table["max_episode_steps"])
    fields = {name: _field(name, entry) for name, entry in table["fields"].items()}
    if "obs" not in fields:
        fields.update(_whole_observation(fields))
    end = (
        f"HL ends it at {limit} (the environment states none)"
        if limit == LONGEST_EPISODE
        else f"the environment ends it at {limit} (specification)"
    )
    says = f"steps taken so far in this episode; {end}"
    fields["step"] = Field("step", "int", None, (0,), (limit,), (0,), "step", (0,), "steps", says)
    return Card(
        environment=str(table["environment"]),
        family=str(table["family"]),
        fields=fields,
        action=_action(table["action"]),
        max_episode_steps=limit,
        solved=None if table.get("solved") is None else float(table["solved"]),
        protocols=tuple(table["protocols"]),
        says=str(table["says"]),
        origin=origin,
        time_step=_time_step(table.get("time_step")),
        model=None if table.get("model") is None else _model(table["model"]),
        capabilities=_capabilities(table.get("capabilities", {})),
    )


def _capabilities(entry: dict[str, Any]) -> Capabilities:
    known = [field.name for field in record_fields(Capabilities)]
    unknown = sorted(set(entry) - set(known))
    if unknown:
        raise ValueError(f"`{unknown[0]}` is not a capability; the capabilities are {', '.join(known)}")
    if "rendering" in entry:
        entry = {**entry, "rendering": Rendering(entry["rendering"])}
    return Capabilities(**entry)


def _time_step(seconds: Any) -> float | None:
    if seconds is not None and not 0 < float(seconds) < float("inf"):
        raise ValueError(f"a `time_step` of {seconds} is not a positive number of seconds")
    return None if seconds is None else float(seconds)


def _model(entry: dict[str, Any]) -> Model:
    substeps, limit = int(entry["substeps"]), entry.get("velocity_limit")
    if substeps < 1:
        raise ValueError(f"the model takes {substeps} `substeps`; it must be 1 or more")
    if limit is not None and not 0 < float(limit) < float("inf"):
        raise ValueError(f"a `velocity_limit` of {limit} is not a positive number")
    shown = {key: tuple(None if int(one) < 0 else int(one) for one in entry[key]) for key in ("qpos", "qvel")}
    return Model(
        str(entry["file"]),
        substeps,
        **shown,
        velocity_limit=None if limit is None else float(limit),
        says=str(entry["says"]),
    )


def _field(name: str, entry: dict[str, Any]) -> Field:
    base, source, size = entry["base"], entry["source"], entry.get("size")
    if base not in ("int", "real", "bool"):
        raise ValueError(f"`{name}` has the base `{base}`; it must be int, real or bool")
    if source not in ENVIRONMENT_SOURCES:
        raise ValueError(f"`{name}` has the source `{source}`; it must be one of {', '.join(ENVIRONMENT_SOURCES)}")
    count = 1 if size is None else int(size)
    index = tuple(int(column) for column in entry.get("index", range(count)))
    number = float if base == "real" else int
    low, high, default = (_numbers(name, entry[key], count, number) for key in ("low", "high", "default"))
    if len(index) != count:
        raise ValueError(f"`{name}` has {count} components but {len(index)} columns in `index`")
    if base == "real":
        low, high = as_the_simulator_rounds(low, min), as_the_simulator_rounds(high, max)
    for lowest, value, highest in zip(low, default, high):
        if not float("-inf") < lowest <= value <= highest < float("inf"):
            raise ValueError(
                f"`{name}` needs finite numbers with low <= default <= high, not {lowest}, {value}, {highest}"
            )
    return Field(name, base, size, low, high, default, source, index, entry.get("unit", ""), entry["says"])


def _numbers(name: str, value: Any, count: int, number: type) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value] * count
    if len(values) != count:
        raise ValueError(f"`{name}` has {count} components but {len(values)} numbers for them")
    if number is int and any(type(one) is not int and float(one) != int(one) for one in values):
        raise ValueError(f"`{name}` is of whole numbers, but its range is not")
    return tuple(number(one) for one in values)


def as_the_simulator_rounds(bounds: tuple[float, ...], outer) -> tuple[float, ...]:
    """Bounds that still hold after rounding to binary32.

    Simulators that compute in binary64 hand over binary32: a position held at -1.2 arrives as -1.2000000477. Rounding
    is monotonic, so the rounded bound is the exact one.
    """
    return tuple(outer(bound, struct.unpack("f", struct.pack("f", bound))[0]) for bound in bounds)


def _whole_observation(fields: dict[str, Field]) -> dict[str, Field]:
    columns: dict[int, tuple[Field, int]] = {}
    names = []
    for one in fields.values():
        if one.source == "observation":
            names.append(one.name)
            for place, column in enumerate(one.index):
                columns.setdefault(column, (one, place))
    if not columns or sorted(columns) != list(range(len(columns))):
        return {}
    ordered = [columns[column] for column in sorted(columns)]

    def bounds(key: str) -> tuple[float, ...]:
        return tuple(float(getattr(one, key)[place]) for one, place in ordered)

    says = "the whole observation: " + ", ".join(names)
    numbers = bounds("low"), bounds("high"), bounds("default")
    return {"obs": Field("obs", "real", len(ordered), *numbers, "observation", tuple(range(len(ordered))), "", says)}


def _action(entry: dict[str, Any]) -> ActionSpace:
    names = entry.get("names")
    if names is not None:
        if len(set(names)) != len(names) or not names:
            raise ValueError("the action names must be given and differ")
        return ActionSpace(tuple(names), 1, (0,), (len(names) - 1,), entry["dtype"])
    low, high = (tuple(float(one) for one in entry[key]) for key in ("low", "high"))
    if len(low) != len(high) or not low or any(one >= other for one, other in zip(low, high)):
        raise ValueError("the action bounds need one low below one high for each component")
    return ActionSpace(None, len(low), low, high, entry["dtype"])
