"""The prompt for language models and agents: one text, built from plain parts, within a stated size.

The part that is the same at every call of a study comes first, so that a server can cache it. Each section has a size
limit and says what is omitted, so the sum of the limits bounds the prompt. Equal parts give equal prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hl_dsl.cards.text import card_lines
from hl_dsl.grammar.tree.author_comments import MEASURED
from hl_dsl.synth.proposers.prompt.language_summary import language_summary
from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft, PromptParts, ShownProgram
from hl_dsl.synth.proposers.prompt.truncation import table_text, truncate, truncate_middle
from hl_dsl.synth.rollouts.picture import MOST_PICTURE_BYTES, Picture

# Most characters of each section without its heading. Four characters are about one token.
LIMITS: Mapping[str, int] = MappingProxyType(
    {
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
)
MOST_BEST = 2
MOST_FAILED = 24
_LONGEST_LINE = 200  # characters
MOST_PICTURES = 4

_HEADING = 100  # most characters of a heading with its note
_CAPTIONS = 1_000  # characters reserved for the captions of pictures
MOST_CHARACTERS = sum(LIMITS.values()) + (MOST_BEST - 1) * LIMITS["Best program"] + (len(LIMITS) + MOST_BEST) * _HEADING

_RULES = """\
Answer with one complete program and nothing else. Its first line is a comment, `# …`, that says what you changed and
why.
Change one thing at a time if you can: then the result shows the effect of that change.
Keep the environment, and keep every existing invariant. Use only observations that the environment has.
A program passes gates in this order: parse, names and types, proof, a few development seeds, the other development
seeds. A program rejected before the development seeds costs no environment step. Every step counts against the budget.
Programs are ranked by their mean return on the development seeds, and finally evaluated on held-out seeds: write rules
that generalize. If you are not sure of a constant, make it a `param` with a range; it is tuned for you.
Of two programs with equal returns the shorter is better. Do not repeat changes that failed."""

_ANSWER = "Write the complete improved program now, with the comment about the change in its first line."


@dataclass(frozen=True)
class BuiltPrompt:
    """The text of a prompt.

    `stable` is the same at every call of a study and comes first; `variable` follows. `pictures` belong to
    `variable`, which refers to them by number; `variable_without_pictures` does not.
    """

    stable: str
    variable: str
    pictures: tuple[Picture, ...] = ()
    variable_without_pictures: str = ""

    @property
    def text(self) -> str:
        """The whole prompt, at most `MOST_CHARACTERS` long."""
        return f"{self.stable}\n\n{self.variable}"


def build_prompt(parts: PromptParts) -> BuiltPrompt:
    """Builds the prompt of these parts."""
    pictures = _pictures(parts)
    variable, without_pictures = ("\n\n".join(_variable(parts, shown)) for shown in (pictures, ()))
    return BuiltPrompt("\n\n".join(_stable(parts)), variable, pictures, without_pictures)


def _stable(parts: PromptParts) -> Iterator[str]:
    task = (
        f"You improve a controller for {parts.card.environment}. It is a program in the language HL and is evaluated "
        f"under the protocol `{parts.protocol}`.\n{parts.task}"
    )
    yield _section("Task", task)
    yield _section("Language", language_summary() if parts.language is None else parts.language)
    yield _section("Environment", "\n".join(card_lines(parts.card)))
    yield _section("Rules", _RULES)


def _variable(parts: PromptParts, pictures: tuple[Picture, ...]) -> Iterator[str]:
    yield _program("Program to improve", parts.parent)
    shown = [parts.parent.text]
    for program in parts.best[:MOST_BEST]:
        yield from _program_once("Best program", program, shown)
    if parts.different is not None:
        yield from _program_once("Different program", parts.different, shown)
    if parts.worst is not None:
        yield _section("Worst seed", table_text(parts.worst, LIMITS["Worst seed"] - _CAPTIONS) + _captions(pictures))
    if parts.rejection:
        yield _section("Last proposal", parts.rejection)
    if parts.counterexample is not None:
        yield _section("Counterexample", table_text(parts.counterexample, LIMITS["Counterexample"]))
    if parts.failed:
        yield _section("Failed directions", _failed(parts))
    if left := _left(parts.budget):
        yield _section("Budget left", left)
    yield _section("Answer", _ANSWER)


def _section(name: str, text: str, note: str = "") -> str:
    return f"## {(name + note)[: _HEADING - 10]}\n\n{truncate_middle(text, LIMITS[name])}"


def _program(name: str, program: ShownProgram) -> str:
    """A program without its header of measured scores: these are of held-out seeds, which no search may use."""
    score = "" if program.score is None else f": mean return {program.score:g}"
    text = "\n".join(line for line in program.text.splitlines() if not line.startswith(MEASURED))
    return _section(name, text, score + (f", {' '.join(program.note.split())}" if program.note else ""))


def _program_once(name: str, program: ShownProgram, shown: list[str]) -> Iterator[str]:
    """The section of a program whose text is not in `shown`; adds it."""
    if program.text not in shown:
        shown.append(program.text)
        yield _program(name, program)


def _failed(parts: PromptParts) -> str:
    """One line for each failed change, the latest first."""
    lines = [f"- {_line(failure.change)}: {_line(failure.reason)}" for failure in parts.failed[:MOST_FAILED]]
    omitted = len(parts.failed) - len(lines)
    return "\n".join([*lines, *([f"… {omitted:,} earlier ones omitted"] if omitted else [])])


def _line(text: str) -> str:
    return truncate(" ".join(text.split()), _LONGEST_LINE)


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
    """Pictures of the worst seed that are not too large; of many, evenly spaced ones with the first and last."""
    available = () if parts.worst is None else parts.worst.pictures
    pictures = [picture for picture in available if len(picture.png) <= MOST_PICTURE_BYTES]
    if len(pictures) > MOST_PICTURES:
        pictures = [pictures[place * (len(pictures) - 1) // (MOST_PICTURES - 1)] for place in range(MOST_PICTURES)]
    return tuple(pictures)


def _captions(pictures: tuple[Picture, ...]) -> str:
    return "".join(f"\nPicture {number}: {_line(picture.says)}" for number, picture in enumerate(pictures, 1))
