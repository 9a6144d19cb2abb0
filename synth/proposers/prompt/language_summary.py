"""Language summary: HL on one page, for writers who have not read the manual (people, agents, language models).

The functions come from the operator table. The rest summarizes `docs/language.md`; a test compares it with the
grammar's keywords.
"""

from __future__ import annotations

from textwrap import dedent, wrap

from hl_dsl.operators import OPERATORS, Operator
from hl_dsl.operators.reference_page import usage

MOST_CHARACTERS = 6000
_WIDTH = 116  # characters

_HEAD = dedent("""\
    A policy is one program for one environment. At each environment step every definition is evaluated once, from the
    observations of this tick and the memory values of the previous tick. The result is the action and the new memory
    values. No loops, no recursion. Definitions are equations: their order does not matter. `#` starts a comment.

    policy NAME for "ENV-ID" { declarations }

      observe NAME, NAME in [LOW, HIGH]          values the environment returns, clamped to their range
      param NAME: TYPE = DEFAULT in [LOW, HIGH]  a constant that tuning may change; proofs cover its range
      let NAME = EXPRESSION                      an equation
      memory NAME: TYPE in [LOW, HIGH] = START { next = EXPRESSION }
                                                 kept for the next tick; proved to stay in its range
      modes { start NAME { act … when CONDITION -> NAME } NAME { … } }
                                                 a state machine; the first transition that holds is taken,
                                                 at most one a tick
      act { when CONDITION => ACTION … otherwise => ACTION }
                                                 the first rule that holds; `act EXPRESSION` if actions are numbers
      plan NAME: TYPE in [LOW, HIGH] { horizon 10  candidates 32  sigma 0.3  each SCORE  final SCORE }
                                                 MuJoCo only: a term of the action, chosen at each tick by
                                                 simulating the policy ahead; proofs cover its range
      assume NAME: CLAIM                         a fact about the environment for proofs; violations are counted
      invariant NAME: CLAIM                      must be proved before any environment step
      monitor NAME: CLAIM                        checked in every episode instead
      reachable NAME: CONDITION                  must be shown possible before any environment step

    A CLAIM is a condition that must hold at every tick, or one of these forms, which cannot be nested:

      never E                                    E is false at every tick
      within N of C: E                           if C holds, E holds then or in the next N ticks; N is a literal
      after C until D: E                         E holds from the tick of C (included) to that of D (excluded); D
                                                 need not occur; if both hold at one tick, nothing is required

    Properties may use observations, lets, `mode`, `action`, and the memory values at the start of the tick. Types:
    real, int (within 2^53), bool, action, mode, vec[N]. An int is accepted as a real; real to int needs floor, ceil or
    round. Literals: 3, 0.5, true, false, [1, 2]. Default, start and range ends of a vec[N] are one number, or N
    numbers: [[-1, -2], 3].

    Expressions, loosest binding first: if c then a else b; a implies b; a and b, a or b (not mixed without
    parentheses); not a; < <= > >= == != and x in [low, high] (not chained); a + b, a - b; a * b, a / b (real), a // b
    (int, rounded down); -a; v[3], v[i], v[2:5] (end excluded), v[[2, 0]]; f(a, b), [a, b], (a). previous(x, START) is x
    one tick ago. Names are letters, digits and `_`; only names of observations have dots. There is no assignment and no
    `%`, `^`, `&&`.
    """)

_PROVED = dedent("""\
    Proved of every policy before it runs: no division by zero, no root of a negative number, no index out of range,
    bounds in order for clamp and reflect, every real finite, every int within 2^53, every memory in its range. Protect
    operations that could fail with `if`, clamp or max: `if d > 0.1 then x / d else 0`. A counter needs a limit:
    `next = min(n + 1, 100)`.
    """)


def language_summary(brief: bool = False) -> str:
    """Returns the summary, at most `MOST_CHARACTERS` long; `brief` lists the functions without descriptions."""
    functions = [row for row in OPERATORS.values() if row.syntax.kind == "call" and not row.internal]
    described = [f"{usage(row)} {_description(row)}" for row in functions]
    listed = [", ".join(map(usage, functions))] if brief else described
    lines = [
        line
        for entry in listed
        for line in wrap(entry, _WIDTH, initial_indent="  ", subsequent_indent="  " if brief else "      ")
    ]
    return "\n".join(
        [
            _HEAD,
            "Functions (component by component on vectors; sum, dot, norm, all, any reduce one):",
            *lines,
            "",
            _PROVED.rstrip(),
        ]
    )


def _description(row: Operator) -> str:
    return f"= {row.formula}" if row.formula else row.says.format(*row.parameters[: row.arity])
