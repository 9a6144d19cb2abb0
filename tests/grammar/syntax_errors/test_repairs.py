"""Following the suggested repairs leads to a valid program; test_diagnostics.py tests the recorded messages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.grammar.parser import parse
from tests.support.broken_programs import GOOD, WORDS, errors
from tests.support.generators.syntax_trees import TOKEN

_TOKENS = [match.span() for match in TOKEN.finditer(GOOD)]


@st.composite
def slips(draw):
    """The good program with one slip of the hand, or two: a token omitted, doubled, replaced, put in, or misspelled."""
    text = GOOD
    for start, end in sorted(
        draw(st.lists(st.sampled_from(_TOKENS), min_size=1, max_size=2, unique=True)), reverse=True
    ):
        token, word = text[start:end], draw(st.sampled_from(WORDS))
        text = (
            text[:start]
            + draw(
                st.sampled_from(
                    ["", f"{token} {token}", word, f"{word} {token}", f"{token} {word}", token + token[-1], token[:-1]]
                )
            )
            + text[end:]
        )
    return text


@settings(deadline=None, max_examples=200)
@given(slips())
def test_following_the_repairs_leads_to_a_program(text):
    """Repairs of a text that does not parse lead to one that does. Repairs of a text that parses keep it parsable."""
    followed = 0
    while (error := syntax_error(text)) is not None and error.diagnostics[0].repair is not None:
        text = error.diagnostics[0].repair.apply(text)
        followed += 1
        assert followed < 10, "the repairs form a cycle"
    if error is not None:
        assert followed == 0, f"a repair led to a text without one: {error.message}"
        return
    found = errors(text)
    for item in found.diagnostics if found is not None else ():
        if item.repair is not None:
            assert syntax_error(item.repair.apply(text)) is None, item.message


def syntax_error(text: str) -> ProgramError | None:
    try:
        parse(SourceText(text))
    except ProgramError as error:
        return error
    return None
