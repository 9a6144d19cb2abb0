"""Format of ledger lines: sealing, parsing, schema, and a reader for the schema before it.

Each line of a ledger names its own schema, so a ledger that an earlier version started can be extended: its old lines
are read as `hl.trials/1`, its new ones as `hl.trials/2`. A line without the field `schema` is `hl.trials/1`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.json_values import NotRecordable, plain
from hl_dsl.synth.runs.statuses import Gate, TrialKind

SCHEMA = "hl.trials/2"
FIRST_SCHEMA = "hl.trials/1"
SCHEMA_FIELD = "schema"
LEDGER_SETTING = "ledger_schema"
"""The setting in `run.json` that names the schema of the run's ledger; absent before `hl.trials/2`."""

LEDGER_FIELDS = ("sequence", "time", SCHEMA_FIELD, "checksum")
"""The fields that the ledger adds to each event."""

_SEAL = b',"checksum":"%s"}'
_SEAL_LENGTH = len(_SEAL % (b"0" * 16))
_TAIL_BYTES = 1 << 16  # read from the end of the file to find its last line; a longer line is read in larger pieces
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
            f"event {event.get('sequence', '?')} of the ledger has schema {schema}; "
            f"this version reads {FIRST_SCHEMA} and {SCHEMA}",
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


def event_body(event: Mapping[str, Any]) -> bytes:
    """Returns the JSON of an event without its braces. Raises NotRecordable."""
    taken = [name for name in LEDGER_FIELDS if name in event]
    if taken:
        raise NotRecordable(
            f"cannot record an event with a field called `{taken[0]}`", "rename it: the ledger writes that field itself"
        )
    try:
        text = json.dumps(plain(event), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise NotRecordable(f"cannot record the event: {error}", "record smaller numbers or flatter values") from error
    return text[1:-1].encode("ascii")


def sealed_line(sequence: int, moment: str, body: bytes) -> bytes:
    """Returns a whole line. `moment` is the time in UTC, ISO 8601."""
    sealed = b'{"sequence":%d,"time":"%s","schema":"%s"' % (sequence, moment.encode("ascii"), SCHEMA.encode("ascii"))
    if body:
        sealed += b"," + body
    return sealed + _SEAL % _checksum(sealed) + b"\n"


def _checksum(sealed: bytes) -> bytes:
    return hashlib.sha256(sealed).hexdigest()[:16].encode("ascii")


def parse_line(line: bytes, expected: int) -> tuple[dict[str, Any] | None, str]:
    """Returns the event of a line without its newline, or None and the problem."""
    if not line:
        return None, "the line is empty"
    sealed, seal = line[:-_SEAL_LENGTH], line[-_SEAL_LENGTH:]
    if not (line.startswith(b'{"sequence":') and seal.startswith(_SEAL[:13]) and seal.endswith(b'"}')):
        return None, "this is not a ledger event, or only a part of one"
    if seal != _SEAL % _checksum(sealed):
        return None, "the checksum does not match: the line was changed after it was written"
    event = json.loads(line)
    if event["sequence"] != expected:
        return (
            None,
            f"event {expected} is expected here, but this is event {event['sequence']}: lines were lost or moved",
        )
    return event, ""


def sequence_of(line: bytes) -> int:
    """Returns the sequence number at the start of a line; 0 if there is none."""
    digits = line[len(b'{"sequence":') :].split(b",", 1)[0]
    return int(digits) if digits.isdigit() and len(digits) < 20 else 0


def can_be_torn(rest: bytes, expected: int) -> bool:
    """Returns whether `rest` can be an incomplete event `expected`.

    A file that is not a ledger must never be truncated. A power failure may leave zeros for data that never reached the
    disk.
    """
    head = b'{"sequence":%d,"time":"' % expected
    rest = rest.rstrip(b"\0")
    return head.startswith(rest[: len(head)])


def last_lines(descriptor: int, size: int) -> tuple[bytes | None, bytes]:
    """Returns the last line that has a newline (None if there is none) and the bytes after it; reads from the end."""
    length = _TAIL_BYTES
    while True:
        start = max(0, size - length)
        tail = _read_at(descriptor, start, size - start)
        cut = tail.rfind(b"\n")
        before = tail.rfind(b"\n", 0, cut) if cut >= 0 else -1
        if start == 0 or before >= 0:
            return (tail[before + 1 : cut] if cut >= 0 else None), tail[cut + 1 :]
        length *= 4


def _read_at(descriptor: int, start: int, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = os.pread(descriptor, length - len(data), start + len(data))
        if not piece:
            raise OSError(5, "the file ended early")
        data += piece
    return data
