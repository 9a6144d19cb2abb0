"""Mistakes in a `plan`: its range, its settings, what it is scored by."""

from __future__ import annotations

from collections.abc import Callable

from hl_dsl.grammar.syntax_errors.error_context import ErrorContext
from hl_dsl.grammar.tree.plan_settings import SETTINGS

from hl_dsl.base.diagnostics import Diagnostic

Mistake = Callable[[ErrorContext], Diagnostic | None]
_JOINS = ("=", ":", ":=", "==", "is")


def _range(trouble: ErrorContext) -> Diagnostic | None:
    """`plan r: vec[6] { … }`, `plan r: vec[6] = 0 in [-1, 1] { … }`"""
    token = trouble.token
    if "in" not in trouble.accepts or trouble.after_value or "{" in trouble.accepts:
        return None
    if token.text == "{":
        return trouble.finding(
            "HL152",
            "the plan does not say in what range it may choose",
            "`in [low, high]` goes before this",
            repair=trouble.insert(trouble.previous.end, " in [-0.1, 0.1]", "say a range, such as `in [-0.1, 0.1]`"),
        )
    if token.text == "=":
        last = trouble.at(2) if trouble.next.text == "-" else trouble.next
        return trouble.finding(
            "HL152",
            "a plan has no default: it is chosen at every tick",
            "leave this out",
            repair=trouble.drop(token, "leave it out", last),
        )
    return None


def _setting(trouble: ErrorContext) -> Diagnostic | None:
    """`horizon = 10`, `horizon: 10`, `horizon 10, candidates 96`, `horizon 2 * 5`"""
    token, before = trouble.token, trouble.previous
    if before.text in SETTINGS and token.text in _JOINS:
        return trouble.finding(
            "HL152",
            f"a setting is its name and its value: `{before.text} {trouble.next.text}`",
            "not needed",
            repair=trouble.drop(token, "leave it out"),
        )
    if (
        before.text in SETTINGS
        and trouble.next.text not in SETTINGS
        and token.text in ("(", "if", "[", "true", "false", "not")
    ):
        return trouble.finding(
            "HL152",
            f"`{before.text}` is a number or the name of a parameter",
            "no literal",
            expected=("a number", "the name of a parameter"),
        )
    if token.text in (",", ";"):
        return trouble.finding(
            "HL142",
            f"`{token.text}` is not needed between settings",
            "not needed",
            repair=trouble.drop(token, "leave it out"),
        )
    if token.text in ("+", "-", "*", "/", "//"):
        return trouble.finding(
            "HL152",
            "settings are not calculated",
            "the value ends before this",
            expected=("a number", "the name of a parameter"),
        )
    return None


def _scores(trouble: ErrorContext) -> Diagnostic | None:
    """`plan … { horizon 10 }`, `final` first, settings behind `each`, `each:`"""
    token, before = trouble.token, trouble.previous
    if before.text in ("each", "final") and token.text in _JOINS:
        return trouble.finding(
            "HL152",
            f"the score stands right behind `{before.text}`",
            "not needed",
            repair=trouble.drop(token, "leave it out"),
        )
    if "each" in trouble.accepts and token.text == "}":
        return trouble.finding(
            "HL152",
            "the plan does not say what is good",
            "`each` and what to have much of at every tick go before this",
            repair=trouble.insert(token.start, "each 0 ", "say it: `each …`"),
        )
    if "each" in trouble.accepts and token.text == "final":
        return trouble.finding(
            "HL152",
            "`each` stands before `final`",
            "`each …` goes before this",
            repair=trouble.insert(token.start, "each 0 ", "`each 0`: only the end counts"),
        )
    if "final" in trouble.accepts and token.text in SETTINGS:
        return trouble.finding("HL152", f"settings stand before `each`, and so does `{token.text}`", "too late here")
    return None


def _in_a_plan(rule: Mistake) -> Mistake:
    return lambda trouble: rule(trouble) if trouble.declaring == "plan" else None


PLAN_MISTAKES = tuple(map(_in_a_plan, (_range, _setting, _scores)))
