"""Schema of ledger lines and of `run.json`, and a reader for the schema before it.

Each line of a ledger names its own schema, so a ledger that an earlier version started can be extended: its old lines are read
as `hl.trials/1`, its new ones as `hl.trials/2`. A line without the field `schema` is `hl.trials/1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hl_dsl.synth.runs.statuses import Gate, TrialKind

from hl_dsl.base.errors import HLError

SCHEMA = "hl.trials/2"
FIRST_SCHEMA = "hl.trials/1"
SCHEMA_FIELD = "schema"
LEDGER_SETTING = "ledger_schema"
"""The setting in `run.json` that names the schema of the run's ledger; absent before `hl.trials/2`."""

_GATES = {"smoke": Gate.QUICK_SEEDS, "development": Gate.ALL_SEEDS}
_KINDS = {"film": TrialKind.VIDEO}
_OPTIONS = {"dry_steps": "no_reward_steps"}
# Reasons in `hl.trials/1` of candidates that were pruned; their gate was that of the seeds they were played on.
_PRUNED_PREFIX = "left:"
_PRUNED_PHRASES = ("is clearly worse than the best", "not in the better half of its generation")


class UnknownSchema(HLError):
    """A line was written in a schema that this version cannot read."""


def current_event(event: dict[str, Any]) -> dict[str, Any]:
    """Returns an event in the words of the current schema.

    `schema` keeps the name of the schema in which the line was written. Raises UnknownSchema.
    """
    schema = event.setdefault(SCHEMA_FIELD, FIRST_SCHEMA)
    if schema == SCHEMA:
        return event
    if schema != FIRST_SCHEMA:
        raise UnknownSchema(
            f"event {event.get('sequence', '?')} of the ledger has schema {schema}; this version reads {FIRST_SCHEMA} and {SCHEMA}",
            "read it with the version of HL that wrote it",
        )
    if event.get("event") == "trial":
        event.update(_renamed_trial(event))
    return event


def _renamed_trial(event: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of a trial of `hl.trials/1` whose words were renamed."""
    renamed: dict[str, Any] = {}
    gate, reason = event.get("gate"), event.get("reason") or ""
    if gate in _GATES:
        pruned = reason.startswith(_PRUNED_PREFIX) or any(phrase in reason for phrase in _PRUNED_PHRASES)
        renamed["gate"] = Gate.PRUNED if pruned else _GATES[gate]
    if event.get("kind") in _KINDS:
        renamed["kind"] = _KINDS[event["kind"]]
    options = event.get("options")
    if options and not options.keys().isdisjoint(_OPTIONS):
        renamed["options"] = _renamed_options(options)
    return renamed


def _renamed_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {_OPTIONS.get(name, name): value for name, value in options.items()}


def current_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings of a `run.json` in the words of the current schema."""
    return settings if LEDGER_SETTING in settings else _renamed_options(settings)
