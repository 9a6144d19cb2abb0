"""Rows that are formulas over other rows, expanded at lowering. The formulas are printed in the reference."""

from hl_dsl.operators.table import CALL, Operator, Requirement, register

register(
    Operator(
        "clamp",
        "{0} kept between {1} and {2}",
        CALL,
        parameters=("x", "low", "high"),
        formula="min(max(x, low), high)",
        requires=(Requirement("clamp", "low <= high", "the lower bound is not above the upper one"),),
    )
)
register(
    Operator(
        "lerp", "the point {2} of the way from {0} to {1}", CALL, parameters=("a", "b", "t"), formula="a + t * (b - a)"
    )
)
# The distance from the far wall, not `min(m, 2 * L - m)`: every step is then monotone in m, so intervals lose nothing.
register(
    Operator(
        "reflect",
        "{0} bouncing between {1} and {2}",
        CALL,
        parameters=("x", "low", "high"),
        formula="low + ((high - low) - abs(mod(x - low, 2 * (high - low)) - (high - low)))",
        requires=(Requirement("clamp", "low < high", "the lower wall is below the upper one"),),
    )
)
register(
    Operator(
        "wrap",
        "the angle {0} brought into [-pi, pi]",
        CALL,
        parameters=("angle",),
        formula="mod(angle + 3.141592653589793, 6.283185307179586) - 3.141592653589793",
    )
)
register(
    Operator(
        "sign",
        "the sign of {0}: -1, 0 or 1",
        CALL,
        parameters=("x",),
        formula="if x > 0 then 1 else if x < 0 then -1 else 0",
    )
)
register(
    Operator("rising", "{0} has just become true", CALL, parameters=("b",), formula="b and not previous(b, false)")
)
register(Operator("sum", "the sum of {0}, left to right", CALL, parameters=("v",), fold="add"))
register(Operator("all", "every component of {0} is true", CALL, parameters=("v",), fold="and"))
register(Operator("any", "some component of {0} is true", CALL, parameters=("v",), fold="or"))
register(Operator("dot", "the dot product of {0} and {1}", CALL, parameters=("a", "b"), formula="sum(a * b)"))
register(Operator("norm", "the length of {0}", CALL, parameters=("v",), formula="sqrt(sum(v * v))"))
