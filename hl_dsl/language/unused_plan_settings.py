"""Settings of a plan that change nothing, found from literals and defaults alone."""

from __future__ import annotations

from collections.abc import Iterator

from hl_dsl.base.diagnostics import Diagnostic
from hl_dsl.grammar.tree.plan_settings import SETTINGS
from hl_dsl.grammar.tree.syntax_tree import Number, PlanDeclaration, Setting


def unused_settings(plan: PlanDeclaration) -> Iterator[Diagnostic]:
    """Warnings. A setting that is a parameter may be anything in its range, and is not warned of."""
    given = {setting.name: setting for setting in plan.settings}
    values = {name: _value(name, given.get(name)) for name in ("candidates", "rounds", "elites", "sigma")}
    elites = given.get("elites")
    if elites is not None and values["rounds"] == 1:
        yield _unused(
            elites, "there is one round, and elites are what the next one goes around: set `rounds`, or leave this out"
        )
    elif elites is not None:
        number, candidates = values["elites"], values["candidates"]
        if number is not None and candidates is not None and number > candidates:
            yield _unused(elites, f"there are {candidates} candidates, and more elites than those change nothing")
    if values["sigma"] == 0 and "sigma" in given:
        yield _unused(given["sigma"], "without noise every candidate is the current plan, which starts with zeros")


def _value(name: str, setting: Setting | None) -> int | float | None:
    """The value of a setting; None if a parameter has it, or if it depends on the range."""
    if setting is None:
        return SETTINGS[name].default
    return setting.value.value if type(setting.value) is Number else None


def _unused(setting: Setting, says: str) -> Diagnostic:
    return Diagnostic(
        "HL507",
        f"`{setting.name} {setting.value.value:g}` has no effect"
        if type(setting.value) is Number
        else f"`{setting.name}` has no effect",
        setting.span,
        says,
        severity="warning",
    )
