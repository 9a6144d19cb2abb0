"""Fitness, schedules of short episodes, and selection of parameters, as text."""

import re

import pytest
from hl_dsl.synth.tuning.episode_schedule import Phase, parse_short, schedule_text
from hl_dsl.synth.tuning.fitness import MEAN, parse_fitness
from hl_dsl.synth.tuning.parameter_selection import chosen_parameters
from hypothesis import given
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program

returns = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)
weights = st.integers(1, 400).map(lambda number: number / 100)


@given(returns, weights, weights)
def test_mixed_fitness_is_the_weighted_sum(values, least, mean):
    mixed = parse_fitness(f"{least:g}*min + {mean:g}*mean")
    assert mixed(values) == pytest.approx(least * min(values) + mean * sum(values) / len(values))
    assert parse_fitness(mixed.text) == mixed
    assert parse_fitness("mean") == MEAN and MEAN(values) == sum(values) / len(values), "to the bit"
    assert parse_fitness("min")(values) == min(values)


@pytest.mark.parametrize(
    "text, said",
    [
        ("median", "`median` is not understood"),
        ("", "a term is empty"),
        ("mean+", "a term is empty"),
        ("0*mean", "above 0"),
        ("min+min", "twice"),
        ("min+mean+mean", "names `mean` twice"),
        ("mean+min+0.5*mean", "names `mean` twice"),
        ("-1*mean", "not understood"),
        ("mean - min", "not understood"),
        ("0.5 min", "not understood"),
        ("1e9*mean", "not understood"),
        (f"{'9' * 400}*mean", "finite"),
    ],
)
def test_invalid_fitness_is_an_error_with_an_example(text, said):
    with pytest.raises(HLError, match=re.escape(said)) as caught:
        parse_fitness(text)
    assert "0.5*min+0.5*mean" in caught.value.hint


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 100)), max_size=5, unique_by=lambda pair: pair[0]))
def test_schedule_text_parses_to_the_same_schedule(pairs):
    phases = tuple(Phase(*pair) for pair in sorted(pairs))
    assert parse_short(schedule_text(phases)) == phases


def test_unknown_component_is_an_error_that_lists_the_components():
    with pytest.raises(HLError, match=r"no parameter `w\[3\]`") as caught:
        chosen_parameters(Program.parse(VECTORS).flow.parameters, ["w[3]"], "p")
    assert caught.value.hint == "`w` has components 0 to 2"


@pytest.mark.parametrize(
    "text, said",
    [
        ("x", "not a valid schedule"),
        ("0:3", "1 or more"),
        ("200:0", "1 or more"),
        ("200,100", "do not increase"),
        ("200:", "not a valid schedule"),
        ("5:5:5", "not a valid schedule"),
        ("900", "not short"),
    ],
)
def test_invalid_schedule_is_an_error(text, said):
    with pytest.raises(HLError, match=said):
        parse_short(text, longest=500)


VECTORS = (
    'policy p for "CartPole-v1" { observe pole.angle  param gain_a: real = 1 in [0, 2]  param '
    "gain_b: real = 1 in [0, 2]  param w: vec[3] = 0 in [-1, 1]  act { when gain_a * gain_b * "
    "sum(w) > pole.angle => LEFT  otherwise => RIGHT } }"
)


@pytest.mark.parametrize(
    "names, found",
    [
        (None, ["gain_a", "gain_b", "w[0]", "w[1]", "w[2]"]),
        (["gain_?"], ["gain_a", "gain_b"]),
        (["w"], ["w[0]", "w[1]", "w[2]"]),
        (["w[1]"], ["w[1]"]),
        (["*_b", "w[2]"], ["gain_b", "w[2]"]),
        (["w[*]"], ["w[0]", "w[1]", "w[2]"]),
        (["gain*"], ["gain_a", "gain_b"]),
    ],
)
def test_patterns_select_parameters(names, found):
    assert [one.name for one in chosen_parameters(Program.parse(VECTORS).flow.parameters, names, "p")] == found


@pytest.mark.parametrize("name", ["v", "gain[1]", "gain", "gain?", "w[", "[ab]"])
def test_pattern_without_a_match_is_an_error_that_lists_the_parameters(name):
    with pytest.raises(HLError, match="no parameter") as caught:
        chosen_parameters(Program.parse(VECTORS).flow.parameters, [name], "p")
    assert "gain_a, gain_b, w" in caught.value.hint
