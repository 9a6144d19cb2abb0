"""Numbers that tell of others: how fast one changes, and where one will be a few ticks on, as recorded frames show it."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Index, Name, Number

SIGN, PART = 128, 256  # a number of more than a byte: a signed whole part and 256ths


@dataclass(frozen=True)
class Signal:
    """A number the environment shows: a field, or a component of one."""

    name: str
    component: int | None
    base: str

    @property
    def expression(self) -> Expression:
        return Name(self.name) if self.component is None else Index(Name(self.name), Number(self.component))


@dataclass(frozen=True)
class RateSignal:
    """How much a number changes in a tick: what `whole` shows as a signed byte, and 256ths of `part` where there is one; the
    negative of that where it is `reversed`. `error`: what that leaves of the change, per tick."""

    whole: Signal
    part: Signal | None
    reversed: bool
    error: float

    @property
    def expression(self) -> Expression:
        byte = self.whole.expression
        signed = Apply(
            "if", (Apply("greater_equal", (byte, Number(SIGN))), Apply("subtract", (byte, Number(2 * SIGN))), byte)
        )
        total = (
            signed
            if self.part is None
            else Apply("add", (signed, Apply("divide", (self.part.expression, Number(PART)))))
        )
        return Apply("negate", (total,)) if self.reversed else total


@dataclass(frozen=True)
class LeadSignal:
    """`source`, or `constant` less it where it is `reversed`, is about where a number will be in `ticks` ticks. Not reversed,
    `constant` is added. `error`: what is left of the number's own change in that time."""

    source: Signal
    reversed: bool
    constant: float
    ticks: int
    error: float

    @property
    def expression(self) -> Expression:
        shown = self.source.expression
        if self.reversed:
            return Apply("subtract", (Number(self.constant), shown))
        return Apply("add", (shown, Number(self.constant))) if self.constant else shown


@dataclass(frozen=True)
class CompanionSignal:
    """A number that the program reads beside one that is foretold. `low` and `high`: what it was seen to be. `nearest`, `usual`
    and `farthest`: how far the foretold number lay above it when that one arrived. `lead`: what shows where it will be."""

    source: Signal
    low: float
    high: float
    nearest: float
    usual: float
    farthest: float
    lead: LeadSignal | None
