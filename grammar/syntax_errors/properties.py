"""Mistakes in properties over several ticks: `never`, `within N of C:`, `after C until D:`, `reachable`."""

from __future__ import annotations

from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, PROPERTIES, ErrorContext, Lexeme

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span

_PATTERNS = ("never", "within", "after")
_SHAPES = {"never": "never E", "within": "within N of C: E", "after": "after C until D: E"}
_UNTIL = ("unless", "before", "till", "to", "while")
_UNITS = ("tick", "ticks", "step", "steps", "frame", "frames")


def _unnamed(trouble: ErrorContext) -> Diagnostic | None:
    """`invariant never E`"""
    token, before = trouble.token, trouble.previous
    if not (trouble.wants_name and before.text in PROPERTIES and token.text in _PATTERNS and trouble.next.text != ":"):
        return None
    return trouble.finding(
        "HL133",
        f"the {before.text} has no name",
        "a name and `:` go before this",
        repair=trouble.insert(token.start, "claim: ", "give it a name: `claim: …`"),
    )


def _number(trouble: ErrorContext) -> Diagnostic | None:
    """`within K of`, `within -1 of`, `within of`"""
    token = trouble.token
    if trouble.previous.text != "within" or trouble.accepts != {"NUMBER"}:
        return None
    if token.text == "-" and trouble.next.kind == "number":
        return trouble.finding(
            "HL150",
            "a number of ticks is not negative",
            "0 is the same tick",
            Span(token.start, trouble.next.end),
            repair=trouble.drop(token, "leave the sign out"),
        )
    if trouble.is_name(token) or token.text == "(":
        return trouble.finding(
            "HL150",
            "the number of ticks is a literal, so that it can be counted",
            "no literal",
            expected=("`within 8 of C: E`",),
        )
    return trouble.finding(
        "HL150",
        "`within` says how many ticks there are",
        "a number goes before this",
        expected=("`within 8 of C: E`",),
        repair=trouble.insert(token.start, "0 ", "write `0`: at the same tick") if token.text == "of" else None,
    )


def _of(trouble: ErrorContext) -> Diagnostic | None:
    """`within 8 C: E`, `within 8 ticks of C: E`, `within 8: E`"""
    token = trouble.token
    if trouble.accepts != {"of"}:
        return None
    if token.text in _UNITS:
        return trouble.finding(
            "HL151", "ticks are what `within` counts", "not needed", repair=trouble.drop(token, "leave it out")
        )
    if token.text == ":":
        return trouble.finding(
            "HL151",
            "`within` says of what: `within 8 of C: E`",
            "`of` and a condition go before this",
            repair=trouble.insert(token.start, " of true", "always: `of true`"),
        )
    return trouble.finding(
        "HL151",
        "`of` stands between the number of ticks and the condition",
        "`of` goes before this",
        repair=trouble.insert(token.start, "of ", "write `of`"),
    )


def _until(trouble: ErrorContext) -> Diagnostic | None:
    """`after C: E`, `after C unless D: E`"""
    token = trouble.token
    if "until" not in trouble.accepts:
        return None
    if token.text in _UNTIL:
        return trouble.finding(
            "HL151",
            f"`{token.text}` is written `until` here",
            "`until` is wanted",
            repair=trouble.replace(token, "until", "write `until`"),
        )
    if token.text == ":":
        return trouble.finding(
            "HL151",
            "`after` says until when: `after C until D: E`",
            "`until` and a condition go before this",
            repair=trouble.insert(token.start, " until false", "for ever: `until false`"),
        )
    if _ends(trouble):
        return trouble.finding(
            "HL151", "`after` is not complete: `after C until D: E`", "`until D: E` is missing before this"
        )
    return None


