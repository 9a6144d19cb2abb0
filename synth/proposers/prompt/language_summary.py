"""The language on a page, for whoever writes programs without having read the manual: people, agents, language models.

The operators come from their table. The rest is `docs/language.md` in brief; a test holds it to the words of the grammar.
"""

from __future__ import annotations

from textwrap import dedent, wrap

from hl_dsl.operators import OPERATORS
from hl_dsl.operators.reference_page import usage

MOST_CHARACTERS = 6000
_WIDTH = 116

_HEAD = dedent("""\
    A policy is one program for one environment. At each environment step every definition is evaluated once, from this
    tick's observations and the memory the last tick left; the action comes out; the memory is replaced. No loops, no
    recursion. Definitions are equations: their order does not matter. `#` begins a comment.

    policy NAME for "ENV-ID" { declarations }

      observe NAME, NAME in [LOW, HIGH]          what the environment shows, clamped into its range
      param NAME: TYPE = DEFAULT in [LOW, HIGH]  a constant that tuning may move; proofs hold for all its range
      let NAME = EXPRESSION                      an equation
      memory NAME: TYPE in [LOW, HIGH] = START { next = EXPRESSION }
                                                 carried to the next tick; proved to stay in its range
      modes { start NAME { act … when CONDITION -> NAME } NAME { … } }
                                                 a state machine; the first true transition fires, at most one a tick
      act { when CONDITION => ACTION … otherwise => ACTION }
                                                 the first rule that holds; `act EXPRESSION` where actions are numbers
      plan NAME: TYPE in [LOW, HIGH] { horizon 10  candidates 32  sigma 0.3  each SCORE  final SCORE }
                                                 MuJoCo only: what to add to the action, chosen at each tick by simulating
                                                 the policy ahead; proofs hold for all its range
      assume NAME: CLAIM                         a fact about the environment for the proofs; counted where a run breaks it
      invariant NAME: CLAIM                      must be proved before any step is taken
      monitor NAME: CLAIM                        checked in every run instead
      reachable NAME: CONDITION                  must be shown possible before any step is taken, by a run that gets there

    A CLAIM is a condition, which is to hold at every tick, or one of these, which do not nest:

      never E                                    E holds at no tick
      within N of C: E                           where C holds, E holds then or at one of the N ticks after; N is a whole literal
      after C until D: E                         E holds from the tick of C, that one too, until before the tick of D, which
                                                 need not come; where C and D hold at once nothing begins

    Properties see observations, lets, `mode`, `action`, and the memory as the tick began. Types: real, int (within 2^53),
    bool, action, mode, vec[N]. An int stands where a real is wanted; the other way needs floor, ceil or round. Literals:
    3, 0.5, true, false, [1, 2]. A default, a start and each end of a range of a vec[N] are one number, or N: [[-1, -2], 3].

    Expressions, weakest first: if c then a else b; a implies b; a and b, a or b (not mixed without parentheses); not a;
    < <= > >= == != and x in [low, high] (none of them chains); a + b, a - b; a * b, a / b (real), a // b (int, rounded
    down); -a; v[3], v[i], v[2:5] (end excluded), v[[2, 0]]; f(a, b), [a, b], (a). previous(x, START) is what x was a tick ago.
    Names are letters, digits and `_`; only names of observations have dots. There is no assignment and no `%`, `^`, `&&`.
    """)

_PROVED = dedent("""\
    Proved of every policy before it runs: no division by zero, no root of a negative number, no index out of range, bounds
    in order for clamp and reflect, every real finite, every int within 2^53, every memory in its range. Guard with `if`,
    clamp or max what could fail: `if d > 0.1 then x / d else 0`. A memory that counts needs a cap: `next = min(n + 1, 100)`.
    """)


def language_card(brief: bool = False) -> str:
    """The card as text, at most `MOST_CHARACTERS` long; `brief` names the functions without saying what they do."""
    functions = [row for row in OPERATORS.values() if row.syntax.kind == "call" and not row.internal]
    if brief:
        listed = [", ".join(map(usage, functions))]
    else:
        listed = [
            f"{usage(row)} {row.formula and f'= {row.formula}' or row.says.format(*row.parameters[: row.arity])}"
            for row in functions
        ]
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
