"""Rows whose values come from the shared kernel of the C library, taken as within 4 ulp."""

import math

from hl_dsl.operators import intervals, scalar
from hl_dsl.operators.table import CALL, Form, Operator, Requirement, register

_ONE = ("real",)


def _root(texts, operands):
    return ("np.sqrt({0})" if operands[0].finite and operands[0].low >= 0.0 else "sqrt({0})").format(*texts)


register(
    Operator(
        "sqrt",
        "the square root of {0}",
        CALL,
        forms=(
            Form(_ONE, "real", scalar.sqrt, _root, "(math.sqrt(a) if a >= 0.0 else 0.0)", intervals.sqrt, rounds=True),
        ),
        requires=(Requirement("root", "a >= 0", "the operand is not negative"),),
        samples=((2.0,), (-1.0,), (-0.0,)),
    )
)
register(
    Operator(
        "sin",
        "the sine of {0}",
        CALL,
        forms=(Form(_ONE, "real", scalar.sin, "sin({0})", "math.sin(a)", intervals.sine, export="np.sin({0})"),),
        samples=((0.0,), (1e5,), (math.pi / 2,)),
    )
)
register(
    Operator(
        "cos",
        "the cosine of {0}",
        CALL,
        forms=(Form(_ONE, "real", scalar.cos, "cos({0})", "math.cos(a)", intervals.cosine, export="np.cos({0})"),),
        samples=((0.0,), (-3.0,)),
    )
)
register(
    Operator(
        "tanh",
        "the hyperbolic tangent of {0}",
        CALL,
        forms=(
            Form(
                _ONE,
                "real",
                scalar.tanh,
                "tanh({0})",
                "math.tanh(a)",
                intervals.monotone(scalar.tanh, -1.0, 1.0),
                export="np.tanh({0})",
            ),
        ),
        samples=((0.0,), (50.0,)),
    )
)
register(
    Operator(
        "exp",
        "e to the power {0}",
        CALL,
        forms=(
            Form(
                _ONE,
                "real",
                scalar.exp,
                "exp({0})",
                "math.exp(a)",
                intervals.monotone(scalar.exp, 0.0),
                export="np.exp({0})",
            ),
        ),
        samples=((0.0,), (-800.0,), (800.0,)),
    )
)
register(
    Operator(
        "atan2",
        "the angle of the point ({1}, {0})",
        CALL,
        forms=(
            Form(
                ("real", "real"),
                "real",
                scalar.atan2,
                "atan2({0}, {1})",
                "math.atan2(a, b)",
                intervals.arctangent,
                sees_zero_sign=True,
                export="np.arctan2({0}, {1})",
            ),
        ),
        samples=((0.0, 0.0), (0.0, -1.0), (-0.0, -1.0), (1.0, 1.0)),
    )
)