def _colon(trouble: ErrorContext) -> Diagnostic | None:
    """`within 8 of C E`"""
    token, head = trouble.token, _head(trouble)
    if head is None or ":" not in trouble.accepts or any(one.text == "[" for one in trouble.open_brackets):
        return None
    if _ends(trouble):
        return trouble.finding(
            "HL151",
            f"`{head}` does not say what is to hold: `{_SHAPES[head]}`",
            "`:` and a condition are missing before this",
        )
    if token.text in ("=>", "->", ",", "then", "implies", "="):
        return trouble.finding(
            "HL151",
            f"`:` stands before what is to hold: `{_SHAPES[head]}`",
            "`:` is wanted",
            repair=trouble.replace(token, ":", "write `:`"),
        )
    if not trouble.begins_value or token.text in ("-", "["):
        return None
    return trouble.finding(
        "HL151",
        f"`:` stands before what is to hold: `{_SHAPES[head]}`",
        "`:` goes before this",
        repair=trouble.insert(trouble.previous.end, ":", "write `:`"),
    )


def _never(trouble: ErrorContext) -> Diagnostic | None:
    """`never: E`, `always E`"""
    token, before = trouble.token, trouble.previous
    if before.text == "never" and token.text == ":":
        return trouble.finding(
            "HL151", "no `:` follows `never`", "not needed", repair=trouble.drop(token, "leave it out")
        )
    if before.text == "always" and trouble.at(-2).text == ":" and (trouble.begins_value or token.text == ":"):
        last = token if token.text == ":" else before
        return trouble.finding(
            "HL151",
            "what a property says holds at every tick anyway",
            "not needed",
            before,
            repair=trouble.drop(before, "leave it out", last),
        )
    return None


def _reachable(trouble: ErrorContext) -> Diagnostic | None:
    """`invariant x: reachable E`"""
    token = trouble.token
    if token.text != "reachable" or not trouble.wants_value or trouble.next.text == ":":
        return None
    keyword, name = trouble.at(-3), trouble.at(-2)
    if keyword.text not in PROPERTIES or trouble.previous.text != ":":
        return trouble.finding(
            "HL151", "`reachable` is a declaration of its own: `reachable NAME: E`", "not part of a condition"
        )
    place = Span(keyword.start, token.end)
    return trouble.finding(
        "HL151",
        "`reachable` is a declaration of its own",
        f"not part of the {keyword.text}",
        repair=Repair(place, f"reachable {name.text}:", f"write `reachable {name.text}: …`"),
    )


def _misplaced(trouble: ErrorContext) -> Diagnostic | None:
    """A pattern where a condition is wanted, or behind one."""
    token = trouble.token
    if token.text not in _PATTERNS or token.kind != "word" or not (trouble.wants_value or trouble.after_value):
        return None
    if trouble.declaring == "reachable":
        return trouble.finding(
            "HL151",
            f"`reachable` is about one tick, without `{token.text}`",
            "not part of it",
            expected=("`reachable NAME: E`",),
        )
    if trouble.declaring in PROPERTIES and _head(trouble) is not None:
        return trouble.finding(
            "HL151", f"`{token.text}` does not stand inside of another `{_head(trouble)}`", "name a second property"
        )
    where = "stands before what it says" if trouble.declaring in PROPERTIES else "stands in properties"
    return trouble.finding(
        "HL151", f"`{token.text}` {where}: `invariant NAME: {_SHAPES[token.text]}`", "not part of a value"
    )


def _head(trouble: ErrorContext) -> str | None:
    """The pattern that the property around the token begins with."""
    if trouble.declaring not in PROPERTIES or trouble.declaration + 3 >= len(trouble.lexemes):
        return None
    word = trouble.lexemes[trouble.declaration + 3]
    return word.text if word.text in _PATTERNS and word.start < trouble.token.start else None


def _ends(trouble: ErrorContext) -> bool:
    token: Lexeme = trouble.token
    return token.kind == "end" or token.text == "}" or (token.text in DECLARATIONS and trouble.begins_line(token))


PROPERTY_MISTAKES = (_unnamed, _number, _of, _until, _colon, _never, _reachable, _misplaced)
