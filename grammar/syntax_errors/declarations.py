"""Mistakes in declarations: the word they begin with, types, defaults, ranges."""

from __future__ import annotations

import difflib
import re

from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, NUMBER, PROPERTIES, ErrorContext, Lexeme

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span

# Words that begin a definition elsewhere, and what they come nearest to here.
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
_SIGNED = r"-?\s*[0-9][\w.]*(?:[eE][+-]?[0-9]+)?"
_RANGE = re.compile(
    rf"(?:range\s*)?([\[({{])?\s*({_SIGNED}?)\s*(?:,|\.\.+|\bto\b|:|;|(?=\s))\s*({_SIGNED})(?:\s*([\])}}]))?"
)

_TYPES = re.compile(r"(?:\s*:\s*[A-Za-z_]\w*(?:\s*\[\s*\d+\s*\])?)+")


def _type(trouble: ErrorContext) -> Diagnostic | None:
    token, kind = trouble.token, trouble.declaring
    if kind == "let" and token.text == ":" and "=" in trouble.accepts:
        match = re.match(r":\s*[A-Za-z_]\w*(\s*\[\s*\d+\s*\])?\s*(?==[^=])", trouble.text[token.start :])
        repair = (
            Repair(Span(token.start, token.start + match.end()), "", "leave the type out")
            if match
            else trouble.replace(token, " =", "write `=`")
        )
        return trouble.finding(
            "HL148",
            "a `let` has no type: it is that of its value",
            "leave this out" if match else "`=` is wanted",
            repair=repair,
        )
    if kind == "observe" and token.text == ":":
        # One repair removes all types in a row: removing one of them would leave the same mistake at the same place.
        match = _TYPES.match(trouble.text, token.start)
        place = Span(token.start, match.end()) if match and trouble.previous.text != "observe" else token.span
        return trouble.finding(
            "HL148",
            "an observation has no type: the environment's card has it",
            "leave this out",
            place,
            repair=Repair(place, "", "leave it out"),
        )
    if ":" in trouble.accepts and kind in ("param", "memory") and trouble.is_name(trouble.previous):
        if token.text in ("=", "in"):
            return _without_type(trouble, ": ", trouble.previous.end)
        if trouble.is_name(token):
            return trouble.finding(
                "HL133",
                f"`:` is missing between `{trouble.previous.text}` and its type",
                "`:` goes before this",
                repair=trouble.insert(trouble.previous.end, ":", "write `:`"),
            )
    if (
        trouble.wants_name
        and trouble.previous.text == ":"
        and kind in ("param", "memory")
        and (token.text in ("=", "in") or token.kind == "number")
    ):
        return _without_type(trouble, " ", trouble.previous.end)
    if ":" in trouble.accepts and kind in PROPERTIES:
        if token.text in ("=", "=>", "->"):
            return trouble.finding(
                "HL133",
                f"`:` stands between the name of the {kind} and what it says",
                "`:` is wanted",
                repair=trouble.replace(token, ":", "write `:`"),
            )
        if trouble.is_name(token) or token.text in ("not", "if", "true", "false"):
            return trouble.finding(
                "HL133",
                f"`:` stands between the name of the {kind} and what it says",
                "`:` goes before this",
                repair=trouble.insert(trouble.previous.end, ":", "write `:`"),
            )
        name = {"invariant": "claim", "monitor": "watched", "assume": "assumed", "reachable": "wanted"}[kind]
        return trouble.finding(
            "HL133",
            f"the {kind} has no name",
            "a name and `:` go before this",
            trouble.previous,
            repair=trouble.insert(trouble.previous.start, f"{name}: ", f"give it a name: `{name}: …`"),
        )
    if kind in ("param", "memory") and "[" in trouble.accepts and "=" in trouble.accepts and token.text in ("(", "<"):
        match = re.match(r"[(<]\s*(\d+)\s*[)>]", trouble.text[token.start :])
        place = Span(token.start, token.start + match.end()) if match else token.span
        return trouble.finding(
            "HL133",
            "the length of a vector stands in square brackets",
            "not in square brackets",
            place,
            repair=Repair(place, f"[{match.group(1)}]", f"write `[{match.group(1)}]`") if match else None,
        )
    return None


