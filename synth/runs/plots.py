"""`sample_efficiency.png`: scores of a run against its cumulative cost. Derived from the ledger and never read back."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.base.files import write_whole
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.synth.runs.trial import Trial
from hl_dsl.synth.runs.trial_statistics import Cumulative, cumulative, main_setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEST_COLOUR, ACCEPTED_COLOUR, REJECTED_COLOUR, TEXT_COLOUR = "#1f4e9c", "#1f4e9c", "#8a8f98", "#24292f"
REFERENCE_COLOURS = ("#b3541e", "#6b4c9a", "#2e7d5b")


@dataclass(frozen=True)
class Reference:
    """A reference to compare with: a level (`score`), or a curve of `scores` over cumulative environment `steps`."""

    label: str
    score: float | None = None
    steps: Sequence[float] = ()
    scores: Sequence[float] = ()


def plot_sample_efficiency(
    trials: Sequence[Trial], path: Path | str, title: str | None = None, references: Sequence[Reference] = ()
) -> Path:
    """Writes the plot (PNG, 1600 pixels wide) to `path` and returns the path. Raises FileUnwritable."""
    picture = io.BytesIO()
    figure = sample_efficiency_figure(trials, title, references)
    figure.savefig(picture, format="png", metadata={"Software": None})
    return write_whole(path, picture.getvalue())


def sample_efficiency_figure(
    trials: Sequence[Trial], title: str | None = None, references: Sequence[Reference] = ()
) -> Figure:
    """Returns a figure of two panels: score against cumulative steps and against cumulative episodes.

    A dot is a scored trial (rejected ones faint). The step line is the best accepted score so far. Only trials under
    the ledger's main environment and protocol are drawn, since others are not comparable. The axes count every step.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    setting = main_setting(trials)
    entries = list(cumulative(trials))
    scored = [entry for entry in entries if _is_drawn(entry.trial, setting)]
    with rc_context({"font.size": 10.5, "text.color": TEXT_COLOUR, "axes.labelcolor": TEXT_COLOUR}):
        figure = Figure(figsize=(10, 4.4), dpi=160, layout=ConstrainedLayoutEngine(wspace=0.04))
        left, right = figure.subplots(1, 2, sharey=True)
        figure.suptitle(_title(setting, title), fontsize=13, fontweight="bold", x=0.01, ha="left")
        left.set_title(_subtitle(trials, scored), fontsize=9.5, loc="left", color="#57606a")
        for axes, unit, total in ((left, "steps", _total_steps), (right, "episodes", _total_episodes)):
            _draw_trials(axes, scored, [total(entry) for entry in scored], total(entries[-1]) if entries else 0)
            _draw_references(axes, references, with_curves=axes is left)
            style_axes(axes, f"cumulative environment {unit}" if axes is left else f"cumulative {unit}")
        left.set_ylabel("mean return of a trial")
        if scored or references:
            handles, labels = left.get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=4, frameon=False, fontsize=9.5)
    return figure


def _total_steps(entry: Cumulative) -> int:
    return entry.total_steps


def _total_episodes(entry: Cumulative) -> int:
    return entry.total_episodes


def _is_drawn(trial: Trial, setting: tuple[str, str] | None) -> bool:
    comparable = trial.gate is not Gate.NONE and (trial.environment, trial.protocol) == setting
    return comparable and trial.score is not None and math.isfinite(trial.score)


def _draw_trials(axes: Axes, scored: list[Cumulative], places: list[int], end: int) -> None:
    if not scored:
        axes.text(0.5, 0.5, "no trial has a score yet", transform=axes.transAxes, ha="center", color=REJECTED_COLOUR)
        return
    rejected = [(x, entry.trial.score) for x, entry in zip(places, scored) if not entry.trial.accepted]
    accepted = [(x, entry.trial.score) for x, entry in zip(places, scored) if entry.trial.accepted]
    if rejected:
        axes.scatter(
            *_columns(rejected), s=14, color=REJECTED_COLOUR, alpha=0.35, linewidths=0, label="rejected trial", zorder=2
        )
    if accepted:
        axes.scatter(
            *_columns(accepted),
            s=26,
            color=ACCEPTED_COLOUR,
            edgecolors="white",
            linewidths=0.6,
            label="accepted trial",
            zorder=4,
        )
    best = [(x, entry.best) for x, entry in zip(places, scored) if entry.best is not None]
    if best:
        best.append((end, best[-1][1]))
        axes.step(*_columns(best), where="post", color=BEST_COLOUR, linewidth=2, label="best so far", zorder=3)
        axes.annotate(
            f"{best[-1][1]:.4g}", best[-1], xytext=(0, 5), textcoords="offset points",
            ha="right", va="bottom", color=BEST_COLOUR, fontweight="bold", zorder=5,
        )  # fmt: skip


def _columns(points: Sequence[tuple[float, float | None]]) -> tuple[list[float], list[float]]:
    """Returns the x and the y values of points that have both."""
    drawn = [(x, y) for x, y in points if y is not None]
    return [x for x, _ in drawn], [y for _, y in drawn]


def _draw_references(axes: Axes, references: Sequence[Reference], with_curves: bool) -> None:
    for number, reference in enumerate(references):
        style: dict[str, Any] = {
            "color": REFERENCE_COLOURS[number % len(REFERENCE_COLOURS)],
            "linewidth": 1.4,
            "linestyle": "--",
            "zorder": 1,
        }
        if reference.score is not None:
            axes.axhline(reference.score, label=reference.label, **style)
        elif with_curves:
            axes.plot(reference.steps, reference.scores, label=reference.label, **style)


def style_axes(axes: Axes, label: str) -> None:
    """Applies the style that all plots share."""
    axes.set_xlabel(label)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(lambda value, _: short_number(value))
    axes.margins(y=0.12)
    axes.grid(True, axis="y", color="#d8dee4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(color="#d8dee4", labelcolor=TEXT_COLOUR)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d8dee4")


def _title(setting: tuple[str, str] | None, title: str | None) -> str:
    if title or setting is None:
        return title or "Sample efficiency"
    environment, protocol = setting
    return f"Sample efficiency on {environment}" + (f" ({protocol})" if protocol else "")


def _subtitle(trials: Sequence[Trial], scored: list[Cumulative]) -> str:
    accepted = sum(trial.accepted for trial in trials)
    free = sum(trial.gate is not Gate.NONE and trial.environment_steps == 0 for trial in trials)
    return f"{len(trials):,} trials: {accepted:,} accepted, {len(scored):,} scored, {free:,} rejected before any step"


def short_number(value: float) -> str:
    """Returns 1500000 as `1.5 M`, 250000 as `250 k`, 12 as `12`."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"
