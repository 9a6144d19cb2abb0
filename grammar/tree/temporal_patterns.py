"""Patterns of properties that reach over several ticks."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.expressions import Expression, span_field


@dataclass(slots=True)
class Never:
    """`never E`: E holds at no tick."""

    span: Span = span_field()


@dataclass(slots=True)
class Within:
    """`within TICKS of CONDITION: E`: wherever the condition holds, E holds within so many ticks."""

    ticks: int
    condition: Expression
    span: Span = span_field()


@dataclass(slots=True)
class After:
    """`after CONDITION until END: E`: E holds from where the condition does, until before where `end` does, if ever."""

    condition: Expression
    end: Expression
    span: Span = span_field()


Pattern = Never | Within | After


def conditions(pattern: Pattern | None) -> tuple[Expression, ...]:
    """The expressions of a pattern, in the order of the text."""
    if isinstance(pattern, Within):
        return (pattern.condition,)
    return (pattern.condition, pattern.end) if isinstance(pattern, After) else ()
