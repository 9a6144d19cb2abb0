"""What a proposer that reads is told: a plain record that any search, or a person, can fill."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.synth.rollouts.picture import Picture

from hl_dsl.cards import Card


@dataclass(frozen=True)
class ShownProgram:
    """A program with its score: the mean return over the development seeds, None where it was not played. `note`: one line."""

    text: str
    score: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Ticks of an episode or of a counterexample. `title`: one line that says of what, with seed and return or the claim that
    is broken. `columns` names the values (tick, observations, memory, lets, action, reward); a row has one text for each."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class FailedDirection:
    """A change that was tried and did not help, and the gate's reason."""

    change: str
    reason: str


@dataclass(frozen=True)
class BudgetLeft:
    """What may still be spent; None: no limit."""

    environment_steps: int | None = None
    programs: int | None = None
    tokens: int | None = None
    money: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class PromptParts:
    """All that a prompt is made of.

    `card`, `protocol` and `task` are the same at every call of a study, so that their text can be cached. `language` is
    the language card; None: the usual one (`hl_dsl.synth.proposers.prompt.language_summary`). `parent` is the program to improve, `best` the
    best programs (two are shown), `different` one that acts unlike them. `worst` is the parent's worst seed,
    `counterexample` what the solver found against the proposal before, `refusal` that proposal's messages in full.
    `failed` begins with the latest.
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
    refusal: str = ""
    failed: tuple[FailedDirection, ...] = ()
    budget: BudgetLeft = BudgetLeft()
