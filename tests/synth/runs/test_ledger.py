"""The ledger: events are read as written, and damage of any kind is detected or repaired."""

from __future__ import annotations

import json
import logging
import math
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.base.json_values import NotRecordable, plain
from hl_dsl.synth.runs.ledger import Ledger, LedgerDamaged
from hl_dsl.synth.runs.ledger_format import LEDGER_FIELDS

logging.getLogger("hl_dsl.synth.runs.ledger").setLevel(logging.ERROR)

names = st.text(max_size=8).filter(lambda name: name not in LEDGER_FIELDS)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
events = st.dictionaries(names, values, max_size=5)


def payload(event: dict) -> dict:
    return {name: value for name, value in event.items() if name not in LEDGER_FIELDS}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("ledger")


def fresh(scratch: Path) -> Ledger:
    path = scratch / "trials.jsonl"
    path.unlink(missing_ok=True)
    return Ledger(path)


def written(scratch: Path, payloads: list[dict]) -> tuple[Ledger, bytes]:
    ledger = fresh(scratch)
    ledger.append_many(payloads)
    return ledger, ledger.path.read_bytes() if payloads else b""


@settings(deadline=None, max_examples=60)
@given(payloads=st.lists(events, max_size=6))
def test_any_json_payload_is_read_as_written(scratch, payloads):
    ledger = fresh(scratch)
    returned = [ledger.append(event) for event in payloads]
    assert ledger.read() == returned
    assert [payload(event) for event in returned] == payloads
    assert [event["sequence"] for event in returned] == list(range(1, len(payloads) + 1))


@settings(deadline=None, max_examples=25)
@given(payloads=st.lists(events, min_size=1, max_size=3), data=st.data())
def test_a_truncated_ledger_keeps_a_valid_prefix_and_can_be_continued(scratch, payloads, data):
    ledger, whole = written(scratch, payloads)
    complete = ledger.read()
    offset = data.draw(st.integers(0, len(whole)))
    ledger.path.write_bytes(whole[:offset])
    assert_prefix_continues(ledger, complete, whole, offset)


def test_a_ledger_truncated_at_any_offset_keeps_a_valid_prefix(scratch):
    ledger, whole = written(scratch, [{"text": 'é\n"', "n": 1}, {}, {"returns": [1.5, math.inf]}])
    complete = ledger.read()
    for offset in range(len(whole) + 1):
        ledger.path.write_bytes(whole[:offset])
        assert_prefix_continues(ledger, complete, whole, offset)


def assert_prefix_continues(ledger: Ledger, complete: list[dict], whole: bytes, offset: int) -> None:
    kept = ledger.read()
    assert kept == complete[: len(kept)]
    # A line that lacks nothing but its newline is whole.
    ends = [match.end() for match in re.finditer(b"\n", whole)]
    assert len(kept) == sum(end - 1 <= offset for end in ends)
    rest = whole[([0] + ends)[len(kept)] : offset] if len(kept) < len(ends) else b""
    assert ledger.torn == rest
    added = ledger.append({"after": True})
    assert ledger.torn == rest
    assert ledger.read() == kept + [added] and ledger.torn == b""
    assert added["sequence"] == len(kept) + 1


def test_every_flipped_bit_before_the_last_line_is_detected(scratch):
    ledger, whole = written(scratch, [{"return": 387.0}, {"program": "act NOOP # é"}, {"last": True}])
    last_line = whole.rstrip(b"\n").rfind(b"\n") + 1
    for position in range(last_line):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            ledger.path.write_bytes(damaged)
            with pytest.raises(LedgerDamaged) as caught:
                ledger.read()
            # Without its newline a line runs into the next, so the earlier of the two is named.
            assert caught.value.line == whole[:position].count(b"\n") + 1
            assert str(ledger.path) in caught.value.message and f"line {caught.value.line}" in caught.value.message
            assert caught.value.hint


@settings(deadline=None, max_examples=60)
@given(payloads=st.lists(events, min_size=2, max_size=4), data=st.data())
def test_any_changed_byte_before_the_last_line_is_detected(scratch, payloads, data):
    ledger, whole = written(scratch, payloads)
    last_line = whole.rstrip(b"\n").rfind(b"\n") + 1
    position = data.draw(st.integers(0, last_line - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[position]))
    ledger.path.write_bytes(whole[:position] + bytes([byte]) + whole[position + 1 :])
    with pytest.raises(LedgerDamaged):
        ledger.read()


@pytest.mark.parametrize(
    ("change", "line", "problem"),
    [
        (lambda lines: lines[:1] + lines[2:], 2, "event 2 is expected here, but this is event 3"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1, "event 1 is expected here"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], 2, "event 2 is expected here"),
        (lambda lines: [lines[0], b"\n", *lines[1:]], 2, "empty"),
        (lambda lines: [lines[0], b'{"hand":"written"}\n', *lines[1:]], 2, "not a ledger event"),
        (lambda lines: [lines[0], lines[1].replace(b"20", b"21", 1), *lines[2:]], 2, "checksum"),
        (lambda lines: lines + [b"{}\n"], 5, "not a ledger event"),
        (lambda lines: lines + [b"not a ledger"], 5, "not a ledger event"),
    ],
)
def test_damage_is_an_error_with_its_line_for_read_and_append(scratch, change, line, problem):
    ledger, whole = written(scratch, [{"return": value} for value in (10, 20, 30, 40)])
    changed = b"".join(change(whole.splitlines(keepends=True)))
    ledger.path.write_bytes(changed)
    with pytest.raises(LedgerDamaged) as caught:
        ledger.read()
    assert caught.value.line == line and problem in caught.value.problem
    if changed.splitlines(keepends=True)[-1] != whole.splitlines(keepends=True)[-1]:
        with pytest.raises(LedgerDamaged) as caught:
            ledger.append({"more": 1})
        assert caught.value.line == line
        assert ledger.path.read_bytes() == changed


