"""`progress.png`: how a tuning goes, derived from its ledger and drawn again while it goes."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.plots import BEST_COLOUR, REFERENCE_COLOURS, REJECTED_COLOUR, style_axes
from hl_dsl.synth.runs.run_folder import LEDGER
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial_statistics import main_setting
from hl_dsl.synth.runs.trial import trials_of

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import write_whole

PICTURE = "progress.png"
_EVERY_SECONDS = 60.0


class ProgressPlot:
    """An `on_event` that passes events on, and draws the picture of the run in `folder` every minute at most."""

    def __init__(self, folder: Path | str | None, on_event: Callable[[dict[str, Any]], None] | None):
        self.folder, self._on_event = None if folder is None else Path(folder), on_event
        self._drawn = time.monotonic()

    def __call__(self, event: dict[str, Any]) -> None:
        if self._on_event is not None:
            self._on_event(event)
        if (
            self.folder is not None
            and event["event"] == "generation"
            and time.monotonic() - self._drawn > _EVERY_SECONDS
        ):
            try:
                self.draw()
            except HLError:
                pass  # the end of the run draws it again, and says what is wrong
            self._drawn = time.monotonic()

    def draw(self) -> None:
        """Raises LedgerError, FileUnwritable."""
        if self.folder is not None:
            plot_progress(Ledger(self.folder / LEDGER).read(), self.folder / PICTURE)


def plot_progress(events: Sequence[Mapping[str, Any]], path: Path | str) -> Path:
    """Scores against environment steps: a dot for each sample on all seeds, the mean of each generation, the best so far;
    below, CMA-ES's step size. Samples of short episodes are left out, for they are not comparable. Raises FileUnwritable."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), dpi=140, layout="constrained")
    scores, sizes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    points = _points(events)
    if points:
        scores.scatter(
            *zip(*((steps, score) for steps, score, _ in points)),
            s=10,
            color=REJECTED_COLOUR,
            alpha=0.4,
            linewidths=0,
            label="sample",
        )
        best = [(steps, score) for steps, score, accepted in points if accepted]
        if best:
            best.append((points[-1][0], best[-1][1]))
            scores.step(*zip(*best), where="post", color=BEST_COLOUR, linewidth=2, label="best so far")
    generations = [event for event in events if event.get("event") == "generation" and "sigma" in event]
    whole = [event for event in generations if event.get("short") is None]
    if whole:
        scores.plot(
            [one["env_steps"] for one in whole],
            [one["mean"] for one in whole],
            color=REFERENCE_COLOURS[0],
            linewidth=1.2,
            label="mean of a generation",
        )
    if generations:
        sizes.plot(
            [one["env_steps"] for one in generations],
            [one["sigma"] for one in generations],
            color=REFERENCE_COLOURS[1],
            linewidth=1.2,
        )
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


def _points(events: Sequence[Mapping[str, Any]]) -> list[tuple[int, float, bool]]:
    """Steps by then, score and whether it was accepted, of the samples that played all seeds of the run."""
    trials = trials_of(events)
    setting = main_setting(trials)
    samples = [
        one
        for one in trials
        if one.kind is TrialKind.TUNE and one.gate != Gate.NONE and (one.environment, one.protocol) == setting
    ]
    seeds = max((len(one.seeds) for one in samples), default=0)
    points, steps, chosen = [], 0, set(map(id, samples))
    for one in trials:
        steps += one.environment_steps
        if id(one) in chosen and len(one.seeds) == seeds and one.options.get("short") is None and one.score is not None:
            points.append((steps, one.score, one.accepted))
    return points