def _without_type(trouble: ErrorContext, lead: str, offset: int) -> Diagnostic:
    rest = trouble.text[trouble.token.start :]
    written = "bool" if re.match(r"=?\s*(true|false)\b", rest) else "real"
    return trouble.finding(
        "HL133",
        f"the {_KINDS[trouble.declaring]} has no type",
        "its type goes before this",
        expected=("real", "int", "bool", "vec[LENGTH]"),
        repair=trouble.insert(offset, lead + written, f"write `: {written}`"),
    )


_KINDS = {"param": "parameter", "memory": "memory"}


def _default(trouble: ErrorContext) -> Diagnostic | None:
    token, kind = trouble.token, trouble.declaring
    if kind not in _KINDS or trouble.wants_name or "NUMBER" in trouble.accepts:
        return None
    what = "default" if kind == "param" else "start"
    if "=" in trouble.accepts and "next" not in trouble.accepts:
        if token.text in ("==", ":="):
            return None
        if token.text == "in" and kind == "param":
            return _range_first(trouble)
        low = _range_before(trouble)
        return trouble.finding(
            "HL138",
            f"the {_KINDS[kind]} has no {what}",
            f"its {what} goes before this",
            expected=("= LITERAL",),
            repair=trouble.insert(trouble.previous.end, f" = {low}", f"give it one, such as `= {low}`")
            if low
            else None,
        )
    if "{" in trouble.accepts and kind == "memory":
        if token.text == "in":
            return _range_last(trouble)
        if _is_operator(token):
            return _not_literal(trouble, what)
        name = trouble.at(trouble.declaration + 1 - trouble.index).text
        return trouble.finding(
            "HL138",
            "the memory does not say what its next value is",
            "`{ next = … }` goes before this",
            repair=trouble.insert(
                trouble.previous.end, f" {{ next = {name} }}", f"keep its value: `{{ next = {name} }}`"
            ),
        )
    if "next" in trouble.accepts:
        if trouble.next.text == "=" and token.kind == "word":
            return trouble.finding(
                "HL138",
                "a memory's block gives its next value: `next = …`",
                "`next` is wanted",
                repair=trouble.replace(token, "next", "write `next`"),
            )
        repair = trouble.insert(token.start, "next = ", "write `next =` before this") if token.text != "}" else None
        return trouble.finding(
            "HL138", "a memory's block gives its next value: `next = …`", "`next = …` is wanted", repair=repair
        )
    if kind == "param" and "let" in trouble.accepts and _is_operator(token):
        return _not_literal(trouble, what)
    return None


def _is_operator(token: Lexeme) -> bool:
    return token.text in ("+", "-", "*", "/", "//", "(", "<", ">", "<=", ">=", "==", "!=", "and", "or", ".")


def _not_literal(trouble: ErrorContext, what: str) -> Diagnostic:
    return trouble.finding(
        "HL140",
        f"the {what} is one literal, not a calculation",
        "a calculation",
        expected=("a number, true, false, a name of an enumeration, or a vector of these",),
    )


def _range_before(trouble: ErrorContext) -> str | None:
    """The low end of the range just before the token; else a value of the type just before it."""
    declared = trouble.text[trouble.at(trouble.declaration - trouble.index).start : trouble.token.start]
    if match := re.search(rf"\[\s*({_SIGNED})\s*,\s*{_SIGNED}\s*\]\s*$", declared):
        return match.group(1)
    match = re.search(r":\s*(real|int|bool)\s*$", declared)
    return {"real": "0", "int": "0", "bool": "false"}[match.group(1)] if match else None