@pytest.mark.parametrize(
    "content", [b"a note of mine", b'{"name": "package", "version": 1}', b"\x89PNG\r\n\x1a\n", b"\n"]
)
def test_a_file_that_is_not_a_ledger_is_never_truncated(tmp_path, content):
    path = tmp_path / "trials.jsonl"
    path.write_bytes(content)
    for use in (Ledger(path).read, lambda: Ledger(path).append({"a": 1})):
        with pytest.raises(LedgerDamaged) as caught:
            use()
        assert caught.value.line == 1
    assert path.read_bytes() == content


@pytest.mark.parametrize("kept", [0, 10, 60])
def test_zeros_after_a_power_failure_count_as_torn(scratch, kept):
    ledger, whole = written(scratch, [{"a": 1}, {"b": 2}])
    cut = whole.index(b"\n") + 1 + kept
    ledger.path.write_bytes(whole[:cut] + bytes(100))
    assert len(ledger.read()) == 1 and ledger.torn == whole[whole.index(b"\n") + 1 : cut] + bytes(100)
    assert ledger.append({"c": 3})["sequence"] == 2
    assert [payload(event) for event in ledger.read()] == [{"a": 1}, {"c": 3}]


def test_the_hint_repairs_a_damaged_ledger(tmp_path):
    import subprocess

    ledger = Ledger(tmp_path / "a folder" / "trials.jsonl")
    ledger.path.parent.mkdir()
    ledger.append_many([{"n": number} for number in range(5)])
    text = ledger.path.read_bytes().replace(b'"n":3', b'"n":7')
    ledger.path.write_bytes(text)
    with pytest.raises(LedgerDamaged) as caught:
        ledger.read()
    command = re.search(r"`(head .*?)`", caught.value.hint)[1]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert [payload(event) for event in Ledger(tmp_path / "repaired.jsonl").read()] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_a_missing_file_reads_as_empty_and_is_not_created(tmp_path):
    assert Ledger(tmp_path / "trials.jsonl").read() == []
    assert list(tmp_path.iterdir()) == []


def test_appending_nothing_writes_nothing(tmp_path):
    assert Ledger(tmp_path / "trials.jsonl").append_many([]) == []
    assert list(tmp_path.iterdir()) == []


def test_lines_are_plain_ascii_json_with_a_utc_time(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"note": "größer\u2028\n", "score": 0.1 + 0.2})
    text = ledger.path.read_bytes().decode("ascii")
    assert text.count("\n") == 1
    event = json.loads(text)
    assert event["note"] == "größer\u2028\n" and event["score"] == 0.1 + 0.2
    moment = datetime.fromisoformat(event["time"])
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 3600 and event["time"].endswith("Z")


def test_nan_and_infinities_become_strings_that_float_reads(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append({"returns": [math.nan, math.inf, -math.inf, 1.0], "deep": {"x": (np.float64("inf"),)}})

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    event = json.loads(ledger.path.read_text(), parse_constant=refuse)
    assert event["returns"] == ["NaN", "Infinity", "-Infinity", 1.0] and event["deep"] == {"x": ["Infinity"]}
    assert [float(value) for value in event["returns"]][1:] == [math.inf, -math.inf, 1.0]


def test_arrays_tuples_paths_and_int_keys_are_recorded_as_plain_json():
    value = {
        1: np.arange(3),
        "b": (np.bool_(True), np.float32(0.5), np.int64(7)),
        "path": Path("a/b"),
        "n": np.array([[np.nan]]),
    }
    assert plain(value) == {"1": [0, 1, 2], "b": [True, 0.5, 7], "path": "a/b", "n": [["NaN"]]}


@pytest.mark.parametrize(
    "event",
    [
        {"sequence": 1},
        {"checksum": ""},
        {"time": ""},
        {"a": object()},
        {"a": {1j: 2}},
        {"a": {1: 2, "1": 3}},
        {"a": b"bytes"},
        {"a": 10**5000},
    ],
)
def test_an_unrecordable_event_is_refused_before_any_write(tmp_path, event):
    ledger = Ledger(tmp_path / "trials.jsonl")
    with pytest.raises(NotRecordable) as caught:
        ledger.append_many([{"fine": 1}, event])
    assert isinstance(caught.value, HLError) and caught.value.hint
    assert not ledger.path.exists()


def test_a_circular_value_is_refused(tmp_path):
    circle: list = []
    circle.append(circle)
    with pytest.raises(NotRecordable):
        Ledger(tmp_path / "trials.jsonl").append({"circle": circle})


def test_a_long_line_is_found_from_the_end(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append_many([{"a": 1}, {"long": "x" * 300_000}])
    assert Ledger(ledger.path).append({"b": 2})["sequence"] == 3
    ledger.path.write_bytes(ledger.path.read_bytes() + b'{"sequence":4,"time":"' + b"y" * 300_000)
    assert ledger.append({"c": 3})["sequence"] == 4
    assert [event["sequence"] for event in ledger.read()] == [1, 2, 3, 4]


def test_append_reads_only_the_end_of_the_file(tmp_path, monkeypatch):
    import os

    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.append_many([{"text": "x" * 1000}] * 2000)
    read = 0
    original = os.pread

    def counting(descriptor, length, offset):
        nonlocal read
        data = original(descriptor, length, offset)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", counting)
    ledger.append({"more": 1})
    assert 0 < read <= 1 << 16 < ledger.path.stat().st_size / 10
