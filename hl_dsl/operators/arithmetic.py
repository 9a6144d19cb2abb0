"""Arithmetic rows."""

from hl_dsl.operators import arithmetic_forms as forms
from hl_dsl.operators import intervals, inverse_intervals, scalar
from hl_dsl.operators.table import CALL, PRODUCT, SUM, UNARY, Form, Operator, Requirement, Syntax, register

_WHOLE = ("int", "int")
_REALS = ("real", "real")


register(
    Operator(
        "add",
        "the sum of {0} and {1}",
        Syntax("infix", "+", SUM),
        commutative=True,
        absorbs=("negate", "subtract"),
        forms=(
            Form(
                _WHOLE,
                "int",
                lambda a, b: a + b,
                "{0} + {1}",
                "a + b",
                intervals.whole_add,
                lambda z3, a, b: a + b,
                backward=inverse_intervals.add,
            ),
            Form(
                _REALS,
                "real",
                lambda a, b: a + b,
                "{0} + {1}",
                "a + b",
                intervals.add,
                lambda z3, a, b: a + b,
                rounds=True,
                underflows=False,
                backward=inverse_intervals.add,
            ),
        ),
    )
)
register(
    Operator(
        "subtract",
        "{0} less {1}",
        Syntax("infix", "-", SUM),
        absorbs=("negate", "add"),
        forms=(
            Form(
                _WHOLE,
                "int",
                lambda a, b: a - b,
                "{0} - {1}",
                "a - b",
                intervals.whole_subtract,
                lambda z3, a, b: a - b,
                backward=inverse_intervals.subtract,
            ),
            Form(
                _REALS,
                "real",
                lambda a, b: a - b,
                "{0} - {1}",
                "a - b",
                intervals.subtract,
                lambda z3, a, b: a - b,
                rounds=True,
                underflows=False,
                backward=inverse_intervals.subtract,
            ),
        ),
    )
)
register(
    Operator(
        "multiply",
        "{0} times {1}",
        Syntax("infix", "*", PRODUCT),
        commutative=True,
        forms=(
            Form(
                _WHOLE,
                "int",
                lambda a, b: a * b,
                "{0} * {1}",
                "a * b + 0.0",
                intervals.whole_multiply,
                lambda z3, a, b: a * b,
                backward=inverse_intervals.multiply,
                with_itself=intervals.whole_square,
            ),
            Form(
                _REALS,
                "real",
                lambda a, b: a * b,
                "{0} * {1}",
                "a * b",
                intervals.multiply,
                lambda z3, a, b: a * b,
                rounds=True,
                backward=inverse_intervals.multiply,
                with_itself=intervals.square,
            ),
        ),
    )
)
register(
    Operator(
        "divide",
        "{0} divided by {1}",
        Syntax("infix", "/", PRODUCT),
        forms=(
            Form(
                _REALS,
                "real",
                scalar.divide,
                forms.division,
                "(a / b if b != 0.0 else 0.0)",
                intervals.divide,
                forms.z3_divide,
                rounds=True,
                backward=inverse_intervals.divide,
            ),
        ),
        requires=(Requirement("division", "b != 0", "the divisor is not zero"),),
        samples=((1.0, 0.0), (-0.0, 3.0), (7.0, -2.0)),
    )
)
register(
    Operator(
        "floor_divide",
        "{0} divided by {1}, rounded down",
        Syntax("infix", "//", PRODUCT),
        forms=(
            Form(
                _WHOLE,
                "int",
                scalar.floor_divide,
                forms.floor_division,
                "floor_divide(a, b)",
                intervals.whole_divide,
                forms.z3_floor_divide,
                backward=inverse_intervals.floor_divide,
            ),
        ),
        requires=(Requirement("division", "b != 0", "the divisor is not zero"),),
        samples=((7, -3), (-7, 3), (-7, -3), (5, 0), (0, 4)),
    )
)
register(
    Operator(
        "mod",
        "the remainder of {0} by {1}, with the sign of {1}",
        CALL,
        forms=(
            Form(
                _WHOLE,
                "int",
                scalar.modulo_int,
                forms.remainder,
                "modulo_int(a, b)",
                intervals.whole_modulo,
                forms.z3_modulo_int,
            ),
            Form(
                _REALS,
                "real",
                scalar.modulo_real,
                forms.remainder,
                "modulo_real(a, b)",
                intervals.modulo,
                forms.z3_modulo_real,
                rounds=True,
            ),
        ),
        requires=(Requirement("division", "b != 0", "the divisor is not zero"),),
        samples=((7, -3), (-7, 3), (5, 0), (-1e-20, 288.0), (5.5, -2.0), (-0.0, 2.0), (6.0, -3.0)),
    )
)
register(
    Operator(
        "negate",
        "minus {0}",
        Syntax("prefix", "-", UNARY),
        involution=True,
        forms=(
            Form(
                ("int",),
                "int",
                lambda a: -a,
                "-{0}",
                "0.0 - a",
                intervals.negate,
                lambda z3, a: -a,
                backward=inverse_intervals.negate,
            ),
            Form(
                ("real",),
                "real",
                lambda a: -a,
                "-{0}",
                "-a",
                intervals.negate,
                lambda z3, a: -a,
                backward=inverse_intervals.negate,
            ),
        ),
        samples=((0,), (0.0,), (-0.0,)),
    )
)
register(
    Operator(
        "abs",
        "the size of {0}",
        CALL,
        forms=(
            Form(
                ("int",),
                "int",
                abs,
                "np.abs({0})",
                "abs(a)",
                intervals.whole_absolute,
                lambda z3, a: z3.If(a < 0, -a, a),
                backward=inverse_intervals.absolute,
            ),
            Form(
                ("real",),
                "real",
                abs,
                "np.abs({0})",
                "abs(a)",
                intervals.absolute,
                lambda z3, a: z3.If(a < 0, -a, a),
                backward=inverse_intervals.absolute,
            ),
        ),
        samples=((-0.0,), (-3,)),
    )
)


register(
    Operator(
        "min",
        "the smaller of {0} and {1}",
        CALL,
        forms=tuple(
            Form(
                (base, base),
                base,
                lambda a, b: b if b < a else a,
                forms.smaller,
                "(b if b < a else a)",
                intervals.minimum,
                forms.z3_smaller,
                backward=inverse_intervals.minimum,
            )
            for base in ("int", "real")
        ),
        samples=((0.0, -0.0), (-0.0, 0.0), (2, 2)),
    )
)
register(
    Operator(
        "max",
        "the larger of {0} and {1}",
        CALL,
        forms=tuple(
            Form(
                (base, base),
                base,
                lambda a, b: b if b > a else a,
                forms.larger,
                "(b if b > a else a)",
                intervals.maximum,
                forms.z3_larger,
                backward=inverse_intervals.maximum,
            )
            for base in ("int", "real")
        ),
        samples=((0.0, -0.0), (-0.0, 0.0), (2, 2)),
    )
)