def _range_first(trouble: ErrorContext) -> Diagnostic:
    match = re.match(
        rf"(in\s*\[\s*({_SIGNED})\s*,\s*{_SIGNED}\s*\])(\s*=\s*({_SIGNED}|true|false))?",
        trouble.text[trouble.token.start :],
    )
    if match is None:
        return trouble.finding(
            "HL138", "the parameter has no default", "its default goes before this", expected=("= LITERAL",)
        )
    place = Span(trouble.token.start, trouble.token.start + match.end())
    if match.group(3) is None:
        return trouble.finding(
            "HL138",
            "the parameter has no default",
            "its default goes before this",
            repair=trouble.insert(place.start, f"= {match.group(2)} ", f"give it one, such as `= {match.group(2)}`"),
        )
    text = f"= {match.group(4)} {match.group(1)}"
    return trouble.finding(
        "HL141",
        "a parameter's range comes after its default",
        "too early",
        place,
        repair=Repair(place, text, f"write `{text}`"),
    )


def _range_last(trouble: ErrorContext) -> Diagnostic:
    match = re.match(rf"in\s*\[\s*{_SIGNED}\s*,\s*{_SIGNED}\s*\]", trouble.text[trouble.token.start :])
    start = next((one.start for one in reversed(trouble.lexemes[: trouble.index]) if one.text == "="), None)
    repair = None
    if match and start is not None:
        text = f"{match.group()} {trouble.text[start : trouble.token.start].rstrip()}"
        repair = Repair(Span(start, trouble.token.start + match.end()), text, f"write `{text}`")
    return trouble.finding("HL141", "a memory's range comes before its start", "too late", repair=repair)


def _range(trouble: ErrorContext) -> Diagnostic | None:
    """`in (0, 8)`, `in 0..8`, `in [0 8]`, `in [0, n]`."""
    token = trouble.token
    word = trouble.previous if trouble.accepts == {"["} and trouble.previous.text == "in" else _range_word(trouble)
    if word is None:
        return None
    start = word.end + len(trouble.text[word.end :]) - len(trouble.text[word.end :].lstrip())
    match = _RANGE.match(trouble.text, start)
    if (
        match
        and match.group(2)
        and match.group(3)
        and bool(match.group(1)) == bool(match.group(4))
        and not (match.group(1) == "[" and match.group(4) == "]" and "," in match.group())
    ):
        text = f"[{_tidy(match.group(2))}, {_tidy(match.group(3))}]"
        return trouble.finding(
            "HL126",
            "a range is written `[low, high]`",
            "written in another way",
            Span(start, match.end()),
            repair=Repair(Span(start, match.end()), text, f"write `{text}`"),
        )
    if trouble.accepts == {"["}:
        return trouble.finding(
            "HL126",
            "a range is written `[low, high]`",
            "`[` is wanted",
            repair=trouble.replace(token, "[", "write `[`") if token.text in ("(", "{") else None,
        )
    if word and not trouble.wants_value and not trouble.after_value:
        if token.kind == "word" or _is_operator(token):
            return trouble.finding("HL140", "the ends of this range are literals", "a finite number is wanted")
        return trouble.finding(
            "HL126", "a range is written `[low, high]`", "`,` is wanted" if "," in trouble.accepts else "`]` is wanted"
        )
    return None


def _range_word(trouble: ErrorContext) -> Lexeme | None:
    """The `in` of the range that the token is in."""
    for distance in range(-1, -7, -1):
        lexeme = trouble.at(distance)
        if lexeme.text == "in" and lexeme.kind == "word":
            return lexeme if trouble.at(distance + 1).text == "[" and distance < -1 else None
        if lexeme.text in trouble.words or lexeme.text in ("]", "{", "}", "="):
            return None
    return None


def _tidy(number: str) -> str:
    number = number.replace(" ", "").rstrip(".")
    return number if NUMBER.fullmatch(number.lstrip("-")) else "0"


