"""Films of the first, the worst and the best program.

They are played on a development seed and cost environment steps, which are on record like all others: in a ledger of their
own beside the films, `films/trials.jsonl`, so that the run's own account stays what the run made it. What was filmed once is
not played again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hl_dsl.synth.evaluation.program_text import text_of
from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.report.contents.steps import name_of
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import storage_problem, write_whole
from hl_dsl.program import Program

VIDEOS, LEDGER = "films", "trials.jsonl"


@dataclass(frozen=True)
class ReportVideo:
    """One program's film. `roles`: which of "first", "worst", "best" it is. `note` says why there are no pictures."""

    roles: tuple[str, ...]
    name: str
    program_hash: str
    score: float | None
    seed: int
    gif: bytes | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Everything but the pictures."""
        document = asdict(self)
        del document["gif"]
        return document | {"roles": list(self.roles), "bytes": None if self.gif is None else len(self.gif)}


def record_videos(
    run: ReportedRun, steps: int, play: bool, tell: Callable[[str], None] = lambda text: None
) -> list[ReportVideo]:
    """The films, each of at most `steps` steps. With `play` false only what was filmed before is shown.

    `tell` is told what is about to be played. Raises KeyboardInterrupt, with what had been played recorded.
    """
    return [_one(run, film, trial, steps, play, tell) for film, trial in _chosen(run)]


def recorded_steps(run: ReportedRun) -> int:
    """What the films on record have cost."""
    return sum(trial.environment_steps for trial in trials_of(Ledger(run.folder / VIDEOS / LEDGER).read()))


def _chosen(run: ReportedRun) -> list[tuple[ReportVideo, Trial]]:
    scored = [
        trial
        for trial in run.candidates
        if trial.score is not None and math.isfinite(trial.score) and (trial.environment, trial.protocol) == run.setting
    ]
    if not scored or run.best is None:
        return []
    seed = (run.settings.get("seeds") or scored[0].seeds)[0]
    roles = {"first": scored[0], "worst": min(scored, key=lambda trial: trial.score), "best": run.best}
    chosen: dict[str, tuple[ReportVideo, Trial]] = {}
    for role, trial in roles.items():
        film, first = chosen.get(
            trial.program_hash, (ReportVideo((), name_of(trial), trial.program_hash, trial.score, seed), trial)
        )
        chosen[trial.program_hash] = replace(film, roles=(*film.roles, role)), first
    return list(chosen.values())


def _one(
    run: ReportedRun, film: ReportVideo, trial: Trial, steps: int, play: bool, tell: Callable[[str], None]
) -> ReportVideo:
    try:
        program = Program.parse(text_of(trial, run.trials, run.cards), cards=run.cards)
        path = run.folder / VIDEOS / f"{program.hash}-{trial.protocol}-{film.seed}-{steps}.gif"
        kept = _kept(path)
        if kept is not None:
            return replace(film, gif=kept)
        if not play:
            return replace(film, note="not filmed")
        tell(f"filming the {' and '.join(film.roles)} program, {film.name}: at most {steps:,} environment steps")
        return replace(film, gif=_play(program, trial, film.seed, steps, path))
    except HLError as problem:
        return replace(film, note=f"not filmed: {(problem.message.splitlines() or [''])[0]}")


def _kept(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if data.startswith(b"GIF8") else None


def _play(program: Program, trial: Trial, seed: int, steps: int, path: Path) -> bytes | None:
    from hl_dsl.synth.environments.episode_settings import EpisodeSettings
    from hl_dsl.synth.evaluation.evaluate import EvaluationOptions, evaluate_program
    from hl_dsl.synth.report.camera import Camera
    from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
    from hl_dsl.synth.rollouts.resources import Resources
    from hl_dsl.synth.rollouts.video import check_render, needs_render

    if needs_render(program.card):
        check_render(program.card)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        problem, hint = storage_problem(error)
        raise HLError(f"cannot write to {path.parent}: {problem}", hint) from None
    camera = Camera(program.card, steps)
    known = {one.name for one in program.flow.parameters}
    evaluation = evaluate_program(
        program,
        EpisodeSettings(trial.protocol, (seed,), steps),
        ledger=Ledger(path.parent / LEDGER),
        resources=Resources(num_envs=1),
        callbacks=RolloutCallbacks(on_tick=camera, render=needs_render(program.card)),
        options=EvaluationOptions(
            parameters={name: value for name, value in trial.parameters.items() if name in known}, kind=TrialKind.VIDEO
        ),
    )
    if evaluation.rollout.interrupted:
        raise KeyboardInterrupt
    gif = camera.gif()
    if gif is not None:
        write_whole(path, gif)
    return gif
