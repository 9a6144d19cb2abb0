"""The prompt of a proposer that reads: one text, made of plain parts, within stated sizes.

What is the same at every call of a study comes first, so that a server can keep it. Each section has a limit and says
what was left out; the sum of the limits bounds the whole. The same parts give the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hl_dsl.grammar.tree.author_comments import MEASURED
from hl_dsl.synth.proposers.prompt.language_summary import language_card
from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft, PromptParts, ShownProgram
from hl_dsl.synth.proposers.prompt.truncation import clipped, elided, table_text
from hl_dsl.synth.rollouts.picture import MOST_PICTURE_BYTES, Picture

from hl_dsl.cards.text import card_lines

# Characters of each section, its heading aside. Four characters are about one token.
LIMITS = {
    "Task": 2_000,
    "Language": 8_000,
    "Environment": 8_000,
    "Rules": 2_500,
    "Program to improve": 12_000,
    "Best program": 6_000,
    "Different program": 6_000,
    "Worst seed": 6_000,
    "Last proposal": 5_000,
    "Counterexample": 5_000,
    "Failed directions": 4_000,
    "Budget left": 500,
    "Answer": 200,
}
MOST_BEST = 2
MOST_FAILED = 24
_LONGEST_LINE = 200
MOST_PICTURES = 4

_HEADING = 100  # characters a heading with its note may take
MOST_CHARACTERS = sum(LIMITS.values()) + (MOST_BEST - 1) * LIMITS["Best program"] + (len(LIMITS) + MOST_BEST) * _HEADING

_RULES = """\
Answer with one whole program and nothing else. Its first line is a comment, `# …`, that says what you changed and why.
Change one thing at a time where you can: what a change did can be told only then.
Keep the environment, and every invariant that is there. Observe only what the environment shows.
A program goes through gates: parse, names and types, proof, a few development seeds, then the others. What stops before
the proof passes costs no environment step; every step that is taken counts, and there is a budget of them.
Programs are judged by their mean return on the development seeds, and later on seeds nobody has seen: write rules that hold
in general. A constant you are not sure of is better a `param` with a range, which is tuned for you.
Of two programs that do equally well the shorter one is better. Do not repeat what failed."""

_ANSWER = "Write the improved program now, the whole of it, with the comment about the change in its first line."


@dataclass(frozen=True)
class BuiltPrompt:
    """`stable` is the same at every call of a study and comes first, `variable` follows. `pictures` belong to `variable`, which
    speaks of them by number; `without_pictures` is `variable` that does not."""

    stable: str
    variable: str
    pictures: tuple[Picture, ...] = ()
    without_pictures: str = ""

    @property
    def text(self) -> str:
        """All of it, at most `MOST_CHARACTERS`."""
        return f"{self.stable}\n\n{self.variable}"


def build_prompt(parts: PromptParts) -> BuiltPrompt:
    """The prompt of these parts."""
    pictures = _pictures(parts)
    variable, bare = ("\n\n".join(_variable(parts, shown)) for shown in (pictures, ()))
    return BuiltPrompt("\n\n".join(_stable(parts)), variable, pictures, bare)


def _stable(parts: PromptParts) -> Iterator[str]:
    task = (
        f"You improve a controller for {parts.card.environment}, a program in the language HL. It is played under the protocol "
        f"`{parts.protocol}`.\n{parts.task}"
    )
    yield _section("Task", task)
    yield _section("Language", language_card() if parts.language is None else parts.language)
    yield _section("Environment", "\n".join(card_lines(parts.card)))
    yield _section("Rules", _RULES)


def _variable(parts: PromptParts, pictures: tuple[Picture, ...]) -> Iterator[str]:
    yield _program("Program to improve", parts.parent)
    shown = [parts.parent.text]
    for one in parts.best[:MOST_BEST]:
        yield from _other("Best program", one, shown)
    if parts.different is not None:
        yield from _other("Different program", parts.different, shown)
    if parts.worst is not None:
        yield _section("Worst seed", table_text(parts.worst, LIMITS["Worst seed"] - 1_000) + _captions(pictures))
    if parts.refusal:
        yield _section("Last proposal", parts.refusal)
    if parts.counterexample is not None:
        yield _section("Counterexample", table_text(parts.counterexample, LIMITS["Counterexample"]))
    if parts.failed:
        yield _section("Failed directions", _failed(parts))
    if left := _left(parts.budget):
        yield _section("Budget left", left)
    yield _section("Answer", _ANSWER)


def _section(name: str, text: str, note: str = "") -> str:
    return f"## {(name + note)[: _HEADING - 10]}\n\n{elided(text, LIMITS[name])}"


def _program(name: str, one: ShownProgram) -> str:
    """Without the header of measured scores: those are of held-out seeds, which no search may see."""
    score = "" if one.score is None else f": mean return {one.score:g}"
    text = "\n".join(line for line in one.text.splitlines() if not line.startswith(MEASURED))
    return _section(name, text, score + (f", {' '.join(one.note.split())}" if one.note else ""))


def _other(name: str, one: ShownProgram, shown: list[str]) -> Iterator[str]:
    """A program that was not shown yet."""
    if one.text not in shown:
        shown.append(one.text)
        yield _program(name, one)


def _failed(parts: PromptParts) -> str:
    """The latest first; a direction is one line."""
    lines = [f"- {_line(one.change)}: {_line(one.reason)}" for one in parts.failed[:MOST_FAILED]]
    more = len(parts.failed) - len(lines)
    return "\n".join([*lines, *([f"… and {more:,} before these"] if more else [])])


def _line(text: str) -> str:
    return clipped(" ".join(text.split()), _LONGEST_LINE)


def _left(budget: BudgetLeft) -> str:
    amounts = (
        ("environment steps", budget.environment_steps),
        ("programs", budget.programs),
        ("tokens", budget.tokens),
    )
    left = [f"{amount:,} {unit}" for unit, amount in amounts if amount is not None]
    if budget.money is not None:
        left.append(f"{budget.money:.2f} of money")
    if budget.seconds is not None:
        left.append(f"{budget.seconds:,.0f} seconds")
    return ", ".join(left)


def _pictures(parts: PromptParts) -> tuple[Picture, ...]:
    """Those of the worst seed, none too large; of many the first, the last and some between."""
    found = [
        one for one in (parts.worst.pictures if parts.worst is not None else ()) if len(one.png) <= MOST_PICTURE_BYTES
    ]
    if len(found) > MOST_PICTURES:
        found = [found[place * (len(found) - 1) // (MOST_PICTURES - 1)] for place in range(MOST_PICTURES)]
    return tuple(found)


def _captions(pictures: tuple[Picture, ...]) -> str:
    return "".join(f"\nPicture {number}: {_line(one.says)}" for number, one in enumerate(pictures, 1))
