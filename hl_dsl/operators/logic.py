"""Comparisons, truth values and the conditional."""

from hl_dsl.operators import intervals, truth_intervals
from hl_dsl.operators.table import (
    COMPARISON,
    CONDITIONAL,
    IMPLICATION,
    LOGIC,
    NEGATION,
    Form,
    Operator,
    Syntax,
    register,
)

_NUMBERS = (("int", "int"), ("real", "real"))
_ANY = ("any", "any")
_BOOLS = ("bool", "bool")

register(
    Operator(
        "less",
        "{0} is below {1}",
        Syntax("infix", "<", COMPARISON),
        forms=tuple(
            Form(
                pair,
                "bool",
                lambda a, b: a < b,
                "{0} < {1}",
                "(1.0 if a < b else 0.0)",
                truth_intervals.less,
                lambda z3, a, b: a < b,
                refine=truth_intervals.refine_less,
            )
            for pair in _NUMBERS
        ),
        samples=((0.0, -0.0), (1, 2)),
    )
)
register(
    Operator(
        "less_equal",
        "{0} is at most {1}",
        Syntax("infix", "<=", COMPARISON),
        forms=tuple(
            Form(
                pair,
                "bool",
                lambda a, b: a <= b,
                "{0} <= {1}",
                "(1.0 if a <= b else 0.0)",
                truth_intervals.less_equal,
                lambda z3, a, b: a <= b,
                refine=truth_intervals.refine_less_equal,
            )
            for pair in _NUMBERS
        ),
        samples=((0.0, -0.0), (2, 2)),
    )
)
register(
    Operator(
        "equal",
        "{0} is {1}",
        Syntax("infix", "==", COMPARISON),
        commutative=True,
        forms=(
            Form(
                _ANY,
                "bool",
                lambda a, b: a == b,
                "{0} == {1}",
                "(1.0 if a == b else 0.0)",
                truth_intervals.equal,
                lambda z3, a, b: a == b,
                refine=truth_intervals.refine_equal,
            ),
        ),
        samples=((0.0, -0.0), (2, 2)),
    )
)
register(
    Operator(
        "not_equal",
        "{0} is not {1}",
        Syntax("infix", "!=", COMPARISON),
        commutative=True,
        forms=(
            Form(
                _ANY,
                "bool",
                lambda a, b: a != b,
                "{0} != {1}",
                "(1.0 if a != b else 0.0)",
                truth_intervals.not_equal,
                lambda z3, a, b: a != b,
                refine=truth_intervals.refine_not_equal,
            ),
        ),
        samples=((0.0, -0.0), (2, 2)),
    )
)
register(
    Operator("greater", "{0} is above {1}", Syntax("infix", ">", COMPARISON), parameters=("a", "b"), formula="b < a")
)
register(
    Operator(
        "greater_equal",
        "{0} is at least {1}",
        Syntax("infix", ">=", COMPARISON),
        parameters=("a", "b"),
        formula="b <= a",
    )
)
register(
    Operator(
        "in",
        "{0} lies from {1} to {2}",
        Syntax("special", "in", COMPARISON),
        parameters=("x", "low", "high"),
        formula="low <= x and x <= high",
    )
)

register(
    Operator(
        "not",
        "not ({0})",
        Syntax("prefix", "not", NEGATION),
        involution=True,
        forms=(
            Form(
                ("bool",),
                "bool",
                lambda a: not a,
                "~{0}",
                "1.0 - a",
                truth_intervals.logical_not,
                lambda z3, a: z3.Not(a),
                refine=truth_intervals.refine_not,
            ),
        ),
    )
)
register(
    Operator(
        "and",
        "{0} and {1}",
        Syntax("infix", "and", LOGIC),
        guards=((1, 0, True),),
        forms=(
            Form(
                _BOOLS,
                "bool",
                lambda a, b: a and b,
                "{0} & {1}",
                "a * b",
                intervals.minimum,
                lambda z3, a, b: z3.And(a, b),
                refine=truth_intervals.refine_and,
            ),
        ),
    )
)
register(
    Operator(
        "or",
        "{0} or {1}",
        Syntax("infix", "or", LOGIC),
        guards=((1, 0, False),),
        forms=(
            Form(
                _BOOLS,
                "bool",
                lambda a, b: a or b,
                "{0} | {1}",
                "(a if a > b else b)",
                intervals.maximum,
                lambda z3, a, b: z3.Or(a, b),
                refine=truth_intervals.refine_or,
            ),
        ),
    )
)


def _implication(texts, nodes):
    # `~True` is an int in Python.
    return ("np.logical_not({0}) | {1}" if nodes[0].op == "constant" else "~{0} | {1}").format(*texts)


register(
    Operator(
        "implies",
        "if {0} then {1}",
        Syntax("infix", "implies", IMPLICATION),
        guards=((1, 0, True),),
        forms=(
            Form(
                _BOOLS,
                "bool",
                lambda a, b: (not a) or b,
                _implication,
                "(b if a != 0.0 else 1.0)",
                truth_intervals.implies,
                lambda z3, a, b: z3.Implies(a, b),
                refine=truth_intervals.refine_implies,
            ),
        ),
    )
)


def _choose(condition, a, b):
    return a if condition == intervals.TRUE else b if condition == intervals.FALSE else intervals.join(a, b)


register(
    Operator(
        "if",
        "{1} where {0}, else {2}",
        Syntax("special", "if", CONDITIONAL),
        guards=((1, 0, True), (2, 0, False)),
        forms=(
            Form(
                ("bool", "any", "any"),
                "any",
                lambda c, a, b: a if c else b,
                "np.where({0}, {1}, {2})",
                "(b if a != 0.0 else c)",
                _choose,
                lambda z3, c, a, b: z3.If(c, a, b),
            ),
        ),
    )
)
