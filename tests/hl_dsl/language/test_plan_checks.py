"""HL408: what is planned, held against the actions, each component against its own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.cards import load_card
from hl_dsl.grammar.parser import parse
from hl_dsl.language.checker import check

CARD = load_card("HalfCheetah-v5")
TEXT = (
    'policy run for "HalfCheetah-v5" { observe velocity.x  act clamp(r, -1, 1)  '
    "plan r: vec[6] in [[LOWS], [HIGHS]] { each velocity.x } }"
)
six = st.lists(st.integers(1, 60), min_size=6, max_size=6)


def refusal(text: str, card):
    source = SourceText(text, "run.hl")
    try:
        check(parse(source), card, source)
    except ProgramError as error:
        (found,) = error.diagnostics
        return found
    return None


@settings(max_examples=60, deadline=None)
@given(six, six, six)
def test_each_component_is_held_against_its_own_action(most, below, above):
    card = replace(
        CARD, action=replace(CARD.action, low=tuple(-float(one) for one in most), high=tuple(map(float, most)))
    )
    text = TEXT.replace("LOWS", ", ".join(f"-{one}" for one in below)).replace("HIGHS", ", ".join(map(str, above)))
    found = refusal(text, card)
    wide = [component for component in range(6) if max(below[component], above[component]) > 2 * most[component]]
    if not wide:
        assert found is None
        return
    assert found.code == "HL408" and f"`{'r' if len(wide) == 6 else f'r[{wide[0]}]'}`" in found.message
    repaired = text[: found.repair.span.start] + found.repair.text + text[found.repair.span.end :]
    assert refusal(repaired, card) is None
    source = SourceText(repaired, "run.hl")
    (plan,) = [item for item in parse(source).declarations if getattr(item, "each", None) is not None]
    kept = [tuple(end.value for end in plan.range.of(component)) for component in range(6)]
    assert kept == [(-min(low, 2 * one), min(high, 2 * one)) for one, low, high in zip(most, below, above)]
