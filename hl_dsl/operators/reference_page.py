"""The reference page of an operator, written from its row."""

from __future__ import annotations

from hl_dsl.operators.table import OPERATORS, Operator


def usage(operator: Operator) -> str:
    """How the operator is written, over the names of its operands."""
    names = operator.parameters[: operator.arity]
    syntax = operator.syntax
    if syntax.kind == "infix":
        return f"{names[0]} {syntax.token} {names[1]}"
    if syntax.kind == "prefix":
        return f"{syntax.token} {names[0]}" if syntax.token.isalpha() else f"{syntax.token}{names[0]}"
    if syntax.kind == "special":
        return _SPECIAL[operator.name].format(*names)
    return f"{operator.name}({', '.join(names)})"


_SPECIAL = {"if": "if {0} then {1} else {2}", "in": "{0} in [{1}, {2}]"}


def page(operator: Operator) -> str:
    """Usage, meaning, signatures or formula, and what must be proved where it is used."""
    names = operator.parameters[: operator.arity]
    lines = [
        f"## `{usage(operator)}`",
        "",
        operator.says.format(*(f"`{name}`" for name in names)).capitalize() + ".",
        "",
    ]
    for form in operator.forms:
        lines.append(f"- {', '.join(form.operands)} → {form.result}{' (rounded to nearest)' if form.rounds else ''}")
    if operator.formula:
        lines.append(f"- means `{operator.formula}`")
    if operator.fold:
        lines.append(f"- means `{operator.fold}` over the components, left to right")
    lines += [f"- must be proved: {requirement.says} (`{requirement.formula}`)" for requirement in operator.requires]
    if operator.guards:
        guarded = ", ".join(
            f"`{names[position]}` only where `{names[by]}` is {str(truth).lower()}"
            for position, by, truth in operator.guards
        )
        lines.append(f"- needs {guarded}")
    return "\n".join(lines)


def reference() -> str:
    """All operators that can be written, one page after the other."""
    rows = [operator for operator in OPERATORS.values() if not operator.internal]
    return (
        "# Operators\n\nWritten from the operator table by `python -m hl_dsl.operators.reference_page`.\n\n"
        + "\n\n".join(map(page, rows))
        + "\n"
    )


if __name__ == "__main__":
    print(reference(), end="")
