"""Progress display of a study on stderr: a bar on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from hl_dsl.synth.runs.statuses import Gate

_INTERVAL_SECONDS = 10.0  # between two lines of the plain display


def progress(label: str, stream: TextIO | None = None) -> PlainProgress | TerminalProgress:
    """Returns a display. Use it in a `with` block and pass it to a study as its `on_event`."""
    stream = stream or sys.stderr
    return TerminalProgress(label, stream) if stream.isatty() else PlainProgress(label, stream)


def generation_text(event: dict[str, Any]) -> str:
    """Returns the result of a generation of `hl tune` or `hl synth`."""
    if "sigma" not in event:
        return gates_line(event)
    left = "" if event["seconds_left"] is None else f", {event['seconds_left']:,.0f} s left"
    short = "" if event["short"] is None else f" in episodes of {event['short']:,} steps"
    return f"mean {event['mean']:g}{short}, sigma {event['sigma']:.3g}, {event['samples']:,} samples{left}"


def gates_line(event: dict[str, Any]) -> str:
    """Returns the number of accepted programs, and of rejected ones by gate."""
    stopped = event.get("stopped_at") or {}
    accepted = stopped.get(Gate.ACCEPTED, event.get("accepted", 0))
    rejected = ", ".join(f"{gate} {count:,}" for gate, count in stopped.items() if count and gate != Gate.ACCEPTED)
    return f"accepted {accepted:,}" + (f", rejected at {rejected}" if rejected else "")


class PlainProgress:
    """Lines of text: one for each new best, and the state of the study every ten seconds."""

    def __init__(self, label: str, stream: TextIO) -> None:
        self.label, self.stream = label, stream
        self._last = time.monotonic()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def __call__(self, event: dict[str, Any]) -> None:
        """Shows an event of the study."""
        kind = event["event"]
        if kind == "best":
            self._print(f"best {event['score']:g}")
        elif kind == "generation" and time.monotonic() - self._last > _INTERVAL_SECONDS:
            self._print(f"{steps_text(event)}, best {_score(event)}, {generation_text(event)}")
        elif kind == "waiting" or kind == "call" and time.monotonic() - self._last > _INTERVAL_SECONDS:
            self._print(call_text(event))
        elif kind == "stop":
            self._print(f"stopped: {event['reason']}")

    def _print(self, text: str) -> None:
        self._last = time.monotonic()
        print(f"{self.label}: {text}", file=self.stream, flush=True)


class TerminalProgress:
    """A bar of the budget, the best score, and counts by gate."""

    def __init__(self, label: str, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[steps]}"),
            TextColumn("[bold]best {task.fields[best]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[gates]}"),
            console=Console(file=stream),
            transient=False,
        )
        self._task = self._progress.add_task(label, total=None, steps="", best="-", gates="")

    def __enter__(self) -> TerminalProgress:
        self._progress.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._progress.__exit__(*exception)

    def __call__(self, event: dict[str, Any]) -> None:
        """Shows an event of the study."""
        kind = event["event"]
        if kind == "replay":
            self._progress.update(
                self._task, steps=f"reading generation {event['generation'] + 1:,} of {event['of']:,}"
            )
        elif kind in ("steps", "generation"):
            self._progress.update(
                self._task, total=event["budget_steps"], completed=event["env_steps"], steps=steps_text(event)
            )
        if kind == "generation":
            self._progress.update(self._task, best=_score(event), gates=generation_text(event))
        elif kind == "best":
            self._progress.update(self._task, best=f"{event['score']:g}")
        elif kind in ("call", "waiting"):
            self._progress.update(self._task, gates=call_text(event))


def call_text(event: dict[str, Any]) -> str:
    """Returns the state of a call to a model or an agent."""
    if event["event"] == "waiting":
        return f"{event['reason']}; the next attempt is in {event['seconds']:.0f} s"
    so_far = f"{event['tokens']:,} tokens so far, " if event["tokens"] else ""
    return f"waiting for {event['model'] or event['proposer']}: {so_far}{event['seconds']:.0f} s"


def steps_text(event: dict[str, Any]) -> str:
    """Returns the steps spent and their limit."""
    limit = event["budget_steps"]
    return f"{event['env_steps']:,}" + (f" of {limit:,}" if limit is not None else "") + " steps"


def _score(event: dict[str, Any]) -> str:
    return "-" if event["best"] is None else f"{event['best']:g}"
