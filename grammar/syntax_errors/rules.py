"""Mistakes in `act`, `modes` and their rules."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, ErrorContext
from hl_dsl.grammar.syntax_errors.names import missing_brace

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span

_ELSE = ("else", "default", "_", "*", "always", "finally")
_IF = ("if", "elif", "elseif", "elsif", "case", "unless")
_STARTS = ("initial", "init", "initially", "begin", "first", "default", "entry")


def _missing_braces(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if "{" not in trouble.accepts or trouble.declaring == "memory" or trouble.declaration < 0:
        return None
    if trouble.previous.text == "act" and token.text in ("when", "otherwise"):
        return replace(missing_brace(trouble), repair=_in_braces(trouble))
    if trouble.previous.text == "act" and token.text in (":", "=", "=>", "->"):
        return trouble.finding(
            "HL142",
            f"`act` is followed by the action itself, without `{token.text}`",
            "not needed",
            repair=trouble.drop(token, "leave it out"),
        )
    if trouble.accepts == {"{"} and trouble.declaring in ("modes", "act"):
        before = trouble.previous
        if before.text in ("mode", "state") and trouble.is_name(token):
            return trouble.finding(
                "HL128",
                f"`{before.text}` is no word here: inside `modes`, a mode is its name and `{{ … }}`",
                "leave this out",
                before,
                repair=trouble.drop(before, "leave it out"),
            )
        if before.text in _STARTS and trouble.is_name(token):
            return trouble.finding(
                "HL128",
                f"`{before.text}` is no word of the language",
                "the mode to begin in is marked `start`",
                before,
                repair=trouble.replace(before, "start", "write `start`"),
            )
        if token.text == ":" and trouble.next.text == "{":
            return trouble.finding(
                "HL142", "`{` follows without a `:`", "not needed", repair=trouble.drop(token, "leave it out")
            )
        return missing_brace(trouble)
    return None


def _in_braces(trouble: ErrorContext) -> Repair:
    """Braces around the rules that begin at the token."""
    end, depth = trouble.token.end, 0
    for lexeme in trouble.lexemes[trouble.index :]:
        depth += (lexeme.text == "{") - (lexeme.text == "}")
        if depth < 0 or lexeme.text in DECLARATIONS:
            break
        end = lexeme.end
    rules = trouble.text[trouble.token.start : end]
    return Repair(Span(trouble.token.start, end), f"{{ {rules} }}", "write `{` before this and `}` after the last rule")


def _mode_name(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if not {"start", "NAME"} <= trouble.accepts:
        return None
    if token.text in ("when", "act", "otherwise"):
        return trouble.finding(
            "HL143",
            f"inside `modes`, `{token.text}` belongs to a mode",
            "no mode is open here",
            expected=("NAME { act …  when … -> NAME }",),
        )
    if token.text in trouble.words and token.kind == "word":
        closing = trouble.text[trouble.token.start :].count("}") > trouble.text[trouble.token.start :].count("{")
        if token.text in DECLARATIONS and closing and trouble.next.text != "{":
            return None
        return trouble.finding(
            "HL107",
            f"`{token.text}` is a word of the language, not a name",
            "choose another name for the mode",
            repair=trouble.replace(token, token.text + "_", f"call it `{token.text}_`"),
        )
    if token.text == "}":
        return trouble.finding(
            "HL138",
            "`modes` has no mode in it",
            "at least one goes before this",
            expected=("start NAME { act …  when … -> NAME }",),
        )
    return None


def _arrow(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    wanted = "=>" if "=>" in trouble.accepts else "->" if "->" in trouble.accepts else None
    if wanted is None:
        return None
    what = "an action" if wanted == "=>" else "the next mode"
    if token.text in ("=>", "->"):
        return trouble.finding(
            "HL121",
            f"`{wanted}` leads to {what}; `{token.text}` does not stand here",
            f"`{wanted}` is wanted",
            repair=trouble.replace(token, wanted, f"write `{wanted}`"),
        )
    if token.text in ("then", ":", ",", "goto", "do") or (token.text == "=" and not _arrow_follows(trouble)):
        return trouble.finding(
            "HL121",
            f"`{wanted}` leads to {what}",
            f"`{wanted}` is wanted",
            repair=trouble.replace(
                token, ("" if trouble.text[token.start - 1].isspace() else " ") + wanted, f"write `{wanted}`"
            ),
        )
    follows = trouble.is_name(token) or token.kind == "number" or token.text in ("when", "otherwise", "}")
    if (
        not follows
        or (token.kind == "word" and token.text in ("elif", "is", "mod", "div", "xor"))
        or _arrow_follows(trouble)
    ):
        return None
    repair = (
        trouble.insert(token.start, wanted + " ", f"write `{wanted}` before this")
        if trouble.is_name(token) or token.kind == "number"
        else None
    )
    return trouble.finding(
        "HL121",
        f"`{wanted}` and {what} are missing" if repair is None else f"`{wanted}` is missing before {what}",
        f"`{wanted}` is wanted",
        repair=repair,
    )


def _arrow_follows(trouble: ErrorContext) -> bool:
    """Whether an arrow comes before the rule could end."""
    for lexeme in trouble.lexemes[trouble.index + 1 :]:
        if lexeme.text in ("=>", "->"):
            return True
        if lexeme.text in ("when", "otherwise", "}", "{") or lexeme.text in DECLARATIONS:
            return False
    return False


def _rule(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    in_list = "otherwise" in trouble.accepts
    if in_list and token.text in _ELSE and not trouble.wants_value:
        if token.text == "*" and trouble.after_value:
            return None
        return trouble.finding(
            "HL144",
            f"the last rule is written `otherwise => …`, not `{token.text}`",
            "`otherwise` is wanted",
            repair=trouble.replace(token, "otherwise", "write `otherwise`"),
        )
    if "when" in trouble.accepts and token.text in _IF and not trouble.wants_value and trouble.begins_line(token):
        return trouble.finding(
            "HL137",
            f"a rule begins with `when`, not `{token.text}`",
            "`when` is wanted",
            repair=trouble.replace(token, "when", "write `when`"),
        )
    if in_list and token.text == ",":
        return trouble.finding(
            "HL142",
            "nothing separates or ends declarations and rules",
            "not needed",
            repair=trouble.drop(token, "leave it out"),
        )
    if (
        token.text in ("when", "otherwise")
        and token.text not in trouble.accepts
        and "}" in trouble.accepts
        and trouble.declaring == "act"
    ):
        if _otherwise_before(trouble):
            return trouble.finding(
                "HL141", "no rule comes after `otherwise`", "never reached: `otherwise` takes all that is left"
            )
    if "when" in trouble.accepts and "}" in trouble.accepts and not in_list:
        if token.text == "act":
            return trouble.finding("HL141", "the `act` of a mode comes before its transitions", "too late")
        if token.text == "otherwise":
            return trouble.finding(
                "HL143",
                "`otherwise` stands in `act { … }`: a mode without a true transition stays as it is",
                "outside of `act`",
            )
    return None


def _otherwise_before(trouble: ErrorContext) -> bool:
    depth = 0
    for lexeme in reversed(trouble.lexemes[: trouble.index]):
        depth += (lexeme.text == "}") - (lexeme.text == "{")
        if depth < 0:
            return False
        if lexeme.text == "otherwise" and depth == 0:
            return True
    return False


RULE_MISTAKES = (_arrow, _rule, _missing_braces, _mode_name)
