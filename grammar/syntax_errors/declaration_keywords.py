"""Mistakes at the first word of a declaration: unknown keywords, statements, functions, misplaced parts."""

from __future__ import annotations

import difflib
import re

from hl_dsl.base.diagnostics import Diagnostic
from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, ErrorContext

# Words that start a definition in other languages, by the nearest keyword of HL.
_SYNONYMS = {
    "let": "var val local set define const constant double float real int bool auto",
    "param": "parameter parameters tunable params",
    "memory": "state mem variable mut mutable register static remember",
    "observe": "input inputs sensor sensors observation observations obs",
    "modes": "states automaton machine",
    "act": "output action actions control command",
    "invariant": "assert ensure ensures require requires always guarantee prove property",
    "monitor": "check watch warn",
    "assume": "given suppose assumption",
    "reachable": "cover reach possible exists sometimes witness",
    "plan": "planner mpc lookahead search",
}
_NEAREST = {word: keyword for keyword, words in _SYNONYMS.items() for word in words.split()}
_STATEMENTS = frozenset(
    [
        "if",
        "while",
        "for",
        "repeat",
        "loop",
        "return",
        "switch",
        "match",
        "case",
        "do",
        "elif",
        "else",
        "break",
        "try",
        "with",
    ]
)
_FUNCTIONS = frozenset(
    ["function", "fn", "def", "func", "class", "struct", "import", "include", "module", "lambda", "proc"]
)


def _declaration_start(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if (
        not context.wants_declaration
        or token.kind != "word"
        or not (context.starts_line(token) or not context.accepts & {"*", ","})
    ):
        return None
    if token.text in ("when", "otherwise"):
        return context.finding("HL143", "a rule must be inside `act { … }` or a mode", "outside of both")
    if token.text in ("start", "next"):
        home = "modes" if token.text == "start" else "memory"
        return context.finding("HL143", f"`{token.text}` must be inside `{home}`", f"outside of a `{home}` block")
    if token.text in _STATEMENTS:
        return context.finding(
            "HL137",
            f"`{token.text}` does not start a declaration: a policy has no statements",
            "a statement of other languages",
            expected=("rules `act { when … => …  otherwise => … }`", "definitions `let NAME = if … then … else …`"),
        )
    if token.text in _FUNCTIONS:
        return context.finding("HL146", "functions cannot be defined", "name values with `let`")
    if token.text in context.words:
        return None
    if context.next.text in ("=", ":=", "+=", "-=", "*=", "/=", "++"):
        return _without_let(context)
    if context.next.text == ":":
        keyword = "memory" if re.match(r"[^\n]*\{", context.text[token.start :]) else "param"
        if not re.match(r"[^\n]*=", context.text[token.start :]):
            keyword = "invariant"
        return context.finding(
            "HL128",
            f"`{token.text}` does not start a declaration",
            "a word such as `param` or `memory` is missing before it",
            repair=context.insert(token.start, keyword + " ", f"write `{keyword}` before it"),
        )
    lowered = token.text.lower()
    meant = lowered if lowered in DECLARATIONS else _NEAREST.get(lowered)
    if meant is None:
        near = difflib.get_close_matches(lowered, DECLARATIONS, 1, 0.6)
        meant = near[0] if near else None
    if context.next.text == "{" and meant is None:
        return context.finding("HL143", "a mode must be inside `modes { … }`", "outside of `modes`")
    return context.finding(
        "HL128",
        f"`{token.text}` does not start a declaration",
        f"did you mean `{meant}`?" if meant else "not a word of the language",
        expected=() if meant else tuple(DECLARATIONS),
        repair=context.replace(token, meant, f"write `{meant}`") if meant else None,
    )


def _without_let(context: ErrorContext) -> Diagnostic:
    token, sign = context.token, context.next
    if token.text == "action":
        return context.finding(
            "HL137",
            "the action is defined by `act`, not by an assignment",
            "write `act …`",
            repair=context.replace(token, "act", "write `act`", sign) if sign.text == "=" else None,
        )
    if sign.text == "=":
        return context.finding(
            "HL137",
            "a definition must start with `let`",
            "`let` is missing before this",
            repair=context.insert(token.start, "let ", "write `let` before it"),
        )
    return context.finding(
        "HL124",
        "the language has no assignments: a value kept for the next tick is a `memory`",
        "an assignment of other languages",
        expected=(f"memory {token.text}: real in [low, high] = 0 {{ next = … }}",),
    )


KEYWORD_MISTAKES = (_declaration_start,)
