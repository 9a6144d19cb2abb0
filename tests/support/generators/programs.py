"""Whole programs: well typed, accepted by `check`, and mostly well defined.

    @given(programs())
    def test_something(program):
        program.policy    # the syntax tree
        program.checked   # the checked program
        program.flow      # lowered
        program.text      # in the formatter's layout
        program.wild      # whether divisions, roots, memories, … are unguarded

`written(choices)` generates the same programs from other choices than Hypothesis's. `programs(focus="min")` puts that
row of the operator table into a let on which the action and a memory depend. `programs(wild=False)` generates only
guarded programs, which intervals mostly prove well defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hypothesis import strategies as st

from hl_dsl.base.source import SourceText
from hl_dsl.cards import Card
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.lowering.lower import lower
from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.grammar.tree.syntax_tree import (
    PolicyDeclaration,
)
from hl_dsl.language.checker import CheckedProgram, check
from hl_dsl.operators import OPERATORS
from tests.support.generators.cards import CARDS
from tests.support.generators.choices import Choices, Drawn
from tests.support.generators.program_writer import ProgramWriter
from tests.support.generators.signatures import rows


@dataclass(frozen=True)
class GeneratedProgram:
    """A generated program. `wild`: it is not guarded, so it need not be well defined."""

    policy: PolicyDeclaration
    card: Card
    wild: bool

    @cached_property
    def checked(self) -> CheckedProgram:
        return check(self.policy, self.card, SourceText("", "<generated>"))

    @cached_property
    def flow(self) -> Dataflow:
        return lower(self.checked)

    @cached_property
    def text(self) -> str:
        return format_policy(self.policy)

    def __repr__(self) -> str:
        return f"{'wild ' if self.wild else ''}program\n{self.text}"

    def _repr_pretty_(self, printer, cycle) -> None:
        printer.text(repr(self))


def programs(
    focus: str | None = None, wild: bool | None = None, cards: tuple[Card, ...] = CARDS
) -> st.SearchStrategy[GeneratedProgram]:
    """Programs for `cards`. Without a `focus`, a row of the table is drawn for each program."""
    return _programs(focus, wild, cards)


def written(
    choices: Choices, focus: str | None = None, wild: bool | None = None, cards: tuple[Card, ...] = CARDS
) -> GeneratedProgram:
    """A program from these choices; see `programs`."""
    card = choices.pick(cards)
    if wild is None:
        wild = choices.below(5) == 4
    row = OPERATORS[focus] if focus is not None else choices.pick(rows())
    return GeneratedProgram(ProgramWriter(choices, card, wild).policy(row), card, wild)


@st.composite
def _programs(draw, focus, wild, cards):
    return written(Drawn(draw), focus, wild, cards)
