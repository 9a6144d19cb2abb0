"""Arithmetic rows."""

from hl_dsl.operators import backward, interval, kernel
from hl_dsl.operators.table import CALL, PRODUCT, SUM, UNARY, Form, Operator, Requirement, Syntax, register

_WHOLE = ("int", "int")
_REALS = ("real", "real")


# NumPy forms: the plain one where the operands' bounds show that it is the same to the bit and makes no warning, else
# a function of the kernel.


def _division(texts, operands):
    return "{0} / {1}".format(*texts) if operands[1].never_zero else "divide({0}, {1})".format(*texts)


def _floor_division(texts, operands):
    power = _power_of_two(operands[1])
    if power is not None:
        return f"{texts[0]} >> {power}"
    plain = operands[1].never_zero and not operands[1].low <= -1 <= operands[1].high
    return "{0} // {1}".format(*texts) if plain else "floor_divide({0}, {1})".format(*texts)


def _remainder(texts, operands):
    if operands[0].base == "int" and _power_of_two(operands[1]) is not None:
        return f"{texts[0]} & {operands[1].low - 1}"
    plain = operands[1].never_zero and (operands[0].base == "int" or all(operand.finite for operand in operands))
    return "np.mod({0}, {1})".format(*texts) if plain else "modulo({0}, {1})".format(*texts)


def _power_of_two(operand) -> int | None:
    """The exponent where the operand always is a power of two above 1: bits then do what a slow division would."""
    value = operand.low
    return value.bit_length() - 1 if type(value) is int and value == operand.high and value > 1 and value & (value - 1) == 0 else None


def _smaller(texts, operands):
    return ("np.minimum({0}, {1})" if _never_tied_zeros(operands) else "minimum({0}, {1})").format(*texts)


def _larger(texts, operands):
    return ("np.maximum({0}, {1})" if _never_tied_zeros(operands) else "maximum({0}, {1})").format(*texts)


def _never_tied_zeros(operands) -> bool:
    """Whether equal operands have equal bits and none is NaN."""
    a, b = operands
    return a.base == "int" or (a.finite and b.finite and (a.never_zero or b.never_zero))


def _z3_floor_divide(z3, a, b):
    # z3's integer division is Euclidean; with a positive divisor it is the floor.
    return z3.If(b > 0, a / b, z3.If(b < 0, (-a) / (-b), z3.IntVal(0)))


def _z3_modulo_int(z3, a, b):
    return z3.If(b == 0, z3.IntVal(0), a - b * _z3_floor_divide(z3, a, b))


def _z3_modulo_real(z3, a, b):
    return z3.If(b == 0, z3.RealVal(0), a - b * z3.ToReal(z3.ToInt(a / b)))


def _z3_divide(z3, a, b):
    return z3.If(b == 0, z3.RealVal(0), a / b)


