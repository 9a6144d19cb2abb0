"""Mistakes in the header of a policy, in names, and behind the policy's end."""

from __future__ import annotations

import difflib
import re

from hl_dsl.grammar.syntax_errors.error_context import DECLARATIONS, PROPERTIES, ErrorContext

from hl_dsl.base.diagnostics import Diagnostic, Label, Repair
from hl_dsl.base.source import Span


def _header(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if "policy" in trouble.accepts:
        if difflib.get_close_matches(token.text.lower(), ["policy"], 1, 0.7):
            return None
        return trouble.finding(
            "HL149",
            "a program begins with `policy`",
            "this is something else",
            expected=('policy NAME for "ENVIRONMENT" { … }',),
        )
    if "for" in trouble.accepts and not trouble.wants_name:
        if token.text == "-":
            return None
        repair = None
        if token.kind == "string":
            repair = trouble.insert(token.start, "for ", "write `for` before it")
        elif token.kind == "word" and trouble.next.kind == "string":
            repair = trouble.replace(token, "for", "write `for`")
        return trouble.finding(
            "HL129",
            "the policy does not say which environment it is for",
            'write `for "ENVIRONMENT"` before this',
            expected=('`for "ENVIRONMENT"`, such as `for "Breakout-v5"`',),
            repair=repair,
        )
    if "STRING" in trouble.accepts:
        return trouble.finding(
            "HL129",
            "the policy does not say which environment it is for",
            "the environment's name goes here",
            expected=('the environment in quotes, such as "Breakout-v5"',),
        )
    if trouble.accepts == {"{"} and trouble.declaration < 0:
        return missing_brace(trouble)
    return None


def missing_brace(trouble: ErrorContext) -> Diagnostic:
    token = trouble.token
    if token.text in ("(", "[", ":", "="):
        repair = trouble.replace(token, "{", "write `{`")
    else:
        repair = trouble.insert(token.start, "{ ", "write `{` before this")
    return trouble.finding("HL136", f"`{{` is missing after `{trouble.previous.text}`", "it opens here", repair=repair)


def after_the_end(trouble: ErrorContext) -> Diagnostic | None:
    if trouble.accepts != {"END"}:
        return None
    token = trouble.token
    ended = Label(trouble.previous.span, "the policy ends here")
    if token.text == "policy":
        return trouble.finding("HL131", "a file holds one policy", "a second one begins here", others=(ended,))
    if token.text == "}":
        return trouble.finding(
            "HL132",
            "this `}` closes nothing",
            "no `{` is open here",
            others=(ended,),
            repair=trouble.drop(token, "leave it out"),
        )
    return trouble.finding("HL130", "there is text after the policy's end", "belongs to no policy", others=(ended,))


# names


def _name(trouble: ErrorContext) -> Diagnostic | None:
    token = trouble.token
    if trouble.wants_name and "start" not in trouble.accepts and trouble.previous.text != ",":
        what = _named_thing(trouble)
        if (
            token.kind == "word"
            and token.text in trouble.words
            and not (token.text == "for" and trouble.declaration < 0)
            and token.text != "in"
        ):
            return trouble.finding(
                "HL107",
                f"`{token.text}` is a word of the language, not a name",
                "choose another name",
                repair=trouble.replace(token, token.text + "_", f"call it `{token.text}_`"),
            )
        if token.kind == "number":
            return trouble.finding(
                "HL139", f"a name begins with a letter, `{token.text}` does not", "no name", repair=_lettered(trouble)
            )
        if what and token.text in (":", "=", "for", "{"):
            new = {
                "invariant": "claim",
                "monitor": "watched",
                "assume": "assumed",
                "reachable": "wanted",
                "policy": "controller",
            }.get(trouble.previous.text, "x")
            return trouble.finding(
                "HL133",
                f"the {what} has no name",
                "a name goes before this",
                repair=trouble.insert(
                    token.start, new + (" " if token.text != ":" else ""), f"give it a name, such as `{new}`"
                ),
            )
        if trouble.previous.text in ("->",):
            return None
    before = trouble.at(-2)
    declares = before.kind == "word" and (before.text in DECLARATIONS or before.text == "policy")
    if not declares or not trouble.is_name(trouble.previous):
        return None
    if token.text == "-":
        return _hyphenated(trouble)
    if token.text == "(" and before.text in ("let", "param", "memory"):
        return trouble.finding("HL146", "functions cannot be defined", "a `let` names a value, and takes no parameters")
    return None


def _named_thing(trouble: ErrorContext) -> str | None:
    word = trouble.previous.text
    return {"policy": "policy", "param": "parameter", "let": "`let`", "memory": "memory"}.get(
        word, word if word in PROPERTIES else None
    )


def _lettered(trouble: ErrorContext) -> Repair | None:
    token = trouble.token
    match = re.fullmatch(r"([0-9]+)(\w*)", token.text)
    if match is None:
        return None
    digits, word = match.groups()
    name = f"{word.strip('_') or 'x'}{digits}" if (word.strip("_") or "x")[0].isalpha() else f"x{digits}"
    return trouble.replace(token, name, f"write `{name}`, here and where it is used")


def _hyphenated(trouble: ErrorContext) -> Diagnostic | None:
    match = re.match(r"[A-Za-z_]\w*(-\w+)+", trouble.text[trouble.previous.start :])
    if match is None:
        return None
    place = Span(trouble.previous.start, trouble.previous.start + match.end())
    name = match.group().replace("-", "_")
    return trouble.finding(
        "HL139",
        f"a name has no `-`: `{match.group()}` is a subtraction",
        "no name",
        place,
        repair=Repair(place, name, f"write `{name}`, here and where it is used"),
    )


NAME_MISTAKES = (_name, _header)
