"""Search for cards: the packaged ones, and those in folders that the caller names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hl_dsl.cards.model import Card, UnknownEnvironment
from hl_dsl.cards.packaged import packaged_card, packaged_environments
from hl_dsl.cards.reader import environment_of_file, file_name, read_card


@dataclass(frozen=True)
class CardResolver:
    """Finds the card of an environment. It holds its whole search path, so that two programs can have different ones.

    Attributes:
        folders: Folders with card files, searched in order after the packaged cards.
        cards: Cards that are known already, which come before all others.
    """

    folders: tuple[Path, ...] = ()
    cards: tuple[Card, ...] = ()

    @classmethod
    def of_user(cls) -> CardResolver:
        """Searches the folder `$HL_CARDS`, if it is set, and then `cards/` in the working directory."""
        named = os.environ.get("HL_CARDS")
        return cls((*([Path(named)] if named else []), Path("cards")))

    @classmethod
    def for_policy(cls, path: Path) -> CardResolver:
        """Searches the folder of a policy's file, `cards/` in it, and then the user's folders."""
        return cls((path.parent, path.parent / "cards", *cls.of_user().folders))

    def with_card(self, card: Card) -> CardResolver:
        """The same search, but `card` is the one of its environment."""
        return replace(self, cards=(card, *(known for known in self.cards if known.environment != card.environment)))

    def with_folder(self, folder: Path) -> CardResolver:
        """The same search, with one more folder at its end."""
        return replace(self, folders=(*self.folders, folder))

    def load(self, environment: str) -> Card:
        """The card of an environment.

        Raises:
            UnknownEnvironment: There is none; with the nearest ids. It is a LookupError.
            BadCard: The card file cannot be used.
        """
        for card in self.cards:
            if card.environment == environment:
                return card
        packaged = packaged_card(environment)
        if packaged is not None:
            return packaged
        for folder in self.folders:
            path = folder / file_name(environment)
            if path.is_file():
                return read_card(path, environment)
        raise UnknownEnvironment(environment, self._nearest(environment))

    def environments(self) -> list[str]:
        """Every id with a card, sorted."""
        known = (card.environment for card in self.cards)
        return sorted({*packaged_environments(), *known, *self._ids_in_folders()})

    def _ids_in_folders(self) -> Iterator[str]:
        for folder in self.folders:
            for path in folder.glob("*.toml") if folder.is_dir() else ():
                yield environment_of_file(path)

    def _nearest(self, environment: str) -> tuple[str, ...]:
        from difflib import get_close_matches

        def stem(name: str) -> str:
            return name.lower().rpartition("-v")[0] or name.lower()

        known = self.environments()
        near = get_close_matches(stem(environment), {stem(name) for name in known}, n=3, cutoff=0.6)
        return tuple(name for match in near for name in known if stem(name) == match)


def load_card(environment: str) -> Card:
    """The card of an environment, packaged or in the user's folders. Raises UnknownEnvironment and BadCard."""
    return CardResolver.of_user().load(environment)


def known_environments() -> list[str]:
    """Every id with a card, packaged or in the user's folders, sorted."""
    return CardResolver.of_user().environments()
