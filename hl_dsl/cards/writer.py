"""Writing a card as the TOML that `hl_dsl.cards.reader` reads."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from hl_dsl.cards.capabilities import Capabilities
from hl_dsl.cards.model import BadCard, Card, Field, Model
from hl_dsl.cards.reader import as_the_simulator_rounds, file_name, parse_card


def card_text(card: Card) -> str:
    """`card` as TOML; reading it gives an equal card, but for where it came from."""
    lines = [
        f"environment = {_text(card.environment)}",
        f"family = {_text(card.family)}",
        f"max_episode_steps = {card.max_episode_steps}",
        *([] if card.time_step is None else [f"time_step = {card.time_step!r}"]),
        *([] if card.solved is None else [f"solved = {card.solved!r}"]),
        f"protocols = {_list(card.protocols)}",
        f"says = {_text(card.says)}",
        "",
        "[action]",
    ]
    if card.action.names is not None:
        lines.append(f"names = {_list(card.action.names)}")
    else:
        lines += [f"low = {_list(card.action.low)}", f"high = {_list(card.action.high)}"]
    lines.append(f"dtype = {_text(card.action.dtype)}")
    lines += _capability_lines(card.capabilities)
    if card.model is not None:
        lines += ["", *_model_lines(card.model)]
    for field in card.fields.values():
        if field.source != "step":
            lines += ["", *_field_lines(field)]
    return "\n".join(lines) + "\n"


def write_card(card: Card, folder: Path) -> Path:
    """Writes `card` under its file name in `folder`, which is made where it is missing. Raises BadCard."""
    path = folder / file_name(card.environment)
    text = card_text(card)
    parse_card(text, str(path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadCard(
            f"cannot write the card {path}: {error}", "choose another folder by HL_CARDS, or make this one writable"
        ) from error
    return path


def _capability_lines(capabilities: Capabilities) -> list[str]:
    """The table of the capabilities that are not the default ones."""
    stated = {name: value for name, value in asdict(capabilities).items() if value != getattr(Capabilities(), name)}
    if not stated:
        return []
    # JSON and TOML write text, booleans and numbers alike.
    return ["", "[capabilities]", *(f"{name} = {json.dumps(value)}" for name, value in stated.items())]


def _model_lines(model: Model) -> list[str]:
    return [
        "[model]",
        f"file = {_text(model.file)}",
        f"substeps = {model.substeps}",
        *(
            f"{key} = {[-1 if one is None else one for one in shown]}"
            for key, shown in (("qpos", model.qpos), ("qvel", model.qvel))
        ),
        *([] if model.velocity_limit is None else [f"velocity_limit = {model.velocity_limit!r}"]),
        f"says = {_text(model.says)}",
    ]


def _field_lines(field: Field) -> list[str]:
    columns = list(field.index)
    return [
        f"[fields.{_text(field.name)}]",
        f"base = {_text(field.base)}",
        f"source = {_text(field.source)}",
        *([] if field.size is None else [f"size = {field.size}"]),
        *([] if columns == list(range(len(columns))) else [f"index = {columns}"]),
        f"low = {_numbers(_bounds(field, field.low, min))}",
        f"high = {_numbers(_bounds(field, field.high, max))}",
        f"default = {_numbers(field.default)}",
        *([f"unit = {_text(field.unit)}"] if field.unit else []),
        f"says = {_text(field.says)}",
    ]


def _bounds(field: Field, bounds: tuple[float, ...], outer) -> tuple[float, ...]:
    """The shortest numbers that are read as `bounds`, since reading widens a real bound to binary32."""
    if field.base != "real":
        return bounds

    def shortest(bound: float) -> float:
        tries = (float(f"{bound:.{digits}g}") for digits in range(1, 17))
        return next((one for one in tries if as_the_simulator_rounds((one,), outer) == (bound,)), bound)

    return tuple(shortest(bound) for bound in bounds)


def _numbers(values: tuple[float, ...]) -> str:
    return repr(values[0]) if len(set(values)) == 1 else _list(values)


def _list(values: tuple) -> str:
    return "[" + ", ".join(_text(value) if isinstance(value, str) else repr(value) for value in values) + "]"


def _text(value: str) -> str:
    # A JSON string is a TOML basic string.
    return json.dumps(value)
