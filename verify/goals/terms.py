"""SMT-LIB terms with Python's operators. Replaces the `z3` module in the forms of the operator table.

A query is then plain text for a solver process. The process can be killed when it hangs, starts in 20 ms (importing z3
takes 400 ms), and gets the same text in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

INT, REAL, BOOL = "Int", "Real", "Bool"
SORTS = {"int": INT, "real": REAL, "bool": BOOL}


class Term:
    """An SMT-LIB expression. `/` on ints is `div` and `%` is `mod`, both Euclidean, as in z3.

    Attributes:
        text: The expression.
        sort: INT, REAL or BOOL.
        fixed: True for a literal.
        linear: True if the expression does not multiply or divide two terms that are not literals.
    """

    __slots__ = ("text", "sort", "fixed", "linear")

    def __init__(self, text: str, sort: str, fixed: bool = False, linear: bool = True):
        self.text, self.sort, self.fixed, self.linear = text, sort, fixed, linear

    def __add__(self, other: Operand) -> Term:
        return _binary("+", self, other)

    def __radd__(self, other: Operand) -> Term:
        return _binary("+", other, self)

    def __sub__(self, other: Operand) -> Term:
        return _binary("-", self, other)

    def __rsub__(self, other: Operand) -> Term:
        return _binary("-", other, self)

    def __mul__(self, other: Operand) -> Term:
        return _binary("*", self, other)

    def __rmul__(self, other: Operand) -> Term:
        return _binary("*", other, self)

    def __truediv__(self, other: Operand) -> Term:
        return _binary("div" if self.sort == INT else "/", self, other)

    def __mod__(self, other: Operand) -> Term:
        return _binary("mod", self, other)

    def __neg__(self) -> Term:
        return Term(f"(- {self.text})", self.sort, self.fixed, self.linear)

    def __lt__(self, other: Operand) -> Term:
        return _binary("<", self, other, BOOL)

    def __le__(self, other: Operand) -> Term:
        return _binary("<=", self, other, BOOL)

    def __gt__(self, other: Operand) -> Term:
        return _binary(">", self, other, BOOL)

    def __ge__(self, other: Operand) -> Term:
        return _binary(">=", self, other, BOOL)

    def __eq__(self, other: Operand) -> Term:  # type: ignore[override]  # a term, as in z3
        return _binary("=", self, other, BOOL)

    def __ne__(self, other: Operand) -> Term:  # type: ignore[override]  # the same
        return _binary("distinct", self, other, BOOL)

    __hash__ = None  # type: ignore[assignment]  # equality is a term, so a term cannot be a key


Operand: TypeAlias = Term | int | float | Fraction | bool


def _binary(symbol: str, a: Operand, b: Operand, sort: str | None = None) -> Term:
    shared = a.sort if isinstance(a, Term) else b.sort if isinstance(b, Term) else REAL
    a, b = _lifted(a, shared), _lifted(b, shared)
    linear = (
        a.linear
        and b.linear
        and (b.fixed or (symbol != "/" and symbol != "div" and symbol != "mod" and (symbol != "*" or a.fixed)))
    )
    return Term(f"({symbol} {a.text} {b.text})", sort or shared, a.fixed and b.fixed, linear)


def _lifted(value: Operand, sort: str) -> Term:
    return value if isinstance(value, Term) else literal(value, sort)


def literal(value: int | float | Fraction | bool, sort: str) -> Term:
    """Returns a constant of the given sort, exactly: a float as the rational number that it is."""
    if sort == BOOL:
        return Term("true" if value else "false", BOOL, True)
    if sort == INT:
        return Term(str(value) if value >= 0 else f"(- {-value})", INT, True)
    number = Fraction(value)
    top = f"{abs(number.numerator)}.0"
    size = top if number.denominator == 1 else f"(/ {top} {number.denominator}.0)"
    return Term(size if number >= 0 else f"(- {size})", REAL, True)


# The functions below have the names that they have in the `z3` module.


def If(condition: Term, a: Operand, b: Operand) -> Term:  # noqa: N802
    """Returns a conditional term."""
    sort = a.sort if isinstance(a, Term) else b.sort if isinstance(b, Term) else REAL
    a, b = _lifted(a, sort), _lifted(b, sort)
    return Term(f"(ite {condition.text} {a.text} {b.text})", sort, False, condition.linear and a.linear and b.linear)


def _logical(symbol: str) -> Callable[..., Term]:
    def join(*terms: Operand) -> Term:
        lifted = [_lifted(term, BOOL) for term in terms]
        return Term(
            f"({symbol} {' '.join(term.text for term in lifted)})", BOOL, False, all(term.linear for term in lifted)
        )

    return join


And, Or, Not, Implies = map(_logical, ("and", "or", "not", "=>"))


def ToReal(a: Term) -> Term:  # noqa: N802
    """Returns an int as a real."""
    return Term(f"(to_real {a.text})", REAL, a.fixed, a.linear)


def ToInt(a: Term) -> Term:  # noqa: N802
    """Returns the floor of a real."""
    return Term(f"(to_int {a.text})", INT, a.fixed, a.linear)


def Q(numerator: int, denominator: int) -> Term:  # noqa: N802
    """Returns a rational number."""
    return literal(Fraction(numerator, denominator), REAL)


def RealVal(value: int | float | Fraction) -> Term:  # noqa: N802
    """Returns a real literal."""
    return literal(value, REAL)


def IntVal(value: int) -> Term:  # noqa: N802
    """Returns an int literal."""
    return literal(value, INT)


def BoolVal(value: bool) -> Term:  # noqa: N802
    """Returns a bool literal."""
    return literal(value, BOOL)