def _literal(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if not trouble.wants_literal or "END" in trouble.accepts or trouble.declaring not in _KINDS:
        return None
    if token.kind == "string" or (token.kind == "sign" and token.text not in ("(", "+", "{")):
        return None
    what = "default" if trouble.declaring == "param" else "start"
    if token.text == "+":
        return trouble.finding(
            "HL140",
            f"the {what} is a plain literal",
            "numbers have no `+` before them",
            repair=trouble.drop(token, "leave it out"),
        )
    return _not_literal(trouble, what) if token.text in ("(", "{", "if", "not") else None


# where a declaration should begin


def _beginning(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if (
        not trouble.wants_declaration
        or token.kind != "word"
        or not (trouble.begins_line(token) or not trouble.accepts & {"*", ","})
    ):
        return None
    if token.text in ("when", "otherwise"):
        return trouble.finding("HL143", "a rule stands inside `act { … }` or a mode, not by itself", "outside of both")
    if token.text in ("start", "next"):
        home = "modes" if token.text == "start" else "memory"
        return trouble.finding(
            "HL143", f"`{token.text}` stands inside `{home}`, not by itself", f"outside of a `{home}` block"
        )
    if token.text in _STATEMENTS:
        return trouble.finding(
            "HL137",
            f"`{token.text}` begins no declaration: a policy has no statements",
            "a statement of other languages",
            expected=("rules `act { when … => …  otherwise => … }`", "definitions `let NAME = if … then … else …`"),
        )
    if token.text in _FUNCTIONS:
        return trouble.finding("HL146", "functions cannot be defined", "name values with `let`")
    if token.text in trouble.words:
        return None
    if trouble.next.text in ("=", ":=", "+=", "-=", "*=", "/=", "++"):
        return _without_let(trouble)
    if trouble.next.text == ":":
        keyword = "memory" if re.match(r"[^\n]*\{", trouble.text[token.start :]) else "param"
        if not re.match(r"[^\n]*=", trouble.text[token.start :]):
            keyword = "invariant"
        return trouble.finding(
            "HL128",
            f"`{token.text}` begins no declaration",
            "a word such as `param` or `memory` goes before it",
            repair=trouble.insert(token.start, keyword + " ", f"write `{keyword}` before it"),
        )
    lowered = token.text.lower()
    nearest = lowered if lowered in DECLARATIONS else _NEAREST.get(lowered)
    if nearest is None:
        near = difflib.get_close_matches(lowered, DECLARATIONS, 1, 0.6)
        nearest = near[0] if near else None
    if trouble.next.text == "{" and nearest is None:
        return trouble.finding("HL143", "a mode stands inside `modes { … }`, not by itself", "outside of `modes`")
    return trouble.finding(
        "HL128",
        f"`{token.text}` begins no declaration",
        f"did you mean `{nearest}`?" if nearest else "no word of the language",
        expected=() if nearest else tuple(DECLARATIONS),
        repair=trouble.replace(token, nearest, f"write `{nearest}`") if nearest else None,
    )


def _without_let(trouble: ErrorContext) -> Diagnostic:
    token, sign = trouble.token, trouble.next
    if token.text == "action":
        return trouble.finding(
            "HL137",
            "the action is given by `act`, not by an assignment",
            "write `act …`",
            repair=trouble.replace(token, "act", "write `act`", sign) if sign.text == "=" else None,
        )
    if sign.text == "=":
        return trouble.finding(
            "HL137",
            "a definition begins with `let`",
            "`let` goes before this",
            repair=trouble.insert(token.start, "let ", "write `let` before it"),
        )
    return trouble.finding(
        "HL124",
        "nothing is assigned: a value carried from tick to tick is a `memory`",
        "an assignment of other languages",
        expected=(f"memory {token.text}: real in [low, high] = 0 {{ next = … }}",),
    )


DECLARATION_MISTAKES = (_range, _type, _default, _literal, _beginning)
