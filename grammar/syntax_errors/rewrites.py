"""Repairs that write an expression anew: its operands are taken from the text as they stand there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from hl_dsl.base.diagnostics import Repair
from hl_dsl.base.source import SourceText, Span

Rewrite = Callable[[str], "Repair | None"]


def rewrite(first: Span, signs: Sequence[Span], last: Span, joined: Callable[[list[str], list[str]], str]) -> Rewrite:
    """Returns the repair that replaces operands from `first` to `last`, with `signs` between, by `joined(…)`."""

    def apply(text: str) -> Repair | None:
        source = SourceText(text)
        # The span of an operand does not include parentheses around it.
        start = source.balanced(Span(first.start, signs[0].start)).start
        end = source.balanced(Span(signs[-1].end, last.end)).end
        ends = [*(sign.start for sign in signs), end]
        starts = [start, *(sign.end for sign in signs)]
        operands = [text[one:other].strip() for one, other in zip(starts, ends)]
        if any("#" in operand for operand in operands):
            return None
        written = joined(operands, [text[sign.start : sign.end] for sign in signs])
        return Repair(Span(start, end), written, f"write `{written if len(written) <= 60 else written[:59] + '…'}`")

    return apply


def compared_twice(operands: list[str], signs: list[str]) -> str:
    """Returns a chain of comparisons as comparisons joined by `and`."""
    return " and ".join(f"{left} {sign} {right}" for left, sign, right in zip(operands, signs, operands[1:]))


def and_first(operands: list[str], signs: list[str]) -> str:
    """Returns operands joined by `and` in parentheses, with `or` between them, as most languages read them."""
    groups = [[operands[0]]]
    for is_and, run in groupby(zip(signs, operands[1:]), lambda pair: pair[0] == "and"):
        for _, operand in run:
            if is_and:
                groups[-1].append(operand)
            else:
                groups.append([operand])
    return " or ".join(group[0] if len(group) == 1 else f"({' and '.join(group)})" for group in groups)


def right_first(operands: list[str], signs: list[str]) -> str:
    """Returns a chain of implications with parentheses from the right."""
    written = operands[-1]
    for position, operand in reversed(list(enumerate(operands[:-1]))):
        written = f"{operand} implies {written}" if position == 0 else f"({operand} implies {written})"
    return written
