"""S-expressions that the solver prints, as Python values."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

SExpression: TypeAlias = "str | list[SExpression]"
ModelValue: TypeAlias = bool | int | Fraction


def parse_s_expression(text: str) -> SExpression:
    """Returns the first S-expression of a text, as nested lists of words."""
    stack: list[list[SExpression]] = [[]]
    for word in text.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            stack.append([])
        elif word == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(word)
    return stack[0][0]


def read_number(value: SExpression) -> ModelValue | None:
    """Returns a value of a model; None if it is not a rational number or a bool."""
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        try:
            return Fraction(value) if "." in value else int(value)
        except ValueError:
            return None
    if value[0] == "-" and len(value) == 2:
        inner = read_number(value[1])
        return None if inner is None else -inner
    if value[0] == "/" and len(value) == 3:
        top, bottom = read_number(value[1]), read_number(value[2])
        return None if top is None or not bottom else Fraction(top) / Fraction(bottom)
    return None
