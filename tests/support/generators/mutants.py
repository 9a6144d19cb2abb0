"""Wrong rows: one part of a row of the operator table changed, each with the check that ought to see it first."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from hl_dsl.operators import Operator
from tests.support import row_checks
from tests.support.generators.bench import forms_of, samples
from tests.support.generators.formulas import DEFINITIONS, OPERANDS
from tests.support.generators.inputs import bits
from tests.support.row_checks import with_form


class Mutant(NamedTuple):
    """`says` what was changed; `check` is tried first."""

    says: str
    row: Operator
    check: Callable


def mutants(row: Operator) -> Iterator[Mutant]:
    for position, form in enumerate(row.forms):
        for says, check, changes in _form_mutants(row, position, form):
            yield Mutant(f"{row.name}[{position}]: {says}", with_form(row, position, **changes), check)
    for says, check, changes in _row_mutants(row):
        yield Mutant(f"{row.name}: {says}", replace(row, **changes), check)


def _form_mutants(row: Operator, position: int, form) -> Iterator[tuple[str, Callable, dict]]:
    checks = row_checks
    yield "scalar off by a little", checks.check_tape, {"scalar": _nudged(form.scalar)}
    yield "numpy constant", checks.check_numpy, {"numpy": "{0} * 0 + 1" if form.result != "bool" else "{0} != {0}"}
    yield "tape off by one", checks.check_tape, {"tape": f"({form.tape}) + 1.0"}
    yield (
        "interval shrunk to its low end",
        checks.check_interval,
        {"interval": lambda *pairs: (form.interval(*pairs)[0],) * 2},
    )
    yield (
        "interval shrunk to its high end",
        checks.check_interval,
        {"interval": lambda *pairs: (form.interval(*pairs)[1],) * 2},
    )
    yield "interval that claims nothing", checks.check_interval, {"interval": lambda *pairs: (-math.inf, math.inf)}
    if form.z3 is not None:
        yield "solver's form another", checks.check_z3, {"z3": lambda z3, *operands: _other(z3, form.z3(z3, *operands))}
    if form.rounds and form.z3 is not None:
        yield "rounding omitted", checks.check_z3, {"rounds": False}
    for part in ("refine", "backward"):
        rule = getattr(form, part)
        if rule is not None:
            yield f"{part} that narrows too much", checks.check_interval, {part: _shrunk(rule)}
    if form.refine is not None:
        yield (
            "refine with the truth turned round",
            checks.check_interval,
            {"refine": lambda truth, *rest: form.refine(not truth, *rest)},
        )
    if len(form.operands) < 2:
        return
    if _differs(row, position, bits):
        yield (
            "scalar with operands swapped",
            checks.check_tape,
            {"scalar": lambda *values: form.scalar(*_swapped(values))},
        )
        yield "numpy with operands swapped", checks.check_numpy, {"numpy": _swapped_template(form.numpy)}
        yield (
            "tape with operands swapped",
            checks.check_tape,
            {"tape": _swapped_registers(form.tape, len(form.operands))},
        )
    if _differs(row, position, lambda value: value):
        yield (
            "interval with operands swapped",
            checks.check_interval,
            {"interval": lambda *pairs: form.interval(*_swapped(pairs))},
        )
        if form.z3 is not None:
            yield (
                "solver's form with operands swapped",
                checks.check_z3,
                {"z3": lambda z3, *operands: form.z3(z3, *_swapped(operands))},
            )


def _row_mutants(row: Operator) -> Iterator[tuple[str, Callable, dict]]:
    checks = row_checks
    if row.guards:
        yield "no guards", checks.check_guards, {"guards": ()}
        yield (
            "guards turned round",
            checks.check_guards,
            {"guards": tuple((operand, by, not truth) for operand, by, truth in row.guards)},
        )
    if row.requires:
        yield "no requirements", checks.check_requirements, {"requires": ()}
    if row.forms and not row.commutative and row.arity == 2 and _differs(row, 0, bits):
        yield "said to commute", checks.check_commutative, {"commutative": True}
    if row.fold:
        others = {"add": "multiply", "and": "or", "or": "and"}
        yield "another fold", checks.check_formula, {"fold": others[row.fold]}
    if row.formula and row.name not in row_checks.OVER_TIME:
        yield (
            "a formula of its first operand only",
            checks.check_formula,
            {"formula": f"{row.parameters[0]} == {row.parameters[0]}"},
        )
        for name in set(re.findall(r"\b\d+(?:\.\d+)?\b", row.formula)):
            yield (
                f"another number for {name}",
                checks.check_formula,
                {"formula": re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", f"({name} + 1)", row.formula)},
            )
        definition, tried = DEFINITIONS[row.name], OPERANDS[row.name]
        if len(row.parameters) > 1 and any(
            definition(*operands) != definition(*_swapped(operands)) for operands in tried
        ):
            yield "parameters swapped", checks.check_formula, {"parameters": _swapped(row.parameters)}


def _nudged(scalar: Callable) -> Callable:
    def call(*values):
        result = scalar(*values)
        if isinstance(result, bool):
            return not result
        return result + 1 if isinstance(result, int) else math.nextafter(result, math.inf)

    return call


def _other(z3, expression):
    return z3.Not(expression) if z3.is_bool(expression) else expression + 1


def _shrunk(rule: Callable) -> Callable:
    def call(given, *rest):
        narrowed = rule(given, *rest) or rest[:-1]
        return tuple((low, low) if low != high else (low + 1, low + 1) for low, high in narrowed)

    return call


def _differs(row: Operator, position: int, view: Callable) -> bool:
    """Whether swapping the last two operands changes the form's result, seen through `view`, on some sample."""
    for item in forms_of([row]):
        if item.form is row.forms[position] and len(set(item.bases[-2:])) == 1:
            for values in samples(item, 300):
                results = [item.scalar(order) for order in (values, _swapped(values))]
                if (
                    None not in results
                    and not any(value != value for value in results)
                    and view(results[0]) != view(results[1])
                ):
                    return True
    return False


def _swapped(values: tuple) -> tuple:
    return (*values[:-2], values[-1], values[-2])


def _swapped_template(template) -> Callable:
    def call(texts, nodes):
        texts, nodes = _swapped(tuple(texts)), _swapped(tuple(nodes))
        return template(texts, nodes) if callable(template) else template.format(*texts)

    return call


def _swapped_registers(source: str, count: int) -> str:
    first, second = list("abc"[count - 2 : count])
    return re.sub(rf"\b[{first}{second}]\b", lambda match: second if match.group() == first else first, source)
