"""Vectors: every component has its own range, and what is said of one names it."""

import pytest
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.grammar.tree.syntax_tree import Memory, Param
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.program import Program

numbers = st.integers(-40, 40).map(lambda number: number / 4)


@st.composite
def ranges(draw, size):
    """Ends as they are written, and as they are meant for each component; each end one number or one for each."""
    low = draw(st.lists(numbers, min_size=size, max_size=size) | numbers.map(lambda one: [one] * size))
    high = (
        [end + draw(st.integers(0, 8)) for end in low]
        if draw(st.booleans())
        else [max(low) + draw(st.integers(0, 8))] * size
    )

    def text(ends):
        return repr(ends[0]) if len(set(ends)) == 1 and draw(st.booleans()) else repr(ends)

    return f"[{text(low)}, {text(high)}]", list(zip(low, high))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 6))
def test_each_component_has_the_range_that_is_written(data, size):
    written, meant = data.draw(ranges(size))
    inside = [data.draw(st.sampled_from(pair)) for pair in meant]
    text = f"""policy p for "CartPole-v1" {{
  observe pole.angle
  param w: vec[{size}] = {inside} in {written}
  memory m: vec[{size}] in {written} = {inside} {{
    next = clamp(w * pole.angle, {[low for low, _ in meant]}, {[high for _, high in meant]})
  }}
  act {{ when sum(m) > 0 => LEFT  otherwise => RIGHT }}
  invariant inside: all(m in [{[low for low, _ in meant]}, {[high for _, high in meant]}])
}}"""
    program = Program.parse(text)
    assert [(one.low, one.high, one.default) for one in program.flow.parameters] == [
        (*pair, start) for pair, start in zip(meant, inside)
    ]
    assert [(one.low, one.high) for one in program.flow.memories] == meant and [
        one.name for one in program.flow.memories
    ] == [f"m[{place}]" for place in range(size)]
    again = Program.parse(program.text)
    assert again.hash == program.hash and again.text == program.text
    for kind in (Param, Memory):
        assert next(again.syntax.of(kind)).range.values == next(program.syntax.of(kind)).range.values
    assert program.prove().passed


def test_an_observed_vector_has_a_range_for_each_component():
    program = Program.parse("""policy p for "HalfCheetah-v5" {
  observe joint.angle[6] in [[-1, -1, -1, -2, -2, -2], 1.5]
  act clamp(-joint.angle, -1, 1)
}""")
    assert [(one.low, one.high) for one in program.flow.inputs] == [(-1.0, 1.5)] * 3 + [(-2.0, 1.5)] * 3


LEGS = """policy p for "CartPole-v1" {
  observe pole.angle
  param w: vec[3] = 1 in [[0.5, 0, 0.5], 2]
  memory m: vec[3] in [[-1, -1, -0.5], [1, 1, 0.5]] = 0 { next = clamp(%s * pole.angle, -0.6, 0.6) }
  act { when %s > 0 => LEFT  otherwise => RIGHT }
}"""


@pytest.mark.parametrize(
    "text, said",
    [
        (LEGS % ("w", "m[0]"), "the next value of `m[2]` stays in its range [-0.5, 0.5]"),
        (LEGS % ("0.5", "sum(1 / w)"), "`divide`: the divisor is not zero, in component 1"),
        (LEGS % ("0.5", "norm(sqrt([1, 2, pole.angle]))"), "`sqrt`: the operand is not negative, in component 2"),
        (LEGS % ("0.5", "sum(exp([1, 1e4 * w[0], 1]))"), "is a finite float, in component 1"),
    ],
)
def test_what_must_be_proved_names_the_component(text, said):
    assert sum(said in one.says for one in Program.parse(text).flow.obligations) == 1


def test_a_refutation_names_the_component():
    program = Program.parse(LEGS % ("w", "m[0]"))
    shown = program.prove().render(program.source)
    assert "False: the next value of `m[2]` stays in its range [-0.5, 0.5]" in shown and "`m[0]`" not in shown


@pytest.mark.parametrize(
    "expression, value",
    [
        ("if pole.angle > 9 then [1, 2, 3] else [4, 5, 6]", [4, 5, 6]),
        ("[1, 5, 3][[2, 0, 1]]", [3, 1, 5]),
        ("max([1, 5, 3], 2)", [2, 5, 3]),
        ("clamp([1, 5, 3], [2, 2, 2], 4)", [2, 4, 3]),
        ("abs([-1, 5, 3])", [1, 5, 3]),
        ("[1, 5, 3, 9][1:4]", [5, 3, 9]),
        ("previous([1, 2, 3] + pole.angle, 7)", [7, 7, 7]),
        ("2 * [1, 2, 3] - [0, 1, 0]", [2, 3, 6]),
        ("if all([1, 2] < 3) then [1, 1, 1] else 0 * [1, 1, 1]", [1, 1, 1]),
    ],
)
def test_operators_work_component_by_component(expression, value):
    flow = Program.parse(f'policy p for "CartPole-v1" {{ observe pole.angle  let v = {expression}  act LEFT }}').flow
    interpreter = Interpreter(flow)
    interpreter.reset()
    values = interpreter.evaluate([0.1] * len(flow.inputs), [cell.start for cell in flow.memories])
    assert [values[node] for node in flow.values["v"].nodes] == value


def test_a_vector_is_rejected_as_a_condition():
    with pytest.raises(ProgramError, match="HL307"):
        Program.parse(
            'policy p for "CartPole-v1" { observe pole.angle  let v = if [1, 2] > pole.angle then [1, 2] '
            "else [3, 4]  act LEFT }"
        )
