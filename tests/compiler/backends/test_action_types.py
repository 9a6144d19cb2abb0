"""Action number types: every type that a card can name is cast to exactly in every form of a program, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.export.python import export_python
from hl_dsl.compiler.policy import BACKENDS, Policy
from hl_dsl.grammar.parser import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.source import SourceText
from hl_dsl.cards import ActionSpace, BadCard, load_card
from hl_dsl.cards.model import INT_ACTION_TYPES, REAL_ACTION_TYPES
from hl_dsl.cards.reader import parse_card
from hl_dsl.cards.writer import card_text
from hl_dsl.program import Program

# Names and aliases that NumPy takes for number types, and others.
NAMES = sorted({
    *np.sctypeDict, *(kind + size for kind in "iufc" for size in ("1", "2", "4", "8", "16")),
    "<f4", ">f4", "=f8", ">i4", "float", "int",
    "bool", "real", "", "Float32", "float32 ",
} - {0}, key=str)  # fmt: skip
names = st.sampled_from([name for name in NAMES if isinstance(name, str)]) | st.text(max_size=8)
PUSH = 'policy push for "Pendulum-v1" { param force: real = 0 in [-1e300, 1e300] act force }'
reals = st.floats(-1e38, 1e38) | st.sampled_from([0.7001, -0.0, 1e-46, -1e-40, 65520.0, 16777217.0, 0.1])


@settings(max_examples=300, deadline=None)
@given(names, st.integers(1, 400))
def test_only_types_with_an_exact_cast_are_accepted(name, count):
    for actions, types in (
        (None, REAL_ACTION_TYPES),
        (tuple(f"A{number}" for number in range(count)), INT_ACTION_TYPES),
    ):
        low, high = ((-1.0,), (1.0,)) if actions is None else ((0,), (count - 1,))
        try:
            space = ActionSpace(actions, 1, low, high, name)
        except BadCard as refusal:
            assert repr(name) in refusal.message and refusal.exit_code == 2 and "\n" not in refusal.message
            assert name not in types or count - 1 > np.iinfo(name).max
        else:
            assert space.dtype in types and np.dtype(name).name == name
            assert actions is None or count - 1 <= np.iinfo(name).max


@pytest.mark.parametrize("name", ["float16", "longdouble", "f4", "float", "int32", "bool", "complex64", ""])
def test_a_card_with_another_real_type_is_refused(name):
    text = card_text(load_card("Pendulum-v1"))
    with pytest.raises(BadCard, match="it must be float32 or float64") as refusal:
        parse_card(text.replace('dtype = "float32"', f'dtype = "{name}"'), "mine.toml")
    assert "mine.toml" in refusal.value.message and "wrap the environment" in refusal.value.hint


def forms(flow, parameters, observations):
    """By form: the actions of one tick in one lane."""
    found = {}
    for backend in BACKENDS:
        policy = Policy(flow, parameters, backend)
        policy.reset(1)
        found[backend] = policy.act(observations)
    module: dict = {}
    exec(compile(export_python(flow), "exported", "exec"), module)
    found["export"] = module["Policy"](1, parameters).act(observations)
    return found


@pytest.mark.parametrize("dtype", REAL_ACTION_TYPES)
@settings(max_examples=40, deadline=None)
@given(force=reals)
def test_every_form_casts_a_real_action_to_its_type(dtype, force):
    card = load_card("Pendulum-v1")
    flow = Program.from_syntax(
        parse(SourceText(PUSH, "push")), card=replace(card, action=replace(card.action, dtype=dtype))
    ).flow
    wanted = np.array([[force]]).astype(dtype)
    for form, action in forms(flow, {"force": force}, {}).items():
        assert action.dtype == wanted.dtype and action.tobytes() == wanted.tobytes(), form
    (defined,) = Interpreter(flow, {"force": force}).tick(()).action
    assert np.float64(defined).tobytes() == wanted.astype(np.float64).tobytes(), (
        "`action` in a property is the number after the cast"
    )


@pytest.mark.parametrize("dtype, largest", INT_ACTION_TYPES.items())
def test_every_form_casts_the_number_of_an_action_to_its_type(dtype, largest):
    count = min(largest + 1, 300)
    card = load_card("CartPole-v1")
    space = ActionSpace(tuple(f"A{number}" for number in range(count)), 1, (0,), (count - 1,), dtype)
    last = f'policy last for "CartPole-v1" {{ act A{count - 1} }}'
    flow = Program.from_syntax(parse(SourceText(last, "last")), card=replace(card, action=space)).flow
    for form, action in forms(flow, {}, {}).items():
        assert action.dtype == np.dtype(dtype) and action.tolist() == [count - 1], form
