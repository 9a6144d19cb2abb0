"""Mistakes in the header of a policy, in names, and behind the policy's end."""

from __future__ import annotations

import difflib
import re

from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span
from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, PROPERTIES, ErrorContext


def _header(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if "policy" in context.accepts:
        if difflib.get_close_matches(token.text.lower(), ["policy"], 1, 0.7):
            return None
        return context.finding(
            "HL149",
            "a program must start with `policy`",
            "this is something else",
            expected=('policy NAME for "ENVIRONMENT" { … }',),
        )
    if "for" in context.accepts and not context.wants_name:
        if token.text == "-":
            return None
        repair = None
        if token.kind == "string":
            repair = context.insert(token.start, "for ", "write `for` before it")
        elif token.kind == "word" and context.next.kind == "string":
            repair = context.replace(token, "for", "write `for`")
        return context.finding(
            "HL129",
            "the policy names no environment",
            'write `for "ENVIRONMENT"` before this',
            expected=('`for "ENVIRONMENT"`, such as `for "Breakout-v5"`',),
            repair=repair,
        )
    if "STRING" in context.accepts:
        return context.finding(
            "HL129",
            "the policy names no environment",
            "the environment's name is missing here",
            expected=('the environment in quotes, such as "Breakout-v5"',),
        )
    if context.accepts == {"{"} and context.declaration < 0:
        return missing_brace(context)
    return None


def missing_brace(context: ErrorContext) -> Diagnostic:
    """Returns the diagnostic of a missing `{` at the token."""
    token = context.token
    if token.text in ("(", "[", ":", "="):
        repair = context.replace(token, "{", "write `{`")
    else:
        repair = context.insert(token.start, "{ ", "write `{` before this")
    return context.finding("HL136", f"`{{` is missing after `{context.previous.text}`", "it opens here", repair=repair)


def after_the_end(context: ErrorContext) -> Diagnostic | None:
    """Text after the end of the policy."""
    if context.accepts != {"END"}:
        return None
    token = context.token
    ended = Label(context.previous.span, "the policy ends here")
    if token.text == "policy":
        return context.finding("HL131", "a file holds one policy", "a second one starts here", others=(ended,))
    if token.text == "}":
        return context.finding(
            "HL132",
            "this `}` has no opening bracket",
            "no `{` is open here",
            others=(ended,),
            repair=context.drop(token, "remove it"),
        )
    return context.finding(
        "HL130", "unexpected text after the end of the policy", "outside of the policy", others=(ended,)
    )


# names


def _name(context: ErrorContext) -> Diagnostic | None:
    token = context.token
    if context.wants_name and "start" not in context.accepts and context.previous.text != ",":
        what = _named_thing(context)
        if (
            token.kind == "word"
            and token.text in context.words
            and not (token.text == "for" and context.declaration < 0)
            and token.text != "in"
        ):
            return context.finding(
                "HL107",
                f"`{token.text}` is a word of the language, not a name",
                "choose another name",
                repair=context.replace(token, token.text + "_", f"call it `{token.text}_`"),
            )
        if token.kind == "number":
            return context.finding(
                "HL139",
                f"a name must start with a letter, not as in `{token.text}`",
                "not a name",
                repair=_lettered(context),
            )
        if what and token.text in (":", "=", "for", "{"):
            new = {
                "invariant": "claim",
                "monitor": "watched",
                "assume": "assumed",
                "reachable": "wanted",
                "policy": "controller",
            }.get(context.previous.text, "x")
            return context.finding(
                "HL133",
                f"the {what} has no name",
                "a name is missing before this",
                repair=context.insert(
                    token.start, new + (" " if token.text != ":" else ""), f"give it a name, such as `{new}`"
                ),
            )
        if context.previous.text in ("->",):
            return None
    before = context.at(-2)
    declares = before.kind == "word" and (before.text in DECLARATIONS or before.text == "policy")
    if not declares or not context.is_name(context.previous):
        return None
    if token.text == "-":
        return _hyphenated(context)
    if token.text == "(" and before.text in ("let", "param", "memory"):
        return context.finding("HL146", "functions cannot be defined", "a `let` names a value, and takes no parameters")
    return None


def _named_thing(context: ErrorContext) -> str | None:
    word = context.previous.text
    return {"policy": "policy", "param": "parameter", "let": "`let`", "memory": "memory"}.get(
        word, word if word in PROPERTIES else None
    )


def _lettered(context: ErrorContext) -> Repair | None:
    token = context.token
    match = re.fullmatch(r"([0-9]+)(\w*)", token.text)
    if match is None:
        return None
    digits, word = match.groups()
    name = f"{word.strip('_') or 'x'}{digits}" if (word.strip("_") or "x")[0].isalpha() else f"x{digits}"
    return context.replace(token, name, f"write `{name}`, here and where it is used")


def _hyphenated(context: ErrorContext) -> Diagnostic | None:
    match = re.match(r"[A-Za-z_]\w*(-\w+)+", context.text[context.previous.start :])
    if match is None:
        return None
    place = Span(context.previous.start, context.previous.start + match.end())
    name = match.group().replace("-", "_")
    return context.finding(
        "HL139",
        f"a name has no `-`: `{match.group()}` is a subtraction",
        "no name",
        place,
        repair=Repair(place, name, f"write `{name}`, here and where it is used"),
    )


NAME_MISTAKES = (_name, _header)