register(Operator(
    "add", "the sum of {0} and {1}", Syntax("infix", "+", SUM), commutative=True, absorbs=("negate", "subtract"),
    forms=(
        Form(_WHOLE, "int", lambda a, b: a + b, "{0} + {1}", "a + b", interval.whole_add, lambda z3, a, b: a + b, backward=backward.add),
        Form(_REALS, "real", lambda a, b: a + b, "{0} + {1}", "a + b", interval.add, lambda z3, a, b: a + b, rounds=True, underflows=False,
             backward=backward.add),
    ),
))
register(Operator(
    "subtract", "{0} less {1}", Syntax("infix", "-", SUM), absorbs=("negate", "add"),
    forms=(
        Form(_WHOLE, "int", lambda a, b: a - b, "{0} - {1}", "a - b", interval.whole_subtract, lambda z3, a, b: a - b, backward=backward.subtract),
        Form(_REALS, "real", lambda a, b: a - b, "{0} - {1}", "a - b", interval.subtract, lambda z3, a, b: a - b, rounds=True, underflows=False,
             backward=backward.subtract),
    ),
))
register(Operator(
    "multiply", "{0} times {1}", Syntax("infix", "*", PRODUCT), commutative=True,
    forms=(
        Form(_WHOLE, "int", lambda a, b: a * b, "{0} * {1}", "a * b + 0.0", interval.whole_multiply, lambda z3, a, b: a * b, backward=backward.multiply,
             with_itself=interval.whole_square),
        Form(_REALS, "real", lambda a, b: a * b, "{0} * {1}", "a * b", interval.multiply, lambda z3, a, b: a * b, rounds=True, backward=backward.multiply,
             with_itself=interval.square),
    ),
))
register(Operator(
    "divide", "{0} divided by {1}", Syntax("infix", "/", PRODUCT),
    forms=(Form(_REALS, "real", kernel.divide, _division, "(a / b if b != 0.0 else 0.0)", interval.divide, _z3_divide, rounds=True, backward=backward.divide),),
    requires=(Requirement("division", "b != 0", "the divisor is not zero"),),
    samples=((1.0, 0.0), (-0.0, 3.0), (7.0, -2.0)),
))
register(Operator(
    "floor_divide", "{0} divided by {1}, rounded down", Syntax("infix", "//", PRODUCT),
    forms=(Form(_WHOLE, "int", kernel.floor_divide, _floor_division, "floor_divide(a, b)",
                interval.whole_divide, _z3_floor_divide, backward=backward.floor_divide),),
    requires=(Requirement("division", "b != 0", "the divisor is not zero"),),
    samples=((7, -3), (-7, 3), (-7, -3), (5, 0), (0, 4)),
))
register(Operator(
    "mod", "the remainder of {0} by {1}, with the sign of {1}", CALL,
    forms=(
        Form(_WHOLE, "int", kernel.modulo_int, _remainder, "modulo_int(a, b)", interval.whole_modulo, _z3_modulo_int),
        Form(_REALS, "real", kernel.modulo_real, _remainder, "modulo_real(a, b)", interval.modulo, _z3_modulo_real, rounds=True),
    ),
    requires=(Requirement("division", "b != 0", "the divisor is not zero"),),
    samples=((7, -3), (-7, 3), (5, 0), (-1e-20, 288.0), (5.5, -2.0), (-0.0, 2.0), (6.0, -3.0)),
))
register(Operator(
    "negate", "minus {0}", Syntax("prefix", "-", UNARY), involution=True,
    forms=(
        Form(("int",), "int", lambda a: -a, "-{0}", "0.0 - a", interval.negate, lambda z3, a: -a, backward=backward.negate),
        Form(("real",), "real", lambda a: -a, "-{0}", "-a", interval.negate, lambda z3, a: -a, backward=backward.negate),
    ),
    samples=((0,), (0.0,), (-0.0,)),
))
register(Operator(
    "abs", "the size of {0}", CALL,
    forms=(
        Form(("int",), "int", abs, "np.abs({0})", "abs(a)", interval.whole_absolute, lambda z3, a: z3.If(a < 0, -a, a), backward=backward.absolute),
        Form(("real",), "real", abs, "np.abs({0})", "abs(a)", interval.absolute, lambda z3, a: z3.If(a < 0, -a, a), backward=backward.absolute),
    ),
    samples=((-0.0,), (-3,)),
))


def _z3_smaller(z3, a, b):
    return z3.If(b < a, b, a)


def _z3_larger(z3, a, b):
    return z3.If(b > a, b, a)


register(Operator(
    "min", "the smaller of {0} and {1}", CALL,
    forms=tuple(
        Form((base, base), base, lambda a, b: b if b < a else a, _smaller, "(b if b < a else a)", interval.minimum, _z3_smaller,
             backward=backward.minimum)
        for base in ("int", "real")
    ),
    samples=((0.0, -0.0), (-0.0, 0.0), (2, 2)),
))
register(Operator(
    "max", "the larger of {0} and {1}", CALL,
    forms=tuple(
        Form((base, base), base, lambda a, b: b if b > a else a, _larger, "(b if b > a else a)", interval.maximum, _z3_larger,
             backward=backward.maximum)
        for base in ("int", "real")
    ),
    samples=((0.0, -0.0), (-0.0, 0.0), (2, 2)),
))
