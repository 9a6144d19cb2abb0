"""Whether the solver's encoding admits what the interpreter did, by evaluating it on the run's own values.

The encoding is SMT-LIB text. Given a value for each constant it declares, every definition and every assertion has one
value, which exact fractions give at a hundredth of what it costs to ask a solver; that the two agree is sampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from hl_dsl.verify.goals.terms import SORTS, literal
from hl_dsl.verify.intervals.contexts import Context
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.smt.encode import FREE, RELATIVE_ERROR, START, Encoding
from hl_dsl.verify.smt.solver import Solver


def _parse(text: str) -> list:
    """Each command as nested lists of words; a number, and a function of numbers, is its value."""
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
    """SMT-LIB leaves division by zero open; an encoding that rests on it gives itself away."""
    if b == 0:
        raise ZeroDivisionError("the encoding divides by zero")
    return Fraction(a) / Fraction(b)


def _euclidean(a: int, b: int) -> int:
    return a // b if b > 0 else -(a // -b)


_FUNCTIONS = {
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
    """The value of a term: bool, int or Fraction."""
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
    """The encoding of the ticks of one program, each tick on its own, in any reachable state."""

    def __init__(self, tier: IntervalStage, context: Context):
        self.tier = tier
        self.encoding = Encoding(tier.evaluator, context, FREE, RELATIVE_ERROR)
        lines = self.encoding.frame(range(len(tier.flow.nodes)))
        self.commands = _parse("\n".join(lines))

    def refused(self, values: Sequence) -> list[str]:
        """What in the encoding the values of a tick (a value for each node, all finite) do not satisfy."""
        known: dict = {"true": True, "false": False}
        exact = {}
        for number, term in self.encoding.frames[0].items():
            exact[term.text] = _exact(values[number], self.tier.flow.nodes[number].base)
        found = []
        for command in self.commands:
            if command[0] == "declare-const":
                known[command[1]] = exact[command[1]]
            elif command[0] == "define-fun":
                value = known[command[1]] = evaluate(command[4], known)
                if command[1] in exact and value != exact[command[1]]:
                    found.append(f"encoding: {command[1]} is {value}, the interpreter has {exact[command[1]]}")
            elif command[0] != "assert" or not evaluate(command[1], known):
                found.append(f"encoding: not so: {command}")
        return found


def _exact(value, base: str):
    return Fraction(value) if base == "real" else bool(value) if base == "bool" else int(value)


def refused(tier: IntervalStage, ticks: Sequence[Sequence], most: int) -> list[str]:
    """The same for ticks of a run, at most so many; those that keep the assumptions are to satisfy what rests on them."""
    assumed = tier.index.assumes
    found: list[str] = []
    admissions: dict[bool, Admission] = {}
    for values in ticks[:most]:
        kept = all(values[node] for node in assumed)
        if kept not in admissions:
            admissions[kept] = Admission(tier, tier.evaluator.base if kept else tier.evaluator.root)
        found += admissions[kept].refused(values)
    return found


def answer(
    solver: Solver, tier: IntervalStage, ticks: Sequence[Sequence], context: Context, steps: int = 2_000_000
) -> str:
    """A solver's answer on whether these ticks, from the start of an episode, are a model of the encoding."""
    flow = tier.flow
    encoding = Encoding(tier.evaluator, context, START, RELATIVE_ERROR)
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
