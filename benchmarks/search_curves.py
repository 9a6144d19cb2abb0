"""Score against environment steps: several searches, chance alone, and the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# Weng, "Learning Beyond Gradients" (2026): one agent that writes free Python with a large language model.
REFERENCE = ((43_000, 387.0), (1_500_000, 864.0))
_SEARCH, _CHANCE, _REFERENCE = "#1f4e9c", "#8a8f98", "#b3541e"


@dataclass(frozen=True)
class Curve:
    """`scores[i]` is the best after `steps[i]`; `spent` and `count`: all steps, all programs or draws."""

    steps: tuple[int, ...]
    scores: tuple[float, ...]
    spent: int
    count: int

    @property
    def best(self) -> float:
        return self.scores[-1]

    @property
    def steps_to_best(self) -> int:
        return self.steps[self.scores.index(self.best)]

    def at(self, steps: int) -> float:
        """The best by then, 0 before anything was scored."""
        return max((score for at, score in zip(self.steps, self.scores) if at <= steps), default=0.0)


def steps_to(curve: Curve, threshold: float) -> int | None:
    """The steps after which the best first reached a score."""
    return next((at for at, score in zip(curve.steps, curve.scores) if score >= threshold), None)


def draw(curves: Sequence[Curve], nulls: Sequence[Curve], path: Path) -> None:
    """Writes a picture: each search thin, medians thick."""
    from hl_dsl.synth.runs.plots import short_number
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.2), dpi=160, layout="constrained")
    axes = figure.subplots()
    for every, colour, label in ((nulls, _CHANCE, "random constants"), (curves, _SEARCH, "hl synth")):
        end = max((one.spent for one in every), default=0)
        for one in every:
            axes.step((*one.steps, end), (*one.scores, one.best), where="post", color=colour, linewidth=0.8, alpha=0.4)
        places = sorted({at for one in every for at in one.steps} | {end})
        axes.step(
            places,
            [median(one.at(place) for one in every) for place in places],
            where="post",
            color=colour,
            linewidth=2.2,
            label=f"{label}, median of {len(every)}",
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
