"""Cases of a policy's folder, checked against an environment."""

from __future__ import annotations

from pathlib import Path

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card
from hl_dsl.cases import files
from hl_dsl.cases.files import InvalidCase
from hl_dsl.cases.records import EpisodeCase, StoredCase
from hl_dsl.synth.environments.protocols import protocol_options
from hl_dsl.synth.environments.seed_ranges import LAST
from hl_dsl.synth.regressions.property_monitor import monitor_program


def read_cases(folder: Path, card: Card | None = None) -> tuple[StoredCase, ...]:
    """Reads all cases of a folder, by name; none if it does not exist. With a card, they must fit its environment.

    Raises:
        InvalidCase: A file is not a case, or does not fit.
    """
    return tuple(read_case(path, card) for path in sorted(folder.glob("*.json"), key=lambda path: path.stem))


def read_case(path: Path, card: Card | None = None) -> StoredCase:
    """Reads a case. Raises InvalidCase."""
    case = files.read_case(path)
    if isinstance(case, EpisodeCase) and case.seed > LAST:
        raise InvalidCase(
            f"{path}: `seed` is not a development seed, 0 to {LAST}",
            "choose a development seed: the others are reserved for the final score",
        )
    if card is not None:
        check_case(case, card, str(path))
    return case


def check_case(case: StoredCase, card: Card, where: str) -> None:
    """Raises InvalidCase if a case is for another environment, or requires what the environment does not have."""
    if case.environment != card.environment:
        raise InvalidCase(
            f"{where} is a case for {case.environment}, not for {card.environment}",
            "keep the cases of each environment next to its own policy",
        )
    if isinstance(case, EpisodeCase):
        try:
            protocol_options(card, case.protocol)
            if case.holds is not None:
                monitor_program(card, case.holds)
        except HLError as error:
            raise InvalidCase(f"{where}: {error.message}", error.hint) from None
