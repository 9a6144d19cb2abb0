"""Structure of the operator table: one row per operator, with all its meanings.

A row is read by the parser (its syntax), the checker (its signatures), lowering (its formula or form), the
reference interpreter (`scalar`), the NumPy writer (`numpy`), the compiled tape (`tape`), the interval analysis
(`interval`, `refine`), the z3 encoder (`z3`), the formatter and the explanations (`says`). No other code
knows an operator by name, so a new operator is a new row and its page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Interval = tuple  # (low, high): floats for real, ints (or infinite floats) for int and enumerations, 0/1 for bool

# Binding strengths, weakest first; the formatter puts parentheses where an operand binds less than its place.
CONDITIONAL, IMPLICATION, LOGIC, NEGATION, COMPARISON, SUM, PRODUCT, UNARY, POSTFIX = range(9)


@dataclass(frozen=True)
class Syntax:
    """Notation of an operator: `call` name(a, b), `infix` a token b, `prefix` token a, or `special` (if, in)."""

    kind: str
    token: str = ""
    strength: int = POSTFIX


CALL = Syntax("call")


@dataclass(frozen=True, eq=False)
class Form:
    """One signature of an operator and its meaning there.

    `operands` and `result` are "real", "int", "bool" or "any" (one same type for all operands so marked, int
    widening to real where mixed). Every form is total: outside what the row `requires`, all back ends give the
    same harmless value, so an unselected branch can be evaluated in a batch.

    scalar    the definition, on Python values
    numpy     source of the NumPy form: a template over `{0}`, `{1}`, … or a function of (operand texts, operands)
              that returns source. Texts are atoms or in parentheses. An operand has `op` (its row, or "constant", …),
              `base`, and bounds that hold in every run: `low`, `high` (infinite if unknown), `finite`, `never_zero`
    tape      source of the compiled form over float64 registers a, b, c (ints and bools held exactly; never -0.0)
    interval  (low, high) pairs of the operands -> of the result, sound for binary64 rounding to nearest
    refine    (truth, operand pairs, kind) -> operand pairs narrowed, given that a bool result is known; None: nothing
    backward  (result pair, operand pairs, kind) -> operand pairs narrowed, given the result; None: nothing
    with_itself (low, high) of an operand -> of the result where both operands are that one; None: as `interval` says
    z3        (z3 module, *operands) -> exact expression over Real/Int/Bool; None: any value in the interval
    rounds    whether the real result is rounded to nearest (the encoder then adds an error term)
    precision bits of the significand it is rounded to: 53 for binary64, 24 for binary32
    underflows whether a result below the normal floats may be inexact (sums are exact there)
    sees_zero_sign  whether the sign of a zero operand shows in more than the sign of a zero result
    export    NumPy source for a standalone file, where it differs from `numpy`
    """

    operands: tuple[str, ...]
    result: str
    scalar: Callable[..., Any]
    numpy: str | Callable[[Sequence[str], Sequence], str]
    tape: str
    interval: Callable[..., tuple[float, float]]
    z3: Callable[..., Any] | None = None
    rounds: bool = False
    precision: int = 53
    underflows: bool = True
    refine: Callable[..., Sequence[tuple[float, float]]] | None = None
    backward: Callable[..., Sequence[tuple[float, float]]] | None = None
    sees_zero_sign: bool = False
    with_itself: Callable[..., tuple[float, float]] | None = None
    export: str | None = None


@dataclass(frozen=True)
class Requirement:
    """A condition on the operands that must be proved at every use. `formula` is HL over the operands' names."""

    kind: str
    formula: str
    says: str


@dataclass(frozen=True, eq=False)
class Operator:
    """A row of the table.

    Exactly one of `forms` (a primitive), `formula` (expanded at lowering, operands named by `parameters`) and `fold`
    (an operator applied left to right over a vector's components) is given.

    guards: (operand, by, truth): the operand is only needed where operand number `by` is `truth`.
    samples: operand tuples that tests use in addition to generated ones.
    involution: applied twice it gives its operand, bit for bit.
    absorbs: (inner, outer) if this operator with `inner` on its last operand is `outer` without it, bit for bit.
    """

    name: str
    says: str
    syntax: Syntax = CALL
    forms: tuple[Form, ...] = ()
    parameters: tuple[str, ...] = ("a", "b", "c")
    formula: str | None = None
    fold: str | None = None
    requires: tuple[Requirement, ...] = ()
    guards: tuple[tuple[int, int, bool], ...] = ()
    commutative: bool = False
    involution: bool = False
    absorbs: tuple[str, str] | None = None
    internal: bool = False
    samples: tuple[tuple, ...] = field(default=(), compare=False)

    @property
    def arity(self) -> int:
        """The number of operands."""
        if self.fold:
            return 1
        return len(self.forms[0].operands) if self.forms else len(self.parameters)


OPERATORS: dict[str, Operator] = {}
INFIX_BY_TOKEN: dict[str, str] = {}


def register(operator: Operator) -> Operator:
    """Adds a row. Raises ValueError if the name is taken."""
    if operator.name in OPERATORS:
        raise ValueError(f"the operator `{operator.name}` exists already")
    OPERATORS[operator.name] = operator
    if operator.syntax.kind == "infix":
        INFIX_BY_TOKEN[operator.syntax.token] = operator.name
    return operator


@contextmanager
def registered(operator: Operator) -> Iterator[Operator]:
    """A row that is in the table only inside a `with` block."""
    register(operator)
    try:
        yield operator
    finally:
        del OPERATORS[operator.name]
        INFIX_BY_TOKEN.pop(operator.syntax.token, None)


@contextmanager
def replaced(operator: Operator) -> Iterator[Operator]:
    """Puts another row in place of the one of the same name, inside a `with` block (tests mutate rows so)."""
    original = OPERATORS[operator.name]
    OPERATORS[operator.name] = operator
    try:
        yield operator
    finally:
        OPERATORS[operator.name] = original


@cache
def choose_form(operator: Operator, bases: tuple[str, ...]) -> tuple[Form, tuple[str, ...], str] | None:
    """The first form that takes operands of these bases: the form, the bases they widen to, the result's base."""
    for form in operator.forms:
        if len(form.operands) != len(bases):
            continue
        wanted = _match(form, bases)
        if wanted is not None:
            shared = next((base for base, pattern in zip(wanted, form.operands) if pattern == "any"), None)
            return form, wanted, form.result if form.result != "any" or shared is None else shared
    return None


def _match(form: Form, bases: Sequence[str]) -> tuple[str, ...] | None:
    shared = {base for base, pattern in zip(bases, form.operands) if pattern == "any"}
    if shared == {"int", "real"}:
        shared = {"real"}
    if len(shared) > 1:
        return None
    wanted = []
    for base, pattern in zip(bases, form.operands):
        target = next(iter(shared)) if pattern == "any" else pattern
        if base != target and not (base == "int" and target == "real"):
            return None
        wanted.append(target)
    return tuple(wanted)
