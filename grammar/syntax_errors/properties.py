"""Mistakes in properties over several ticks: `never`, `within N of C:`, `after C until D:`, `reachable`."""

from __future__ import annotations

from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, PROPERTIES, ErrorContext, Lexeme

_PATTERNS = ("never", "within", "after")
_SHAPES = {"never": "never E", "within": "within N of C: E", "after": "after C until D: E"}
_UNTIL = ("unless", "before", "till", "to", "while")
_UNITS = ("tick", "ticks", "step", "steps", "frame", "frames")


def _unnamed(context: ErrorContext) -> Diagnostic | None:
    """`invariant never E`."""
    token, before = context.token, context.previous
    if not (context.wants_name and before.text in PROPERTIES and token.text in _PATTERNS and context.next.text != ":"):
        return None
    return context.finding(
        "HL133",
        f"the {before.text} has no name",
        "a name and `:` are missing before this",
        repair=context.insert(token.start, "claim: ", "give it a name: `claim: …`"),
    )


def _number(context: ErrorContext) -> Diagnostic | None:
    """`within K of`, `within -1 of`, `within of`."""
    token = context.token
    if context.previous.text != "within" or context.accepts != {"NUMBER"}:
        return None
    if token.text == "-" and context.next.kind == "number":
        return context.finding(
            "HL150",
            "a number of ticks is not negative",
            "0 is the same tick",
            Span(token.start, context.next.end),
            repair=context.drop(token, "remove the sign"),
        )
    if context.is_name(token) or token.text == "(":
        return context.finding(
            "HL150",
            "the number of ticks is a literal, so that it can be counted",
            "no literal",
            expected=("`within 8 of C: E`",),
        )
    return context.finding(
        "HL150",
        "`within` needs a number of ticks",
        "a number is missing before this",
        expected=("`within 8 of C: E`",),
        repair=context.insert(token.start, "0 ", "write `0`: at the same tick") if token.text == "of" else None,
    )


def _of(context: ErrorContext) -> Diagnostic | None:
    """`within 8 C: E`, `within 8 ticks of C: E`, `within 8: E`."""
    token = context.token
    if context.accepts != {"of"}:
        return None
    if token.text in _UNITS:
        return context.finding(
            "HL151", "`within` always counts ticks", "not needed", repair=context.drop(token, "remove it")
        )
    if token.text == ":":
        return context.finding(
            "HL151",
            "`within` has no condition: `within 8 of C: E`",
            "`of` and a condition are missing before this",
            repair=context.insert(token.start, " of true", "always: `of true`"),
        )
    return context.finding(
        "HL151",
        "`of` is missing between the number of ticks and the condition",
        "`of` is missing before this",
        repair=context.insert(token.start, "of ", "write `of`"),
    )


def _until(context: ErrorContext) -> Diagnostic | None:
    """`after C: E`, `after C unless D: E`."""
    token = context.token
    if "until" not in context.accepts:
        return None
    if token.text in _UNTIL:
        return context.finding(
            "HL151",
            f"`{token.text}` is written `until` here",
            "`until` is expected",
            repair=context.replace(token, "until", "write `until`"),
        )
    if token.text == ":":
        return context.finding(
            "HL151",
            "`after` has no `until`: `after C until D: E`",
            "`until` and a condition are missing before this",
            repair=context.insert(token.start, " until false", "forever: `until false`"),
        )
    if _ends(context):
        return context.finding(
            "HL151", "`after` is not complete: `after C until D: E`", "`until D: E` is missing before this"
        )
    return None


def _colon(context: ErrorContext) -> Diagnostic | None:
    """`within 8 of C E`."""
    token, head = context.token, _head(context)
    if head is None or ":" not in context.accepts or any(one.text == "[" for one in context.open_brackets):
        return None
    if _ends(context):
        return context.finding(
            "HL151",
            f"`{head}` has no condition: `{_SHAPES[head]}`",
            "`:` and a condition are missing before this",
        )
    if token.text in ("=>", "->", ",", "then", "implies", "="):
        return context.finding(
            "HL151",
            f"`:` must precede the condition: `{_SHAPES[head]}`",
            "`:` is expected",
            repair=context.replace(token, ":", "write `:`"),
        )
    if not context.starts_value or token.text in ("-", "["):
        return None
    return context.finding(
        "HL151",
        f"`:` must precede the condition: `{_SHAPES[head]}`",
        "`:` is missing before this",
        repair=context.insert(context.previous.end, ":", "write `:`"),
    )


def _never(context: ErrorContext) -> Diagnostic | None:
    """`never: E`, `always E`."""
    token, before = context.token, context.previous
    if before.text == "never" and token.text == ":":
        return context.finding("HL151", "no `:` follows `never`", "not needed", repair=context.drop(token, "remove it"))
    if before.text == "always" and context.at(-2).text == ":" and (context.starts_value or token.text == ":"):
        last = token if token.text == ":" else before
        return context.finding(
            "HL151",
            "`always` is not needed: a property must hold at every tick",
            "not needed",
            before,
            repair=context.drop(before, "remove it", last),
        )
    return None


def _reachable(context: ErrorContext) -> Diagnostic | None:
    """`invariant x: reachable E`."""
    token = context.token
    if token.text != "reachable" or not context.wants_value or context.next.text == ":":
        return None
    keyword, name = context.at(-3), context.at(-2)
    if keyword.text not in PROPERTIES or context.previous.text != ":":
        return context.finding(
            "HL151", "`reachable` is a separate declaration: `reachable NAME: E`", "not part of a condition"
        )
    place = Span(keyword.start, token.end)
    return context.finding(
        "HL151",
        "`reachable` is a separate declaration",
        f"not part of the {keyword.text}",
        repair=Repair(place, f"reachable {name.text}:", f"write `reachable {name.text}: …`"),
    )


def _misplaced(context: ErrorContext) -> Diagnostic | None:
    """A pattern where a condition is wanted, or behind one."""
    token = context.token
    if token.text not in _PATTERNS or token.kind != "word" or not (context.wants_value or context.after_value):
        return None
    if context.declaring == "reachable":
        return context.finding(
            "HL151",
            f"`reachable` is about one tick, without `{token.text}`",
            "not part of it",
            expected=("`reachable NAME: E`",),
        )
    if context.declaring in PROPERTIES and _head(context) is not None:
        return context.finding(
            "HL151", f"`{token.text}` cannot be nested in `{_head(context)}`", "name a second property"
        )
    where = "must precede the condition" if context.declaring in PROPERTIES else "is allowed in properties only"
    return context.finding(
        "HL151", f"`{token.text}` {where}: `invariant NAME: {_SHAPES[token.text]}`", "not part of a value"
    )


def _head(context: ErrorContext) -> str | None:
    """The pattern with which the property around the token starts."""
    if context.declaring not in PROPERTIES or context.declaration + 3 >= len(context.lexemes):
        return None
    word = context.lexemes[context.declaration + 3]
    return word.text if word.text in _PATTERNS and word.start < context.token.start else None


def _ends(context: ErrorContext) -> bool:
    token: Lexeme = context.token
    return token.kind == "end" or token.text == "}" or (token.text in DECLARATIONS and context.starts_line(token))


PROPERTY_MISTAKES = (_unnamed, _number, _of, _until, _colon, _never, _reachable, _misplaced)
