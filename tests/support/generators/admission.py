"""Check that the solver's encoding admits a run of the interpreter, by evaluating it on the values of the run.

The encoding is SMT-LIB text. With a value for each declared constant, every definition and assertion has one value.
Exact fractions compute it at a hundredth of the cost of a solver; samples check that the solver agrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from hl_dsl.verify.goals.terms import SORTS, literal
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.smt.encode import FREE, RELATIVE_ERROR, START, Encoding
from hl_dsl.verify.smt.solver import Solver


def _parse(text: str) -> list:
    """Returns each command as nested lists of words. A number, or a function of numbers, is replaced by its value."""
    stack: list[list] = [[]]
    for word in text.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            stack.append([])
        elif word == ")":
            done = stack.pop()
            stack[-1].append(_folded(done))
        else:
            stack[-1].append(word if not word[0].isdigit() else Fraction(word) if "." in word else int(word))
    return stack[0]


def _folded(term: list):
    function = _FUNCTIONS.get(term[0]) if term and isinstance(term[0], str) else None
    if function is None or any(type(part) not in (int, Fraction) for part in term[1:]):
        return term
    return function(*term[1:])


def _divided(a, b):
    """SMT-LIB does not define division by zero, so an encoding must not depend on it."""
    if b == 0:
        raise ZeroDivisionError("the encoding divides by zero")
    return Fraction(a) / Fraction(b)


def _euclidean(a: int, b: int) -> int:
    return a // b if b > 0 else -(a // -b)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": lambda *values: sum(values),
    "*": lambda a, b: a * b,
    "-": lambda a, *rest: a - sum(rest) if rest else -a,
    "/": _divided,
    "div": _euclidean,
    "mod": lambda a, b: a - b * _euclidean(a, b),
    "<": lambda a, b: a < b,
    "<=": lambda a, b, *rest: a <= b and all(low <= high for low, high in zip((b, *rest), rest)),
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "distinct": lambda a, b: a != b,
    "not": lambda a: not a,
    "and": lambda *values: all(values),
    "or": lambda *values: any(values),
    "=>": lambda a, b: not a or b,
    "to_real": Fraction,
    "to_int": math.floor,
}


def evaluate(term, known: dict):
    """Returns the value of a term: bool, int or Fraction."""
    kind = type(term)
    if kind is str:
        return known[term]
    if kind is not list:
        return term
    head = term[0]
    if head == "ite":  # only the branch that is taken, as the other may divide by zero
        return evaluate(term[2] if evaluate(term[1], known) else term[3], known)
    return _FUNCTIONS[head](*[evaluate(part, known) for part in term[1:]])


class Admission:
    """Encoding of single ticks of one program, in any reachable state."""

    def __init__(self, stage: IntervalStage, context: Context):
        self.stage = stage
        self.encoding = Encoding(stage.evaluator, context, FREE, RELATIVE_ERROR)
        lines = self.encoding.frame(range(len(stage.flow.nodes)))
        self.commands = _parse("\n".join(lines))

    def refused(self, values: Sequence) -> list[str]:
        """Returns the parts of the encoding that the node values of a tick, all finite, do not satisfy."""
        known: dict = {"true": True, "false": False}
        exact = {}
        for number, term in self.encoding.frames[0].items():
            exact[term.text] = _exact(values[number], self.stage.flow.nodes[number].base)
        found = []
        for command in self.commands:
            if command[0] == "declare-const":
                known[command[1]] = exact[command[1]]
            elif command[0] == "define-fun":
                value = known[command[1]] = evaluate(command[4], known)
                if command[1] in exact and value != exact[command[1]]:
                    found.append(f"encoding: {command[1]} is {value}, the interpreter has {exact[command[1]]}")
            elif command[0] != "assert" or not evaluate(command[1], known):
                found.append(f"encoding: violated: {command}")
        return found


def _exact(value, base: str):
    return Fraction(value) if base == "real" else bool(value) if base == "bool" else int(value)


def refused(stage: IntervalStage, ticks: Sequence[Sequence], most: int) -> list[str]:
    """Returns the same for at most `most` ticks of a run. Ticks that keep the assumptions must satisfy them too."""
    assumed = stage.index.assumes
    found: list[str] = []
    admissions: dict[bool, Admission] = {}
    for values in ticks[:most]:
        kept = all(values[node] for node in assumed)
        if kept not in admissions:
            admissions[kept] = Admission(stage, stage.evaluator.base if kept else stage.evaluator.root)
        found += admissions[kept].refused(values)
    return found


def answer(
    solver: Solver, stage: IntervalStage, ticks: Sequence[Sequence], context: Context, steps: int = 2_000_000
) -> str:
    """Returns a solver's answer on whether these ticks, from the start of an episode, are a model of the encoding."""
    flow = stage.flow
    encoding = Encoding(stage.evaluator, context, START, RELATIVE_ERROR)
    solver.reset(steps)
    for frame, values in enumerate(ticks):
        solver.add(*encoding.frame(range(len(flow.nodes))))
        solver.add(
            *(
                f"(assert (= {term.text} {literal(values[node], SORTS[flow.nodes[node].base]).text}))"
                for node, term in encoding.frames[frame].items()
            )
        )
    return solver.check()
