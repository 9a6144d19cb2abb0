"""Mistakes in `act`, `modes` and their rules."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, ErrorContext
from hl_dsl.grammar.syntax_errors.names import missing_brace

_ELSE = ("else", "default", "_", "*", "always", "finally")
_IF = ("if", "elif", "elseif", "elsif", "case", "unless")
_STARTS = ("initial", "init", "initially", "begin", "first", "default", "entry")


def _missing_braces(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if "{" not in context.accepts or context.declaring == "memory" or context.declaration < 0:
        return None
    if context.previous.text == "act" and token.text in ("when", "otherwise"):
        return replace(missing_brace(context), repair=_in_braces(context))
    if context.previous.text == "act" and token.text in (":", "=", "=>", "->"):
        return context.finding(
            "HL142",
            f"`act` is followed by the action itself, without `{token.text}`",
            "not needed",
            repair=context.drop(token, "remove it"),
        )
    if context.accepts == {"{"} and context.declaring in ("modes", "act"):
        before = context.previous
        if before.text in ("mode", "state") and context.is_name(token):
            return context.finding(
                "HL128",
                f"`{before.text}` is not expected here: inside `modes`, a mode is its name and `{{ … }}`",
                "remove this",
                before,
                repair=context.drop(before, "remove it"),
            )
        if before.text in _STARTS and context.is_name(token):
            return context.finding(
                "HL128",
                f"`{before.text}` is not a word of the language",
                "the first mode is marked `start`",
                before,
                repair=context.replace(before, "start", "write `start`"),
            )
        if token.text == ":" and context.next.text == "{":
            return context.finding(
                "HL142", "`{` follows without a `:`", "not needed", repair=context.drop(token, "remove it")
            )
        return missing_brace(context)
    return None


def _in_braces(context: ErrorContext) -> Repair:
    """Braces around the rules that start at the token."""
    end, depth = context.token.end, 0
    for lexeme in context.lexemes[context.index :]:
        depth += (lexeme.text == "{") - (lexeme.text == "}")
        if depth < 0 or lexeme.text in DECLARATIONS:
            break
        end = lexeme.end
    rules = context.text[context.token.start : end]
    return Repair(Span(context.token.start, end), f"{{ {rules} }}", "write `{` before this and `}` after the last rule")


def _mode_name(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if not {"start", "NAME"} <= context.accepts:
        return None
    if token.text in ("when", "act", "otherwise"):
        return context.finding(
            "HL143",
            f"inside `modes`, `{token.text}` belongs to a mode",
            "no mode is open here",
            expected=("NAME { act …  when … -> NAME }",),
        )
    if token.text in context.words and token.kind == "word":
        closing = context.text[context.token.start :].count("}") > context.text[context.token.start :].count("{")
        if token.text in DECLARATIONS and closing and context.next.text != "{":
            return None
        return context.finding(
            "HL107",
            f"`{token.text}` is a word of the language, not a name",
            "choose another name for the mode",
            repair=context.replace(token, token.text + "_", f"call it `{token.text}_`"),
        )
    if token.text == "}":
        return context.finding(
            "HL138",
            "`modes` has no mode",
            "at least one is missing before this",
            expected=("start NAME { act …  when … -> NAME }",),
        )
    return None


def _arrow(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    wanted = "=>" if "=>" in context.accepts else "->" if "->" in context.accepts else None
    if wanted is None:
        return None
    what = "an action" if wanted == "=>" else "the next mode"
    if token.text in ("=>", "->"):
        return context.finding(
            "HL121",
            f"`{wanted}` must precede {what}; `{token.text}` is not allowed here",
            f"`{wanted}` is expected",
            repair=context.replace(token, wanted, f"write `{wanted}`"),
        )
    if token.text in ("then", ":", ",", "goto", "do") or (token.text == "=" and not _arrow_follows(context)):
        return context.finding(
            "HL121",
            f"`{wanted}` must precede {what}",
            f"`{wanted}` is expected",
            repair=context.replace(
                token, ("" if context.text[token.start - 1].isspace() else " ") + wanted, f"write `{wanted}`"
            ),
        )
    follows = context.is_name(token) or token.kind == "number" or token.text in ("when", "otherwise", "}")
    if (
        not follows
        or (token.kind == "word" and token.text in ("elif", "is", "mod", "div", "xor"))
        or _arrow_follows(context)
    ):
        return None
    repair = (
        context.insert(token.start, wanted + " ", f"write `{wanted}` before this")
        if context.is_name(token) or token.kind == "number"
        else None
    )
    return context.finding(
        "HL121",
        f"`{wanted}` and {what} are missing" if repair is None else f"`{wanted}` is missing before {what}",
        f"`{wanted}` is expected",
        repair=repair,
    )


def _arrow_follows(context: ErrorContext) -> bool:
    """Whether an arrow comes before the rule could end."""
    for lexeme in context.lexemes[context.index + 1 :]:
        if lexeme.text in ("=>", "->"):
            return True
        if lexeme.text in ("when", "otherwise", "}", "{") or lexeme.text in DECLARATIONS:
            return False
    return False


def _rule(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    in_list = "otherwise" in context.accepts
    if in_list and token.text in _ELSE and not context.wants_value:
        if token.text == "*" and context.after_value:
            return None
        return context.finding(
            "HL144",
            f"the last rule is written `otherwise => …`, not `{token.text}`",
            "`otherwise` is expected",
            repair=context.replace(token, "otherwise", "write `otherwise`"),
        )
    if "when" in context.accepts and token.text in _IF and not context.wants_value and context.starts_line(token):
        return context.finding(
            "HL137",
            f"a rule must start with `when`, not `{token.text}`",
            "`when` is expected",
            repair=context.replace(token, "when", "write `when`"),
        )
    if in_list and token.text == ",":
        return context.finding(
            "HL142",
            "declarations and rules have no separators",
            "not needed",
            repair=context.drop(token, "remove it"),
        )
    if (
        token.text in ("when", "otherwise")
        and token.text not in context.accepts
        and "}" in context.accepts
        and context.declaring == "act"
        and _otherwise_before(context)
    ):
        return context.finding("HL141", "no rule may follow `otherwise`", "never reached: `otherwise` always applies")
    if "when" in context.accepts and "}" in context.accepts and not in_list:
        if token.text == "act":
            return context.finding("HL141", "the `act` of a mode must precede its transitions", "too late")
        if token.text == "otherwise":
            return context.finding(
                "HL143",
                "`otherwise` is allowed in `act { … }` only: without a true transition the mode does not change",
                "outside of `act`",
            )
    return None


def _otherwise_before(context: ErrorContext) -> bool:
    depth = 0
    for lexeme in reversed(context.lexemes[: context.index]):
        depth += (lexeme.text == "}") - (lexeme.text == "{")
        if depth < 0:
            return False
        if lexeme.text == "otherwise" and depth == 0:
            return True
    return False


RULE_MISTAKES = (_arrow, _rule, _missing_braces, _mode_name)
