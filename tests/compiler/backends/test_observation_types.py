"""Number types of observations: every form clamps, counts and acts alike for arrays of any type."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.export.python import export_python
from hl_dsl.compiler.policy import BACKENDS, Policy
from hl_dsl.grammar.parser import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.base.source import SourceText
from hl_dsl.cards import ActionSpace, BadCard, Field, load_card
from hl_dsl.cards.reader import parse_card
from hl_dsl.cards.writer import card_text
from hl_dsl.program import Program

LARGEST = 2**53
TEXT = """policy seen for "CartPole-v1" {
  observe wide, narrow, flag, number, reward
  memory last_wide: int in [-9007199254740992, 9007199254740992] = 0 { next = wide }
  memory last_narrow: int in [-7, 200] = 0 { next = narrow }
  memory last_flag: bool = false { next = flag }
  memory last_number: real in [-1e18, 1e18] = 0 { next = number }
  memory last_reward: int in [-9007199254740992, 9007199254740992] = 0 { next = reward }
  act { when wide > 9007199254740000 => A  when narrow > 100 => B  when flag and number > 0 => C  otherwise => D }
}"""


def _field(name: str, base: str, low, high, column: int, source: str = "observation") -> Field:
    return Field(name, base, None, (low,), (high,), (0 if base != "real" else 0.0,), source, (column,), "", "")


FIELDS = (
    _field("wide", "int", -LARGEST, LARGEST, 0), _field("narrow", "int", -7, 200, 1), _field("flag", "bool", 0, 1, 2),
    _field("number", "real", -1e18, 1e18, 3), _field("reward", "int", -LARGEST, LARGEST, 0, "reward"),
)  # fmt: skip
CARD = replace(
    load_card("CartPole-v1"),
    fields={field.name: field for field in FIELDS},
    action=ActionSpace(("A", "B", "C", "D"), 1, (0,), (3,), "int32"),
)
FLOW = Program.from_syntax(parse(SourceText(TEXT, "seen")), card=CARD).flow
EXPORTED: dict = {}
exec(compile(export_python(FLOW), "exported", "exec"), EXPORTED)

edges = [
    sign * (power + more)
    for sign in (1, -1)
    for power in (0, 100, 200, 2**31, LARGEST, 2**60, 2**62)
    for more in range(-3, 4)
]
ints = st.sampled_from(edges) | st.integers(-(2**65), 2**65)
floats = st.floats(width=64) | st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 0.5, 200.5, -7.5, 1e18, 5e-324])
TYPES = [np.dtype(name) for name in (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "longdouble", "object",
    ">i4", ">i8", ">u8", ">f4", ">f8")]  # fmt: skip


def array_of(dtype: np.dtype, drawn: list) -> np.ndarray:
    """The drawn numbers as an array of the type; an int wraps where the type is narrower."""
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        span = info.max - info.min + 1
        drawn = [(int(one) if math.isfinite(one) else 0) for one in drawn]
        return (
            np.array([(one - info.min) % span + info.min for one in drawn]).astype(dtype)
            if dtype.itemsize < 8
            else np.array([one if info.min <= one <= info.max else info.max for one in drawn], dtype)
        )
    if dtype.kind == "O":
        return np.array([*drawn, None], object)[:-1]
    with np.errstate(all="ignore"):
        return np.array(drawn, object).astype(np.longdouble if dtype.itemsize > 8 else np.float64).astype(dtype)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(TYPES), st.lists(ints | floats, min_size=5, max_size=5))
def test_every_form_admits_the_same_values_of_any_type(dtype, drawn):
    values = array_of(dtype, drawn)
    shown = {"observation": values[None, :4], "reward": values[4:]}
    machine = Interpreter(FLOW)
    raw = [values[4] if entry.source == "reward" else values[entry.column] for entry in FLOW.inputs]
    wanted = machine.tick([one.item() if isinstance(one, np.generic) and dtype.itemsize <= 8 else one for one in raw])
    memory = dict(zip((cell.name for cell in FLOW.memories), machine.memory))
    for backend in BACKENDS:
        policy = Policy(FLOW, backend=backend)
        policy.reset(1)
        assert policy.act(shown).tolist() == list(wanted.action), backend
        assert {name: repr(one[0].item()) for name, one in policy.memory.items()} == {
            name: repr(one) for name, one in memory.items()
        }, backend
        assert policy.out_of_range.tolist() == [wanted.out_of_range], backend
    exported = EXPORTED["Policy"](1)
    assert exported.act(shown).tolist() == list(wanted.action) and exported.out_of_range.tolist() == [
        wanted.out_of_range
    ]
    assert [repr(one[0].item()) for one in exported.memory] == [repr(one) for one in machine.memory]


@settings(max_examples=200, deadline=None)
@given(ints)
def test_int_is_compared_with_its_range_exactly(value):
    for name, low, high in (("wide", -LARGEST, LARGEST), ("narrow", -7, 200)):
        machine = Interpreter(FLOW)
        inputs = machine.tick([value if entry.name == name else 0 for entry in FLOW.inputs])
        assert inputs.out_of_range == (not low <= value <= high)
        assert machine.last_valid[[entry.name for entry in FLOW.inputs].index(name)] == min(max(value, low), high)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "values", [np.zeros((1, 4), complex), np.array([["1", "2", "3", "4"]]), np.zeros((1, 4), "M8[s]")]
)
def test_array_that_does_not_hold_numbers_is_refused(backend, values):
    policy = Policy(FLOW, backend=backend)
    policy.reset(1)
    with pytest.raises(HLError, match="`observation` does not hold numbers"):
        policy.act({"observation": values, "reward": np.zeros(1)})


@settings(max_examples=100, deadline=None)
@given(ints, ints)
def test_card_with_an_int_range_beyond_the_exact_ints_is_refused(one, other):
    low, high = sorted((one, other))
    text = card_text(CARD).replace("low = -7\nhigh = 200\ndefault = 0", f"low = {low}\nhigh = {high}\ndefault = {low}")
    if low >= -LARGEST and high <= LARGEST:
        field = parse_card(text, "mine.toml").fields["narrow"]
        assert (field.low, field.high) == ((low,), (high,))
    elif low >= -(2**63) and high < 2**63:
        with pytest.raises(BadCard) as refusal:
            parse_card(text, "mine.toml")
        assert (
            "mine.toml" in refusal.value.message
            and "`narrow`" in refusal.value.message
            and "±2^53" in refusal.value.message
        )
        assert "coarser unit" in refusal.value.hint


def test_episode_limit_beyond_the_exact_ints_is_refused():
    text = card_text(CARD)
    with pytest.raises(BadCard, match=r"`step` .* ±2\^53"):
        parse_card(text.replace("max_episode_steps = 500", f"max_episode_steps = {2**60}"), "mine.toml")


def test_parameter_that_binary64_does_not_hold_is_refused():
    flow = Program.from_syntax(
        parse(
            SourceText(
                'policy p for "CartPole-v1" { param gain: real = 0 in [0, 1e18] '
                "act { when gain > 1 => LEFT otherwise => RIGHT } }",
                "p",
            )
        )
    ).flow
    module: dict = {}
    exec(compile(export_python(flow), "exported", "exec"), module)
    for value in (LARGEST + 1, [LARGEST + 1], np.int64(2**59 + 1)):
        with pytest.raises(HLError, match="takes real values"):
            Policy(flow, {"gain": value})
        with pytest.raises(ValueError, match="must be a binary64 number"):
            module["Policy"](1, {"gain": value})
    Policy(flow, {"gain": LARGEST + 2})
