"""Curves of score against environment steps: searches, the random baseline, and the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# (environment steps, score). Weng, "Learning Beyond Gradients" (2026): an agent writes Python with a language model.
REFERENCE = ((43_000, 387.0), (1_500_000, 864.0))
_SEARCH, _BASELINE, _REFERENCE = "#1f4e9c", "#8a8f98", "#b3541e"


@dataclass(frozen=True)
class Curve:
    """Best score so far against environment steps.

    Attributes:
        steps: Environment steps of each point.
        scores: Best score after these steps.
        spent: All environment steps.
        count: Number of programs or draws.
    """

    steps: tuple[int, ...]
    scores: tuple[float, ...]
    spent: int
    count: int

    @property
    def best(self) -> float:
        """The best score."""
        return self.scores[-1]

    @property
    def steps_to_best(self) -> int:
        """Environment steps until the best score was first reached."""
        return self.steps[self.scores.index(self.best)]

    def at(self, steps: int) -> float:
        """Returns the best score after this number of steps; 0 before the first score."""
        return max((score for at, score in zip(self.steps, self.scores) if at <= steps), default=0.0)


def steps_to(curve: Curve, threshold: float) -> int | None:
    """Returns the number of steps until the score first reached the threshold."""
    return next((at for at, score in zip(curve.steps, curve.scores) if score >= threshold), None)


def draw(curves: Sequence[Curve], baselines: Sequence[Curve], path: Path) -> None:
    """Writes a plot: single runs as thin lines, medians as thick lines."""
    from matplotlib.figure import Figure

    from hl_dsl.synth.runs.plots import short_number

    figure = Figure(figsize=(8, 4.2), dpi=160, layout="constrained")
    axes = figure.subplots()
    for group, colour, label in ((baselines, _BASELINE, "random baseline"), (curves, _SEARCH, "hl synth")):
        end = max((curve.spent for curve in group), default=0)
        for curve in group:
            axes.step(
                (*curve.steps, end), (*curve.scores, curve.best), where="post", color=colour, linewidth=0.8, alpha=0.4
            )
        places = sorted({at for curve in group for at in curve.steps} | {end})
        axes.step(
            places,
            [median(curve.at(place) for curve in group) for place in places],
            where="post",
            color=colour,
            linewidth=2.2,
            label=f"{label}, median of {len(group)}",
        )
    axes.plot(*zip(*REFERENCE), "D", color=_REFERENCE, label="reference, with a language model")
    axes.axhline(864, color="#d8dee4", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: short_number(value))
    axes.set_xlabel("environment steps")
    axes.set_ylabel("best return so far, deterministic protocol")
    axes.set_title("Breakout from a three-rule program", loc="left", fontweight="bold")
    axes.legend(frameon=False, loc="lower right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, metadata={"Software": None})
    print(f"written: {path}")
