"""Short episodes first, whole ones afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.base.errors import HLError

USUAL_GENERATIONS = 20
_HINT = "write steps, and for how many generations: `200:20`, or several with commas between them: `100:10,300:20`"


@dataclass(frozen=True)
class Phase:
    """Generations whose episodes end after `cap` steps. Where both are None, whole episodes to the end of the run."""

    cap: int | None = None
    generations: int | None = None


WHOLE = Phase()


def parse_short(text: str | None, max_steps: int | None = None) -> tuple[Phase, ...]:
    """The phases before the one of whole episodes: `200` (20 generations of at most 200 steps), `200:30`, `100:10,300:20`.
    Raises HLError."""
    phases = tuple(_phase(text, part.strip()) for part in text.split(",")) if text is not None else ()
    caps = [one.cap for one in phases]
    if caps != sorted(set(caps)):
        raise HLError(f"the short episodes of `{text}` do not grow", _HINT)
    if max_steps is not None and caps and caps[-1] >= max_steps:
        raise HLError(
            f"short episodes of {caps[-1]} steps are not short: every episode ends after {max_steps}",
            f"give fewer than {max_steps}, or leave them out",
        )
    return phases


def schedule_text(phases: tuple[Phase, ...]) -> str | None:
    """The phases as they are written; None where there are none."""
    return ",".join(f"{one.cap}:{one.generations}" for one in phases) or None


def _phase(text: str, part: str) -> Phase:
    steps, _, generations = part.partition(":")
    try:
        phase = Phase(int(steps), int(generations) if _ else USUAL_GENERATIONS)
    except ValueError:
        raise HLError(f"`{text}` names no short episodes", _HINT) from None
    if phase.cap < 1 or phase.generations < 1:
        raise HLError(f"`{text}` names no short episodes: both numbers are 1 or more", _HINT)
    return phase
