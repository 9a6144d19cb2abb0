"""Progress on stderr: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager


def watched() -> bool:
    """Whether somebody looks at stderr while the command runs."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def run_progress(what: str):
    """Yields a run's `on_event`, or None where nobody is watching."""
    if not watched():
        yield None
        return
    from hl_dsl.synth.runs.progress import progress

    with progress(what) as show:
        yield show


@contextmanager
def episode_progress(what: str):
    """Yields a callback for `evaluate`'s `on_progress`, or None where nobody is watching."""
    if not watched():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("episodes"),
        TextColumn("{task.fields[steps]:,} steps, best so far {task.fields[best]:g}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, steps=0, best=0.0)

        def show(progress) -> None:
            best = float(progress.returns.max()) if len(progress.returns) else 0.0
            bar.update(
                task, completed=progress.episodes, total=progress.episodes_wanted, steps=progress.env_steps, best=best
            )

        yield show


@contextmanager
def step_progress(what: str):
    """Yields a callback for environment steps taken so far, or None where nobody is watching."""
    if not watched():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,} steps"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda steps: bar.update(task, completed=steps)
