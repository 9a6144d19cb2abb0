"""NumPy and z3 forms of the arithmetic rows.

A NumPy form is the plain expression if the operands' bounds show that it is equal to the bit and raises no warning.
Otherwise it is a call of a function of the kernel.
"""


def division(texts, operands):
    """NumPy source of `a / b`."""
    return "{0} / {1}".format(*texts) if operands[1].never_zero else "divide({0}, {1})".format(*texts)


def floor_division(texts, operands):
    """NumPy source of `a // b`."""
    power = _power_of_two(operands[1])
    if power is not None:
        return f"{texts[0]} >> {power}"
    plain = operands[1].never_zero and not operands[1].low <= -1 <= operands[1].high
    return "{0} // {1}".format(*texts) if plain else "floor_divide({0}, {1})".format(*texts)


def remainder(texts, operands):
    """NumPy source of `a mod b`."""
    if operands[0].base == "int" and _power_of_two(operands[1]) is not None:
        return f"{texts[0]} & {operands[1].low - 1}"
    plain = operands[1].never_zero and (operands[0].base == "int" or all(operand.finite for operand in operands))
    return "np.mod({0}, {1})".format(*texts) if plain else "modulo({0}, {1})".format(*texts)


def _power_of_two(operand) -> int | None:
    """The exponent where the operand always is a power of two above 1: bits then do what a slow division would."""
    value = operand.low
    return (
        value.bit_length() - 1
        if type(value) is int and value == operand.high and value > 1 and value & (value - 1) == 0
        else None
    )


def smaller(texts, operands):
    """NumPy source of `min(a, b)`."""
    return ("np.minimum({0}, {1})" if _never_tied_zeros(operands) else "minimum({0}, {1})").format(*texts)


def larger(texts, operands):
    """NumPy source of `max(a, b)`."""
    return ("np.maximum({0}, {1})" if _never_tied_zeros(operands) else "maximum({0}, {1})").format(*texts)


def _never_tied_zeros(operands) -> bool:
    """Whether equal operands have equal bits and none is NaN."""
    a, b = operands
    return a.base == "int" or (a.finite and b.finite and (a.never_zero or b.never_zero))


def z3_floor_divide(z3, a, b):
    """`a // b`; 0 where b is 0."""
    # z3's integer division is Euclidean; with a positive divisor it is the floor.
    return z3.If(b > 0, a / b, z3.If(b < 0, (-a) / (-b), z3.IntVal(0)))


def z3_modulo_int(z3, a, b):
    """`a mod b` of ints; 0 where b is 0."""
    return z3.If(b == 0, z3.IntVal(0), a - b * z3_floor_divide(z3, a, b))


def z3_modulo_real(z3, a, b):
    """`a mod b` of reals; 0 where b is 0."""
    return z3.If(b == 0, z3.RealVal(0), a - b * z3.ToReal(z3.ToInt(a / b)))


def z3_divide(z3, a, b):
    """`a / b` of reals; 0 where b is 0."""
    return z3.If(b == 0, z3.RealVal(0), a / b)


def z3_smaller(z3, a, b):
    """`min(a, b)`."""
    return z3.If(b < a, b, a)


def z3_larger(z3, a, b):
    """`max(a, b)`."""
    return z3.If(b > a, b, a)
