"""The operator table: one row for each operator, with its scalar, NumPy, tape, interval and z3 forms."""

from hl_dsl.operators import arithmetic, derived, logic, rounding, transcendental  # noqa: F401
from hl_dsl.operators.table import (
    CALL,
    INFIX_BY_TOKEN,
    OPERATORS,
    Form,
    Operator,
    Requirement,
    Syntax,
    choose_form,
    register,
    registered,
    replaced,
)

__all__ = [
    "CALL",
    "INFIX_BY_TOKEN",
    "OPERATORS",
    "Form",
    "Operator",
    "Requirement",
    "Syntax",
    "choose_form",
    "register",
    "registered",
    "replaced",
]
