"""`progress.png`: the progress of a tuning, plotted from its ledger."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import write_whole
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.plots import BEST_COLOUR, REFERENCE_COLOURS, REJECTED_COLOUR, style_axes
from hl_dsl.synth.runs.run_folder import LEDGER
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of
from hl_dsl.synth.runs.trial_statistics import main_setting

PICTURE = "progress.png"
_EVERY_SECONDS = 60.0  # at most one plot in this time


class ProgressPlot:
    """An `on_event` that forwards events, and plots the run in `folder` at most once a minute."""

    def __init__(self, folder: Path, on_event: Callable[[dict[str, Any]], None]):
        self.folder, self._on_event = folder, on_event
        self._drawn = time.monotonic()

    def __call__(self, event: dict[str, Any]) -> None:
        """Takes an event."""
        self._on_event(event)
        if event["event"] != "generation" or time.monotonic() - self._drawn <= _EVERY_SECONDS:
            return
        with suppress(HLError):  # the end of the run draws it again, and reports the problem
            self.draw()
        self._drawn = time.monotonic()

    def draw(self) -> None:
        """Draws the plot. Raises LedgerError, FileUnwritable."""
        plot_progress(Ledger(self.folder / LEDGER).read(), self.folder / PICTURE)


@dataclass(frozen=True)
class _Generation:
    """Environment steps at its end, mean score on all seeds (None: no whole episodes), and CMA-ES's step size."""

    env_steps: int
    mean: float | None
    sigma: float


def plot_progress(events: Sequence[Mapping[str, Any]], path: Path | str) -> Path:
    """Plots scores and CMA-ES's step size against environment steps.

    A dot is a sample on all seeds; the lines are the mean of each generation and the best so far. Samples in short
    episodes are omitted, because their scores are not comparable.

    Raises:
        FileUnwritable: The file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), dpi=140, layout="constrained")
    scores, sizes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    points = _points(events)
    if points:
        places = [(steps, score) for steps, score, _ in points]
        scores.scatter(*zip(*places), s=10, color=REJECTED_COLOUR, alpha=0.4, linewidths=0, label="sample")
        best = [(steps, score) for steps, score, is_accepted in points if is_accepted]
        if best:
            best.append((points[-1][0], best[-1][1]))
            scores.step(*zip(*best), where="post", color=BEST_COLOUR, linewidth=2, label="best so far")
    generations = _generations(events)
    means = [(generation.env_steps, generation.mean) for generation in generations if generation.mean is not None]
    if means:
        scores.plot(*zip(*means), color=REFERENCE_COLOURS[0], linewidth=1.2, label="mean of a generation")
    if generations:
        places = [(generation.env_steps, generation.sigma) for generation in generations]
        sizes.plot(*zip(*places), color=REFERENCE_COLOURS[1], linewidth=1.2)
        sizes.set_yscale("log")
    style_axes(scores, "")
    style_axes(sizes, "environment steps")
    scores.set_ylabel("score of a sample")
    sizes.set_ylabel("step size")
    if points:
        scores.legend(frameon=False, fontsize=9, loc="best")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return write_whole(path, picture.getvalue())


def _generations(events: Sequence[Mapping[str, Any]]) -> list[_Generation]:
    """The generations of CMA-ES. In earlier ledgers, a generation's event has its mean and follows its trials."""
    steps, found = 0, []
    open_generation: Mapping[str, Any] | None = None
    scores: list[float] = []

    def close() -> None:
        if open_generation is not None:
            is_short = open_generation.get("short") is not None
            found.append(
                _Generation(steps, fmean(scores) if scores and not is_short else None, open_generation["sigma"])
            )

    for event in events:
        if event.get("event") == "generation":
            close()
            open_generation, scores = None, []
            if "mean" in event and "sigma" in event:
                mean = event["mean"] if event.get("short") is None else None
                found.append(_Generation(event["env_steps"], mean, event["sigma"]))
            elif "sigma" in event:
                open_generation = event
        elif event.get("event") == "trial":
            steps += event.get("environment_steps", 0)
            trial = Trial.from_event(event)
            if trial.kind is TrialKind.TUNE and trial.gate is not Gate.NONE and trial.score is not None:
                scores.append(trial.score)
    close()
    return found


def _points(events: Sequence[Mapping[str, Any]]) -> list[tuple[int, float, bool]]:
    """Environment steps, score and acceptance of the samples that finished all seeds of the run in whole episodes."""
    trials = trials_of(events)
    setting = main_setting(trials)
    samples = [
        trial
        for trial in trials
        if trial.kind is TrialKind.TUNE
        and trial.gate is not Gate.NONE
        and (trial.environment, trial.protocol) == setting
    ]
    seeds = max((len(trial.seeds) for trial in samples), default=0)
    points, steps, chosen = [], 0, set(map(id, samples))
    for trial in trials:
        steps += trial.environment_steps
        is_whole = len(trial.seeds) == seeds and trial.options.get("short") is None
        if id(trial) in chosen and is_whole and trial.score is not None:
            points.append((steps, trial.score, trial.accepted))
    return points
