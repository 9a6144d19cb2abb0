"""Reserved words of the language, and the text of its grammar, composed from the table of declarations."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from hl_dsl.base.declaration_table import DeclarationTable, declaration_table

# Words of the policy's frame and of expressions.
_CORE_WORDS = "policy for in next and or not implies if then else true false"
# `see` and `routine` are kept for constructs still to come, so that a program written today parses then.
RESERVED_FOR_LATER = frozenset(["see", "routine"])
_DECLARATIONS = "?declaration: "


def reserved_words() -> frozenset[str]:
    """The words that no name may be."""
    return _reserved_words(declaration_table())


@lru_cache(maxsize=4)
def _reserved_words(table: DeclarationTable) -> frozenset[str]:
    return RESERVED_FOR_LATER | table.words | frozenset(_CORE_WORDS.split())


def grammar_text() -> str:
    """The Lark source of the grammar: `hl.lark`, and the fragment of each declaration."""
    return _grammar_text(declaration_table())


@lru_cache(maxsize=4)
def _grammar_text(table: DeclarationTable) -> str:
    core = files("hl_dsl.grammar").joinpath("hl.lark").read_text(encoding="utf-8")
    alternatives = " | ".join(name for form in table.forms for name in form.alternatives)
    fragments = [form.grammar.strip() for form in table.forms]
    return "\n\n".join([core.strip(), _DECLARATIONS + alternatives, *fragments]) + "\n"
