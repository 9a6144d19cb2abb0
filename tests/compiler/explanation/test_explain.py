"""Explanations: a person can read them aloud, and nothing of the program is missing from them."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings

from hl_dsl.compiler.explanation.explain import WIDTH, explain_program
from hl_dsl.grammar.tree.syntax_tree import Let, Memory, Modes, Observe, Param, PropertyDeclaration
from hl_dsl.operators import OPERATORS, Operator, registered
from hl_dsl.program import Program
from tests.support.generators.programs import programs

SERVE = """
# Keep under the ball.
policy keeper for "Breakout-v5" {
  observe ram, lives in [0, 5]

  param deadband: real = 3 in [0, 8]  # px of error the paddle tolerates

  # Where things are.
  let seen = ram[101] != 0
  let error = clamp(ram[99] - 3, 55, 191) - ram[72]
  let edge = if seen then max(abs(error), 1) else if lives > 2 then 4 else 0

  memory quiet: int in [0, 100] = 0 { next = if rising(seen) then 0 else min(quiet + 1, 100) }

  modes {
    start serve { act { when abs(error) > deadband and not seen => RIGHT  otherwise => FIRE }  when seen -> rally }
    rally { act NOOP  when quiet > 50 or (lives == 0 and not seen) -> serve }
  }

  assume steady: abs(error - previous(error, 0)) <= 200
  invariant serve_only: action == FIRE implies mode == serve
  monitor near: error in [-edge, edge]
}
"""

PATTERNS = """
policy keeper for "Breakout-v5" {
  observe ram
  act LEFT
  invariant still: never action == RIGHT and ram[1] == 0
  invariant soon: within 8 of ram[1] > 3: ram[2] == 0 or ram[3] == 0
  monitor later: within 1 of ram[1] > 3: ram[2] == 0
  monitor now: within 0 of ram[1] > 3: ram[2] == 0
  assume calm: after ram[1] > 3 until ram[1] == 0: ram[2] == 0  # as the manual says
  reachable far: ram[99] > 200
}
"""

SPOKEN_PATTERNS = """\
Taken for granted of the environment, and watched at every tick:
  calm: from where ram[1] is above 3 until ram[1] is 0: ram[2] is 0  (as the manual says)

Proved before it plays, for every observation and constant in the ranges above:
  still: never action is RIGHT and ram[1] is 0
  soon: wherever ram[1] is above 3, within 8 ticks ram[2] is 0 or ram[3] is 0

Watched at every tick, not proved:
  later: wherever ram[1] is above 3, within 1 tick ram[2] is 0
  now: wherever ram[1] is above 3, at the same tick ram[2] is 0

Shown to be possible before it plays, by a run:
  far: ram[99] is above 200
"""

SPOKEN = """\
keeper is a policy for Breakout-v5. An Atari 2600 game. One tick is one frame, 60 to the second; a
policy sees the console's memory.
Keep under the ball.

It looks at:
  ram (128 numbers): the console's 128 bytes of memory, after the last frame (0..255:
      specification), from 0 to 255 byte
  lives: lives left, 0 in games without any (one byte: specification), taken to stay in [0, 5] lives

Constants, which tuning may move within their ranges:
  deadband is 3, within [0, 8]  (px of error the paddle tolerates)

At every tick it works out:
  (Where things are.)
  seen means ram[101] is not 0
  error is ((ram[99] - 3) kept between 55 and 191) - ram[72]
  edge is
    where seen: the larger of (the size of error) and 1
    else where lives is above 2: 4
    else: 0

It remembers from tick to tick:
  quiet, at first 0 and always in [0, 100]
    its next value is 0 where seen has just become true, else the smaller of (quiet + 1) and 100

Then it acts:
  It is in one of 2 modes (serve, rally), at first serve. A change of mode counts in the same tick.
  serve: goes to rally where seen
    the first of these that applies:
    1. RIGHT where the size of error is above deadband and not seen
    2. FIRE otherwise
  rally: goes to serve where quiet is above 50 or (lives is 0 and not seen)
    the action is NOOP

Taken for granted of the environment, and watched at every tick:
  steady: the size of (error - (error one tick ago (at first 0))) is at most 200

Proved before it plays, for every observation and constant in the ranges above:
  serve_only: if action is FIRE then mode is serve

Watched at every tick, not proved:
  near: error lies from -edge to edge
"""


def test_properties_over_several_ticks_are_spoken():
    assert explain_program(Program.parse(PATTERNS).checked).endswith(SPOKEN_PATTERNS)


def test_a_policy_in_words():
    assert explain_program(Program.parse(SERVE).checked) == SPOKEN


def test_explaining_what_check_gives_is_the_same():
    program = Program.parse(SERVE)
    assert explain_program(program.checked) == program.explain()


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_every_declaration_is_explained(program):
    text = explain_program(program.checked)
    spoken = set(re.findall(r"[A-Za-z_][\w.]*", text.replace(". ", " ")))
    policy = program.policy
    for kind in (Let, Memory, Param, PropertyDeclaration):
        assert {item.name for item in policy.of(kind)} <= spoken
    for observe in policy.of(Observe):
        assert all(item.name in text for item in observe.items)
    for modes in policy.of(Modes):
        assert {mode.name for mode in modes.modes} <= spoken
    assert all(len(line) <= WIDTH or " " not in line.strip() for line in text.splitlines())


def test_the_words_are_those_of_the_row():
    row = Operator("nearness", "how near {0} is to {1}", parameters=("a", "b"), formula="1 / (1 + abs(a - b))")
    with registered(row):
        text = explain_program(
            Program.parse(
                'policy p for "CartPole-v1" { observe pole.angle let n = nearness(pole.angle, 2) act LEFT }'
            ).checked
        )
    assert "n is how near pole.angle is to 2" in text


def test_every_row_says_all_of_its_operands():
    for row in OPERATORS.values():
        assert set(re.findall(r"\{(\d)\}", row.says)) == {str(i) for i in range(row.arity)}, row.name
