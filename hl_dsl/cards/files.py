"""Finding and reading card files.

A card file is TOML: `environment`, `family`, `max_episode_steps`, `solved` (may be missing), `protocols`, `says`;
`[action]` with `names` (discrete) or `low` and `high` (continuous) and `dtype`; one `[fields.NAME]` for each thing to
observe, with `base`, `source`, `index` and the range, where one number stands for every component of a vector and a
table with a `size` takes the columns 0, 1, … when it gives no `index`. `time_step` (seconds) and a table `[model]`, the
record `Model`, may be missing; -1 in its `qpos` and `qvel` stands for a coordinate that is not shown. Two fields are put together here: `step`, from
`max_episode_steps`, and `obs`, the whole observation, where every column has its own name. The Atari games share one
file, `atari.toml`, with the action names of each game.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Iterator

from hl_dsl.cards.model import SOURCES, ActionSpace, BadCard, Card, Field, Model, UnknownEnvironment

ATARI = "atari.toml"
LONGEST_EPISODE = 100_000
"""Steps after which HL ends an episode of an environment that states no limit."""
_ANEW = "mend it, or move it away and have a probe write it anew: `hl env ENV-ID --save`"


_beside_policies: list[Path] = []


def load_card(environment: str, policy: Path | None = None) -> Card:
    """The card of `environment`: packaged, else `ID.toml` (see `file_name`) beside the file `policy` or in `cards/` there,
    in `$HL_CARDS`, or in `cards/` under the working directory.

    A folder where a policy's card was found is looked in from then on, so that texts that came of the policy find it too.
    Raises UnknownEnvironment (a LookupError, with suggestions) and BadCard.
    """
    card = _packaged(environment)
    if card is not None:
        return card
    beside = [] if policy is None else [policy.parent, policy.parent / "cards"]
    for folder in (*beside, *card_folders(), *_beside_policies):
        path = folder / file_name(environment)
        if path.is_file():
            if folder in beside:
                look_in(folder)
            return read_card(path, environment)
    raise UnknownEnvironment(environment, _nearest(environment))


def look_in(folder: Path) -> None:
    """Has cards looked for in `folder`, too, from now on, after the other places."""
    if folder not in _beside_policies:
        _beside_policies.append(folder)


def is_packaged(environment: str) -> bool:
    """Whether HL brings the card of `environment` along."""
    return _packaged(environment) is not None


def known_environments() -> list[str]:
    """Every environment id with a card, sorted: the packaged ones and those in the user's card folders."""
    return sorted({*_atari_actions(), *_packaged_files(), *(card_id for card_id, _ in _user_files())})


def card_folders() -> list[Path]:
    """Where users' cards are looked for, in order."""
    named = os.environ.get("HL_CARDS")
    return ([Path(named)] if named else []) + [Path("cards")]


def file_name(environment: str) -> str:
    """The name of a card's file; an id may hold a slash or a colon, a file name may not everywhere."""
    return environment.replace("/", "--").replace(":", "@") + ".toml"


def read_card(path: Path, environment: str | None = None) -> Card:
    """The card in the file at `path`, which must be of `environment` where one is given. Raises BadCard."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCard(f"cannot read the card {path}: {error}", _ANEW) from error
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
        return _card(_toml(text, origin), origin)
    except BadCard as error:
        raise BadCard(f"the card {origin} cannot be used: {error.message}", error.hint) from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        missing = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise BadCard(f"the card {origin} is damaged: {missing}", _ANEW) from error


def _toml(text: str, origin: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadCard(f"the card {origin} is not TOML: {error}", _ANEW) from error


@lru_cache(maxsize=None)
def _packaged(environment: str) -> Card | None:
    here = files("hl_dsl.cards")
    if environment in _packaged_files():
        name = file_name(environment)
        return parse_card((here / name).read_text(encoding="utf-8"), name)
    names = _atari_actions().get(environment)
    if names is None:
        return None
    shared = {key: value for key, value in _atari().items() if key != "actions"}
    return _card({**shared, "environment": environment, "action": {"names": names.split(), "dtype": "int32"}}, ATARI)


@lru_cache(maxsize=1)
def _atari() -> dict[str, Any]:
    return _toml((files("hl_dsl.cards") / ATARI).read_text(encoding="utf-8"), ATARI)


def _atari_actions() -> dict[str, str]:
    return _atari()["actions"]


@lru_cache(maxsize=1)
def _packaged_files() -> tuple[str, ...]:
    names = (entry.name for entry in files("hl_dsl.cards").iterdir())
    return tuple(sorted(name[: -len(".toml")] for name in names if name.endswith(".toml") and name != ATARI))


def _user_files() -> Iterator[tuple[str, Path]]:
    for folder in card_folders():
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            yield path.stem.replace("--", "/").replace("@", ":"), path


def _nearest(environment: str) -> tuple[str, ...]:
    from difflib import get_close_matches

    def stem(name: str) -> str:
        return name.lower().rpartition("-v")[0] or name.lower()

    known = known_environments()
    near = get_close_matches(stem(environment), {stem(name) for name in known}, n=3, cutoff=0.6)
    return tuple(name for one in near for name in known if stem(name) == one)


def _card(table: dict[str, Any], origin: str) -> Card:
    limit = int(table["max_episode_steps"])
    fields = {name: _field(name, entry) for name, entry in table["fields"].items()}
    if "obs" not in fields:
        fields.update(_whole_observation(fields))
    unstated = ":" in str(table["environment"]) and limit == LONGEST_EPISODE
    end = f"HL ends it at {limit} (the environment states none)" if unstated else f"the environment ends it at {limit} (specification)"
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
    )


def _time_step(seconds: Any) -> float | None:
    if seconds is not None and not 0 < float(seconds) < float("inf"):
        raise ValueError(f"a `time_step` of {seconds} is no number of seconds")
    return None if seconds is None else float(seconds)


def _model(entry: dict[str, Any]) -> Model:
    substeps, limit = int(entry["substeps"]), entry.get("velocity_limit")
    if substeps < 1:
        raise ValueError(f"the model takes {substeps} `substeps`; it must be 1 or more")
    if limit is not None and not 0 < float(limit) < float("inf"):
        raise ValueError(f"a `velocity_limit` of {limit} is no limit")
    shown = {key: tuple(None if int(one) < 0 else int(one) for one in entry[key]) for key in ("qpos", "qvel")}
    return Model(str(entry["file"]), substeps, **shown, velocity_limit=None if limit is None else float(limit), says=str(entry["says"]))


def _field(name: str, entry: dict[str, Any]) -> Field:
    base, source, size = entry["base"], entry["source"], entry.get("size")
    if base not in ("int", "real", "bool"):
        raise ValueError(f"`{name}` has the base `{base}`; it must be int, real or bool")
    if source not in SOURCES:
        raise ValueError(f"`{name}` has the source `{source}`; it must be one of {', '.join(SOURCES)}")
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
            raise ValueError(f"`{name}` needs finite numbers with low <= default <= high, not {lowest}, {value}, {highest}")
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
