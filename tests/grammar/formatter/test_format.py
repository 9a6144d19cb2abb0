"""Layout of given texts: groups, columns, breaks, comments and parentheses."""

from __future__ import annotations

import pytest
from hypothesis import settings

from hl_dsl.base.source import SourceText
from hl_dsl.grammar.formatter.format import format_expression, format_text
from hl_dsl.grammar.formatter.layout import WIDTH
from hl_dsl.grammar.parser import parse
from hl_dsl.grammar.tree.syntax_tree import Apply, Let, Name, Number, PolicyDeclaration
from hl_dsl.operators import OPERATORS
from tests.support.paths import POLICIES

many = settings(deadline=None, max_examples=70)
PROGRAMS = sorted(POLICIES.rglob("*.hl"))


def read(text: str) -> PolicyDeclaration:
    return parse(SourceText(text))


def check(given_text: str, wanted: str) -> None:
    wanted = wanted.lstrip("\n")
    assert format_text(given_text) == wanted
    assert format_text(wanted) == wanted


def test_groups_columns_and_comments():
    check(
        """# What it is for.
policy   tidy for "Breakout-v5" { observe ram,reward   # what it sees
param a:real=3 in [0,8]# pixels
param longer: int=1024 in [128, 4096]   # ticks
let x = ram[ 99 ]
# The ball's height.


let ball_y=(ram[101])
let z = ball_y

let w = z
memory m: real in [0, 255] = 0 { next = x } memory seen: bool = false { next = x>0 }
act { when x>a=>RIGHT when x < -a => LEFT otherwise=>NOOP }
invariant low: x>=0 monitor quick: ball_y < 250
}
# The end.""",
        """
# What it is for.
policy tidy for "Breakout-v5" {
  observe ram, reward  # what it sees

  param a:      real = 3    in [0, 8]       # pixels
  param longer: int  = 1024 in [128, 4096]  # ticks

  let x = ram[99]
  # The ball's height.

  let ball_y = ram[101]
  let z      = ball_y

  let w = z

  memory m:    real in [0, 255] = 0 { next = x }
  memory seen: bool             = false { next = x > 0 }

  act {
    when x > a  => RIGHT
    when x < -a => LEFT
    otherwise   => NOOP
  }

  invariant low: x >= 0
  monitor quick: ball_y < 250
}
# The end.
""",
    )


def test_long_declarations_break_at_their_outermost_places():
    check(
        """policy p for "E" {
let aim = clamp(reflect(ball_x + chase_lead * velocity_x, left_wall, right_wall), left_wall + 0.5, right_wall - 0.5)
let sure = seen and not stuck and (ball_y > 120 or velocity_y > 0) and paddle_x in [15.5, 152.5] and lives > 0
let speed = if rally then far_speed * distance + near_speed else if serve then serve_speed else if stuck then 0.5 else 0
act { when first_condition and second_condition and third_condition and fourth_condition and fifth_condition => RIGHT
 when b => LEFT when c => FIRE otherwise => NOOP }
}""",
        """
policy p for "E" {
  let aim = clamp(
    reflect(ball_x + chase_lead * velocity_x, left_wall, right_wall),
    left_wall + 0.5,
    right_wall - 0.5
  )
  let sure =
    seen
    and not stuck
    and (ball_y > 120 or velocity_y > 0)
    and paddle_x in [15.5, 152.5]
    and lives > 0
  let speed =
    if rally then far_speed * distance + near_speed
    else if serve then serve_speed
    else if stuck then 0.5
    else 0

  act {
    when first_condition
      and second_condition
      and third_condition
      and fourth_condition
      and fifth_condition
      => RIGHT
    when b    => LEFT
    when c    => FIRE
    otherwise => NOOP
  }
}
""",
    )


def test_comments_inside_a_declaration_keep_their_place():
    check(
        """policy p for "E" {
  let x = if seen # the ball is there
    then 1 else 2 # gone
  let y = clamp(a, # what
    # the lower wall
    0, 9)
  modes { # two
    start one { act LEFT # go
      # Leave it.
      when seen -> two
      # nothing more
    }
    two { act RIGHT }
  }
  # last words
}""",
        """
policy p for "E" {
  let x =
    if seen then  # the ball is there
      1
    else 2  # gone
  let y = clamp(
    a,  # what
    # the lower wall
    0,
    9
  )

  modes {  # two
    start one {
      act LEFT  # go
      # Leave it.
      when seen -> two
      # nothing more
    }
    two { act RIGHT }
  }
  # last words
}
""",
    )


def test_an_empty_policy():
    check('policy p for "E"{}', 'policy p for "E" {\n}\n')


def test_every_operator_inside_every_other():
    signed = [row for row in OPERATORS.values() if row.syntax.kind != "call"]
    for outer in signed:
        for position in range(outer.arity):
            for inner in signed:
                nested = Apply(inner.name, tuple(Name(f"i{number}") for number in range(inner.arity)))
                operands = [Name(f"o{number}") for number in range(outer.arity)]
                operands[position] = nested
                tree = Apply(outer.name, tuple(operands))
                (let,) = read(f'policy p for "E" {{ let x = {format_expression(tree)} }}').of(Let)
                assert let.expression == tree


@pytest.mark.parametrize("length", range(40, 90))
def test_what_follows_on_the_line_counts(length):
    name = "n" * length
    text = format_text(f"""policy p for "E" {{
        let a = clamp(max({name}, b + c), 0, 1)
        let b = if {name} > b + c then 1 else 0
        let c = ({name} + b + c) * 2
        memory d: bool = false {{ next = not ({name} and b) }}
        act {{ when {name} > a + b => LEFT otherwise => RIGHT }}
    }}""")
    assert max(map(len, text.splitlines())) <= WIDTH
    # Nothing breaks where it would have fitted.
    assert ("let a = clamp(\n" in text) == (length > 100 - len("  let a = clamp(max(, b + c), 0, 1)"))


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("((a)) + (b + c)", "a + (b + c)"),
        ("(a * b) / c - (d - e)", "a * b / c - (d - e)"),
        ("(a < b) == (c < d)", "(a < b) == (c < d)"),
        ("not (a and b) or (c and d)", "not (a and b) or (c and d)"),
        ("(not a) == b", "(not a) == b"),
        ("-(a + b) * -c", "-(a + b) * -c"),
        ("-(3) - -4", "-3 - -4"),
        ("(if a then b else c) + 1", "(if a then b else c) + 1"),
        ("if a then b else (if c then d else e)", "if a then b else if c then d else e"),
        ("add(a, multiply(b, c))", "a + b * c"),
        ("(a + b)[(0)]", "(a + b)[0]"),
        ("(x) in [(a), b + 1]", "x in [a, b + 1]"),
        ("(a implies b) implies c", "(a implies b) implies c"),
        ("1e3 + 1.50", "1000.0 + 1.5"),
    ],
)
def test_parentheses(text, wanted):
    (let,) = read(f'policy p for "E" {{ let x = {text} }}').of(Let)
    assert format_expression(let.expression) == wanted


def test_a_negated_literal_is_written_as_one():
    assert format_expression(Apply("negate", (Apply("negate", (Number(2.5),)),))) == "2.5"
    assert format_expression(Apply("subtract", (Name("a"), Apply("negate", (Number(3),))))) == "a - -3"
