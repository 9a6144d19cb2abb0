"""Status of a played episode."""

from enum import StrEnum


class EpisodeStatus(StrEnum):
    """Status of an episode of a search."""

    FINISHED = "finished"
    """It ended by the environment, or by a limit of its settings."""

    PRUNED = "pruned"
    """It was stopped because its return was far below the best program's at the same step."""

    CUT = "cut"
    """The budget, the clock or an interrupt stopped it. It is not evidence about the program."""

    @classmethod
    def _missing_(cls, value: object) -> "EpisodeStatus | None":
        """Reads the name that recordings of older versions have for a pruned episode."""
        return cls.PRUNED if value == "left" else None
