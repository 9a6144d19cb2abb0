"""Rate and lead signals: observations that predict the change of another one, found in recorded frames."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Index, Name, Number

SIGN, PART = 128, 256  # a number of more than a byte: a signed whole part and 256ths


@dataclass(frozen=True)
class Signal:
    """An observed number: a field, or a component of one."""

    name: str
    component: int | None
    base: str

    @property
    def expression(self) -> Expression:
        """The signal as an expression."""
        return Name(self.name) if self.component is None else Index(Name(self.name), Number(self.component))


@dataclass(frozen=True)
class RateSignal:
    """The change of a number per tick: `whole` as a signed byte, plus `part` in 256ths if it is given.

    `reversed`: the change is the negative of that. `error`: mean error per tick.
    """

    whole: Signal
    part: Signal | None
    reversed: bool
    error: float

    @property
    def expression(self) -> Expression:
        """The signal as an expression."""
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
    """A prediction of a number `ticks` ticks ahead: `source + constant`, or `constant - source` if `reversed`.

    `error`: mean error divided by the number's mean change in that time.
    """

    source: Signal
    reversed: bool
    constant: float
    ticks: int
    error: float

    @property
    def expression(self) -> Expression:
        """The signal as an expression."""
        shown = self.source.expression
        if self.reversed:
            return Apply("subtract", (Number(self.constant), shown))
        return Apply("add", (shown, Number(self.constant))) if self.constant else shown


@dataclass(frozen=True)
class CompanionSignal:
    """A number that the program compares with a predicted one.

    `low`, `high`: its recorded range. `nearest`, `usual`, `farthest`: the difference of the predicted number to it at
    the time of the prediction. `lead`: a signal that predicts it, if one was found.
    """

    source: Signal
    low: float
    high: float
    nearest: float
    usual: float
    farthest: float
    lead: LeadSignal | None
