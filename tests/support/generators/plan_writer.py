"""Writer of a generated plan, and of ranges and types as literals."""

from __future__ import annotations

from hl_dsl.grammar.tree.plan_settings import SETTINGS
from hl_dsl.grammar.tree.syntax_tree import (
    Name,
    Number,
    Param,
    PlanDeclaration,
    Range,
    Setting,
    TypeName,
)
from hl_dsl.language.types import REAL, Type
from tests.support.generators.expressions import ExpressionWriter

DEPTH = 3


def written_plan(write: ExpressionWriter) -> list:
    """A plan for the name `planned`, and the parameter that one of its settings may read."""
    declarations: list = []
    low, high = write.pick(((-0.5, 0.5), (-1.0, 1.0), (0.0, 0.25), (-2.0, -1.0)))
    chosen = [known for known in SETTINGS.values() if write.chance(30)]
    settings = [
        Setting(known.name, Number(write.pick((2, 3, 7)) if known.base == "int" else write.pick((0.0, 0.5, 1.0))))
        for known in chosen
    ]
    if chosen and write.chance(70):  # one of them by a parameter
        name, base = chosen[0].name, chosen[0].base
        declarations.append(
            Param(
                "planned_by",
                TypeName(base, None),
                Number(2 if base == "int" else 0.5),
                literal_range(*((2, 9) if base == "int" else (0.0, 1.0))),
            )
        )
        settings[0] = Setting(name, Name("planned_by"))
    final = write.of(REAL, DEPTH - 1) if write.chance(60) else None
    declarations.append(
        PlanDeclaration(
            "planned",
            written_type(write.types["planned"]),
            literal_range(low, high),
            tuple(settings),
            write.of(REAL, DEPTH - 1),
            final,
        )
    )
    return declarations


def literal_range(low, high) -> Range:
    """The range between two literals."""
    return Range(Number(low), Number(high))


def written_type(type_: Type) -> TypeName:
    """A type as the source text names it."""
    return TypeName("vec", type_.size) if type_.is_vector else TypeName(type_.base, None)
