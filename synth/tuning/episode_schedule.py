"""Schedule of episode lengths: phases of short episodes, then whole ones."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.base.errors import HLError

DEFAULT_GENERATIONS = 20  # of a phase
_HINT = "write steps and a number of generations, `200:20`, or several phases separated by commas, `100:10,300:20`"


@dataclass(frozen=True)
class Phase:
    """Generations whose episodes end after `max_steps` steps.

    If both numbers are None: whole episodes until the end of the run.
    """

    max_steps: int | None = None
    generations: int | None = None


WHOLE = Phase()


def parse_short(text: str | None, longest: int | None = None) -> tuple[Phase, ...]:
    """Parses the phases of short episodes.

    Args:
        text: `200` (20 generations of at most 200 steps), `200:30`, or `100:10,300:20`; None: no such phase.
        longest: Steps after which every episode ends.

    Raises:
        HLError: The text is invalid, the steps do not increase, or an episode would not be shorter.
    """
    pairs = [_pair(text, part.strip()) for part in text.split(",")] if text is not None else []
    steps = [pair[0] for pair in pairs]
    if steps != sorted(set(steps)):
        raise HLError(f"the short episodes of `{text}` do not increase", _HINT)
    if longest is not None and steps and steps[-1] >= longest:
        raise HLError(
            f"short episodes of {steps[-1]} steps are not short: every episode ends after {longest}",
            f"give fewer than {longest}, or remove --short",
        )
    return tuple(Phase(*pair) for pair in pairs)


def schedule_text(phases: tuple[Phase, ...]) -> str | None:
    """The phases as text; None if there are none."""
    return ",".join(f"{phase.max_steps}:{phase.generations}" for phase in phases) or None


def _pair(text: str | None, part: str) -> tuple[int, int]:
    """Steps and generations of a phase."""
    steps, separator, generations = part.partition(":")
    try:
        pair = int(steps), int(generations) if separator else DEFAULT_GENERATIONS
    except ValueError:
        raise HLError(f"`{text}` is not a valid schedule of short episodes", _HINT) from None
    if min(pair) < 1:
        raise HLError(f"`{text}` is not a valid schedule of short episodes: both numbers must be 1 or more", _HINT)
    return pair
