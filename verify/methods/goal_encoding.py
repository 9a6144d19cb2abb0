"""Goals as terms of a frame, and the leaf values of a frame in a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from hl_dsl.operators.scalar import LARGEST_INT
from hl_dsl.verify.goals.goals import Goal
from hl_dsl.verify.goals.terms import REAL, Term, literal
from hl_dsl.verify.smt.encode import Encoding
from hl_dsl.verify.smt.rounding_error import OVERFLOW
from hl_dsl.verify.smt.s_expressions import ModelValue
from hl_dsl.verify.smt.solver import Solver

# Values of the leaves of each frame: `input:i`, `memory:i`, `parameter:i`.
Model: TypeAlias = tuple[Mapping[str, ModelValue | None], ...]


def fact_node(goal: Goal) -> int:
    """Returns the bool node that is true where an inductive goal holds."""
    if goal.declaration is not None:
        return goal.declaration.node
    assert goal.required.claim is not None  # a memory range states a claim
    return goal.required.claim


def encode_violation(goal: Goal, encoding: Encoding, frame: int) -> Term:
    """Returns a term that is true if the goal is violated at a frame."""
    known = encoding.frames[frame]
    if goal.declaration is not None:
        return Term(f"(not {known[goal.declaration.node].text})", "Bool")
    item = goal.required
    parts = [] if item.guard is None else [known[item.guard].text]
    if item.claim is not None:
        parts.append(f"(not {known[item.claim].text})")
    elif item.kind == "finite":
        exact = encoding.exact.get((item.subject, frame))
        form = encoding.index.nodes[item.subject].form
        if exact is not None and form is not None:
            limit = literal(OVERFLOW[form.precision], REAL).text
            parts.append(f"(or (<= {limit} {exact.text}) (<= {exact.text} (- {limit})))")
    else:
        number = known[item.subject].text
        parts.append(f"(or (< {number} (- {LARGEST_INT})) (< {LARGEST_INT} {number}))")
    return Term(f"(and true {' '.join(parts)})", "Bool")


def read_leaves(solver: Solver, encoding: Encoding, frame: int) -> dict[str, ModelValue | None]:
    """Returns a frame's leaf values in the model: `input:i`, `memory:i`, `parameter:i`."""
    names = encoding.names(frame)
    wanted = sorted({text for text in names.values() if text[0].isalpha() and text not in ("true", "false")})
    values = solver.values(wanted)
    return {leaf: values.get(text) for leaf, text in names.items() if text in values}
