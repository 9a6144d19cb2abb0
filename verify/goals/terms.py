"""SMT-LIB terms with Python's operators. Stands in for the `z3` module in the operator rows' forms.

So a query is plain text for a solver in a process of its own, which can be killed when it hangs, starts in 20 ms where
importing z3 takes 400, and is the same text on every run.
"""

from __future__ import annotations

from fractions import Fraction

INT, REAL, BOOL = "Int", "Real", "Bool"
SORTS = {"int": INT, "real": REAL, "bool": BOOL}


class Term:
    """An SMT-LIB expression and its sort. `/` on ints is `div` and `%` is `mod`, both Euclidean, as in z3.

    `fixed`: it is a literal. `linear`: nothing in it multiplies or divides what is no literal by what is none.
    """

    __slots__ = ("text", "sort", "fixed", "linear")

    def __init__(self, text: str, sort: str, fixed: bool = False, linear: bool = True):
        self.text, self.sort, self.fixed, self.linear = text, sort, fixed, linear

    def __add__(self, other):
        return _binary("+", self, other)

    def __radd__(self, other):
        return _binary("+", other, self)

    def __sub__(self, other):
        return _binary("-", self, other)

    def __rsub__(self, other):
        return _binary("-", other, self)

    def __mul__(self, other):
        return _binary("*", self, other)

    def __rmul__(self, other):
        return _binary("*", other, self)

    def __truediv__(self, other):
        return _binary("div" if self.sort == INT else "/", self, other)

    def __mod__(self, other):
        return _binary("mod", self, other)

    def __neg__(self):
        return Term(f"(- {self.text})", self.sort, self.fixed, self.linear)

    def __lt__(self, other):
        return _binary("<", self, other, BOOL)

    def __le__(self, other):
        return _binary("<=", self, other, BOOL)

    def __gt__(self, other):
        return _binary(">", self, other, BOOL)

    def __ge__(self, other):
        return _binary(">=", self, other, BOOL)

    def __eq__(self, other):
        return _binary("=", self, other, BOOL)

    def __ne__(self, other):
        return _binary("distinct", self, other, BOOL)

    __hash__ = None


def _binary(symbol: str, a, b, sort: str | None = None) -> Term:
    shared = a.sort if isinstance(a, Term) else b.sort
    a, b = _lifted(a, shared), _lifted(b, shared)
    linear = (
        a.linear
        and b.linear
        and (b.fixed or (symbol != "/" and symbol != "div" and symbol != "mod" and (symbol != "*" or a.fixed)))
    )
    return Term(f"({symbol} {a.text} {b.text})", sort or shared, a.fixed and b.fixed, linear)


def _lifted(value, sort: str) -> Term:
    return value if isinstance(value, Term) else literal(value, sort)


def literal(value, sort: str) -> Term:
    """A constant, exactly: a float as the rational number that it is."""
    if sort == BOOL:
        return Term("true" if value else "false", BOOL, True)
    if sort == INT:
        return Term(str(value) if value >= 0 else f"(- {-value})", INT, True)
    number = Fraction(value)
    top = f"{abs(number.numerator)}.0"
    size = top if number.denominator == 1 else f"(/ {top} {number.denominator}.0)"
    return Term(size if number >= 0 else f"(- {size})", REAL, True)


def If(condition: Term, a, b) -> Term:
    sort = a.sort if isinstance(a, Term) else b.sort
    a, b = _lifted(a, sort), _lifted(b, sort)
    return Term(f"(ite {condition.text} {a.text} {b.text})", sort, False, condition.linear and a.linear and b.linear)


def _logical(symbol: str):
    def join(*terms: Term) -> Term:
        lifted = [_lifted(term, BOOL) for term in terms]
        return Term(
            f"({symbol} {' '.join(term.text for term in lifted)})", BOOL, False, all(term.linear for term in lifted)
        )

    return join


And, Or, Not, Implies = map(_logical, ("and", "or", "not", "=>"))


def ToReal(a: Term) -> Term:
    return Term(f"(to_real {a.text})", REAL, a.fixed, a.linear)


def ToInt(a: Term) -> Term:
    return Term(f"(to_int {a.text})", INT, a.fixed, a.linear)


def Q(numerator: int, denominator: int) -> Term:
    return literal(Fraction(numerator, denominator), REAL)


def RealVal(value) -> Term:
    return literal(value, REAL)


def IntVal(value: int) -> Term:
    return literal(value, INT)


def BoolVal(value: bool) -> Term:
    return literal(value, BOOL)
