"""Mistakes in a `plan`: range, settings and scores."""

from __future__ import annotations

from hl_dsl.base.diagnostics import Diagnostic
from hl_dsl.grammar.syntax_errors.error_context import ErrorContext, Rule
from hl_dsl.grammar.tree.plan_settings import SETTINGS

_JOINS = ("=", ":", ":=", "==", "is")


def _range(context: ErrorContext) -> Diagnostic | None:
    """`plan r: vec[6] { … }`, `plan r: vec[6] = 0 in [-1, 1] { … }`."""
    token = context.token
    if "in" not in context.accepts or context.after_value or "{" in context.accepts:
        return None
    if token.text == "{":
        return context.finding(
            "HL152",
            "the plan has no range",
            "`in [low, high]` is missing before this",
            repair=context.insert(context.previous.end, " in [-0.1, 0.1]", "add a range, such as `in [-0.1, 0.1]`"),
        )
    if token.text == "=":
        last = context.at(2) if context.next.text == "-" else context.next
        return context.finding(
            "HL152",
            "a plan has no default: it is chosen at every tick",
            "remove this",
            repair=context.drop(token, "remove it", last),
        )
    return None


def _setting(context: ErrorContext) -> Diagnostic | None:
    """`horizon = 10`, `horizon: 10`, `horizon 10, candidates 96`, `horizon 2 * 5`."""
    token, before = context.token, context.previous
    if before.text in SETTINGS and token.text in _JOINS:
        return context.finding(
            "HL152",
            f"a setting consists of its name and its value: `{before.text} {context.next.text}`",
            "not needed",
            repair=context.drop(token, "remove it"),
        )
    if (
        before.text in SETTINGS
        and context.next.text not in SETTINGS
        and token.text in ("(", "if", "[", "true", "false", "not")
    ):
        return context.finding(
            "HL152",
            f"`{before.text}` must be a number or the name of a parameter",
            "no literal",
            expected=("a number", "the name of a parameter"),
        )
    if token.text in (",", ";"):
        return context.finding(
            "HL142",
            f"`{token.text}` is not needed between settings",
            "not needed",
            repair=context.drop(token, "remove it"),
        )
    if token.text in ("+", "-", "*", "/", "//"):
        return context.finding(
            "HL152",
            "a setting cannot be an expression",
            "the value ends before this",
            expected=("a number", "the name of a parameter"),
        )
    return None


def _scores(context: ErrorContext) -> Diagnostic | None:
    """`plan … { horizon 10 }`, `final` first, settings behind `each`, `each:`."""
    token, before = context.token, context.previous
    if before.text in ("each", "final") and token.text in _JOINS:
        return context.finding(
            "HL152",
            f"the score must follow `{before.text}` directly",
            "not needed",
            repair=context.drop(token, "remove it"),
        )
    if "each" in context.accepts and token.text == "}":
        return context.finding(
            "HL152",
            "the plan has no score",
            "`each` and a score to maximize are missing before this",
            repair=context.insert(token.start, "each 0 ", "add a score: `each …`"),
        )
    if "each" in context.accepts and token.text == "final":
        return context.finding(
            "HL152",
            "`each` must precede `final`",
            "`each …` is missing before this",
            repair=context.insert(token.start, "each 0 ", "`each 0`: only the end counts"),
        )
    if "final" in context.accepts and token.text in SETTINGS:
        return context.finding("HL152", f"settings must precede `each`, also `{token.text}`", "too late here")
    return None


def _in_a_plan(rule: Rule) -> Rule:
    return lambda context: rule(context) if context.declaring == "plan" else None


PLAN_MISTAKES = tuple(map(_in_a_plan, (_range, _setting, _scores)))
