"""JSON documents of stored cases: the schema `hl.case/2`, and readers for its two predecessors.

`hl.case/1` held counterexamples and `hl.regression/1` episodes. `hl.case/2` holds both; `kind` distinguishes them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from hl_dsl.cases.records import CaseKind, CounterexampleCase, EpisodeCase, Number, StoredCase, Window

SCHEMA = "hl.case/2"
OLD_COUNTEREXAMPLE, OLD_EPISODE = "hl.case/1", "hl.regression/1"
_OLD_NO_REWARD_STEPS = "dry_steps"  # name of `no_reward_steps` in `hl.regression/1`


class InvalidDocument(ValueError):
    """A JSON document that does not describe a case; the message completes "PATH is not a case: …"."""


def case_document(case: StoredCase) -> dict[str, Any]:
    """Returns the document of a case. Its name is not part of it: the file carries the name."""
    common = {"schema": SCHEMA, "kind": str(case.kind), "environment": case.environment}
    return {**common, **_body(case), "origin": case.origin}


def content_hash(case: StoredCase) -> str:
    """Returns a hash of what a case requires, independent of its origin.

    It is computed from the documents of the first schemas, so that runs recorded with them can still be resumed.
    """
    body = _body(case)
    if isinstance(case, EpisodeCase):
        body = {(_OLD_NO_REWARD_STEPS if key == "no_reward_steps" else key): value for key, value in body.items()}
    schema = OLD_EPISODE if isinstance(case, EpisodeCase) else OLD_COUNTEREXAMPLE
    document = {"schema": schema, "environment": case.environment, **body}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _body(case: StoredCase) -> dict[str, Any]:
    if isinstance(case, EpisodeCase):
        window = None if case.window is None else {"start": case.window.start, "ticks": case.window.ticks}
        return {
            "protocol": case.protocol,
            "seed": case.seed,
            "max_steps": case.max_steps,
            "no_reward_steps": case.no_reward_steps,
            "window": window,
            "least_return": case.least_return,
            "holds": case.holds,
        }
    assert isinstance(case, CounterexampleCase)
    return {
        "policy": case.policy,
        "property": dict(case.violated_property),
        "parameters": dict(case.parameters),
        "ticks": [{"inputs": dict(row)} for row in case.inputs],
    }


def case_from_document(document: object, name: str) -> StoredCase:
    """Reads a case from its document, in any of the three schemas.

    Raises:
        InvalidDocument: The document does not describe a case.
    """
    if not isinstance(document, dict) or document.get("schema") not in (SCHEMA, OLD_COUNTEREXAMPLE, OLD_EPISODE):
        raise InvalidDocument(f"its schema is not {SCHEMA}, {OLD_COUNTEREXAMPLE} or {OLD_EPISODE}")
    fields = {key: value for key, value in document.items() if key not in ("schema", "kind")}
    kind = document.get("kind")
    if document["schema"] == OLD_EPISODE:
        kind = CaseKind.EPISODE
        if _OLD_NO_REWARD_STEPS in fields:
            fields["no_reward_steps"] = fields.pop(_OLD_NO_REWARD_STEPS)
    elif document["schema"] == OLD_COUNTEREXAMPLE:
        kind = CaseKind.COUNTEREXAMPLE
    if kind == CaseKind.EPISODE:
        return _episode(fields, name)
    if kind == CaseKind.COUNTEREXAMPLE:
        return _counterexample(fields, name)
    raise InvalidDocument(f"`kind` must be one of: {', '.join(CaseKind)}")


def _episode(fields: Mapping[str, Any], name: str) -> EpisodeCase:
    _check_fields(fields, _EPISODE_FIELDS, ("environment", "protocol", "seed"))
    if fields.get("least_return") is None and fields.get("holds") is None:
        raise InvalidDocument("it requires nothing: `least_return` and `holds` are both missing")
    window = fields.get("window")
    return EpisodeCase(
        name,
        fields["environment"],
        fields["protocol"],
        fields["seed"],
        fields.get("max_steps"),
        fields.get("no_reward_steps"),
        None if window is None else Window(window["start"], window["ticks"]),
        fields.get("least_return"),
        fields.get("holds"),
        fields.get("origin", ""),
    )


def _counterexample(fields: Mapping[str, Any], name: str) -> CounterexampleCase:
    _check_fields(fields, _COUNTEREXAMPLE_FIELDS, ("environment", "property", "parameters", "ticks"))
    return CounterexampleCase(
        name,
        fields["environment"],
        fields.get("policy", ""),
        fields["property"],
        {key: _number(value) for key, value in fields["parameters"].items()},
        tuple({key: _number(value) for key, value in tick["inputs"].items()} for tick in fields["ticks"]),
        fields.get("origin", ""),
    )


# fields

_Fields = Mapping[str, tuple[Callable[[Any], bool], str]]  # test of a value, and what it must be


def _check_fields(fields: Mapping[str, Any], known: _Fields, required: tuple[str, ...]) -> None:
    for key in fields:
        if key not in known:
            raise InvalidDocument(f"it has an unknown field `{key}`")
    for key in required:
        if key not in fields:
            raise InvalidDocument(f"`{key}` is missing")
    for key, (is_valid, description) in known.items():
        if key in fields and not is_valid(fields[key]):
            raise InvalidDocument(f"`{key}` is not {description}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and value >= least


def _is_limit(value: Any) -> bool:
    return value is None or _is_whole(value, 1)


def _is_window(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and set(value) == {"start", "ticks"}
        and _is_whole(value["start"], 0)
        and _is_whole(value["ticks"], 1)
    )


def _is_finite_or_null(value: Any) -> bool:
    return value is None or type(value) in (int, float) and math.isfinite(value)


def _is_property(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("kind", "name", "text"))


def _are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(item, (int, float)) or item in ("Infinity", "-Infinity") for item in value.values()
    )


def _are_ticks(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(tick, dict) and _are_numbers(tick.get("inputs")) for tick in value)
    )


def _number(value: Any) -> Number:
    """A number of a document; JSON has no infinities, so they are stored as strings."""
    if isinstance(value, (int, float)):
        return value
    return math.inf if value == "Infinity" else -math.inf


_EPISODE_FIELDS: _Fields = MappingProxyType(
    {
        "environment": (_is_text, "a text"),
        "protocol": (_is_text, "a text"),
        "seed": (lambda value: _is_whole(value, 0), "a whole number of 0 or more"),
        "max_steps": (_is_limit, "a number of steps or null"),
        "no_reward_steps": (_is_limit, "a number of steps or null"),
        "window": (_is_window, "null or an object with `start` (0 or more) and `ticks` (1 or more)"),
        "least_return": (_is_finite_or_null, "a number or null"),
        "holds": (_is_text_or_null, "a property or null"),
        "origin": (_is_text, "a text"),
    }
)
_COUNTEREXAMPLE_FIELDS: _Fields = MappingProxyType(
    {
        "environment": (_is_text, "a text"),
        "policy": (_is_text, "a text"),
        "property": (_is_property, "an object with the texts `kind`, `name` and `text`"),
        "parameters": (_are_numbers, "an object of numbers"),
        "ticks": (_are_ticks, "a list of ticks with `inputs`, which are numbers"),
        "origin": (_is_text, "a text"),
    }
)
