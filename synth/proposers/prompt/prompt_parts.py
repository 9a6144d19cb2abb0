"""Parts of a prompt, as plain records that any search, or a person, can fill."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.cards import Card
from hl_dsl.synth.rollouts.picture import Picture


@dataclass(frozen=True)
class ShownProgram:
    """A program with its score: the mean return over the development seeds, None if it was not evaluated.

    `note` is one line.
    """

    text: str
    score: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Ticks of an episode or of a counterexample.

    `title` is one line with the seed and the return, or the violated claim. `columns` names the values (tick,
    observations, memory, lets, action, reward); a row has one text for each.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class FailedDirection:
    """A change that did not improve the program, and the reason of the gate."""

    change: str
    reason: str


@dataclass(frozen=True)
class BudgetLeft:
    """Remaining budget; None: no limit."""

    environment_steps: int | None = None
    programs: int | None = None
    tokens: int | None = None
    money: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class PromptParts:
    """Everything that a prompt is built from.

    Attributes:
        card: Environment. Like `protocol` and `task` it is the same at every call of a study, so its text can be
            cached.
        protocol: Evaluation protocol.
        parent: Program to improve.
        task: Goal of the study.
        language: Text about the language; None: the language summary.
        best: Best programs; `MOST_BEST` of them are shown.
        different: A program that behaves differently from the best ones.
        worst: The parent's worst seed.
        counterexample: Counterexample of the proof to the previous proposal.
        rejection: Messages about the previous proposal.
        failed: Failed changes, the latest first.
        budget: Remaining budget.
    """

    card: Card
    protocol: str
    parent: ShownProgram
    task: str = "Reach a higher mean return."
    language: str | None = None
    best: tuple[ShownProgram, ...] = ()
    different: ShownProgram | None = None
    worst: Table | None = None
    counterexample: Table | None = None
    rejection: str = ""
    failed: tuple[FailedDirection, ...] = ()
    budget: BudgetLeft = BudgetLeft()
