"""Rows between real and int, and on the bits of ints."""

from hl_dsl.operators import intervals, inverse_intervals, scalar
from hl_dsl.operators.table import CALL, Form, Operator, Requirement, register


def _whole(plain: str, guarded: str):
    """The plain NumPy form where the operand surely fits an int64."""

    def form(texts, operands):
        fits = operands[0].low > -(2.0**62) and operands[0].high < 2.0**62
        return (plain + "({0}).astype(np.int64)" if fits else guarded + "({0})").format(*texts)

    return form


register(
    Operator(
        "floor",
        "{0} rounded down",
        CALL,
        forms=(
            Form(
                ("real",),
                "int",
                scalar.floor,
                _whole("np.floor", "floor"),
                "floor(a)",
                intervals.to_whole(scalar.floor),
                lambda z3, a: z3.ToInt(a),
                backward=inverse_intervals.floor,
            ),
        ),
        samples=((-0.5,), (2.0,), (-0.0,)),
    )
)
register(
    Operator(
        "ceil",
        "{0} rounded up",
        CALL,
        forms=(
            Form(
                ("real",),
                "int",
                scalar.ceil,
                _whole("np.ceil", "ceil"),
                "ceil(a)",
                intervals.to_whole(scalar.ceil),
                lambda z3, a: -z3.ToInt(-a),
                backward=inverse_intervals.ceil,
            ),
        ),
        samples=((-0.5,), (2.0,), (0.5,)),
    )
)
register(
    Operator(
        "round",
        "{0} rounded to the nearest whole number, half to even",
        CALL,
        forms=(
            Form(
                ("real",),
                "int",
                scalar.round_half_even,
                _whole("np.rint", "round_half_even"),
                "round_half_even(a)",
                intervals.to_whole(scalar.round_half_even),
                lambda z3, a: z3.If(
                    a - z3.ToReal(z3.ToInt(a)) == z3.Q(1, 2),
                    2 * z3.ToInt((a + z3.Q(1, 2)) / 2),
                    z3.ToInt(a + z3.Q(1, 2)),
                ),
                backward=inverse_intervals.round_half_even,
            ),
        ),
        samples=((0.5,), (1.5,), (2.5,), (-0.5,), (-1.5,), (0.49999999999999994,)),
    )
)
register(
    Operator(
        "popcount",
        "the number of ones in the binary form of {0}",
        CALL,
        forms=(Form(("int",), "int", scalar.popcount, "popcount({0})", "popcount(a)", intervals.popcount),),
        requires=(Requirement("range", "a >= 0", "the operand is not negative"),),
        samples=((0,), (255,), (-1,), (2**53,)),
    )
)
register(
    Operator(
        "to_real",
        "{0} as a real",
        CALL,
        internal=True,
        forms=(
            Form(
                ("int",),
                "real",
                scalar.to_real,
                "to_real({0})",
                "a",
                lambda a: (scalar.to_real(a[0]), scalar.to_real(a[1])),
                lambda z3, a: z3.ToReal(a),
                backward=inverse_intervals.to_real,
            ),
        ),
    )
)
register(
    Operator(
        "float32",
        "{0} rounded to single precision",
        CALL,
        internal=True,
        forms=(
            Form(
                ("real",),
                "real",
                scalar.float32,
                "to_float32({0})",
                "float(float32(a))",
                intervals.float32,
                lambda z3, a: a,
                rounds=True,
                precision=24,
            ),
        ),
        samples=((0.1,), (1e300,), (-0.0,)),
    )
)
