"""Videos of the first, the worst and the best program.

They are played on a development seed and cost environment steps. The steps are recorded in a ledger of their own,
`videos/trials.jsonl`, so that the run's own totals are unchanged. A recorded video is kept and not played again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import storage_problem, write_whole
from hl_dsl.program import Program
from hl_dsl.synth.evaluation.program_text import text_of
from hl_dsl.synth.report.contents.run import ReportedRun
from hl_dsl.synth.report.contents.steps import name_of
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.statuses import TrialKind
from hl_dsl.synth.runs.trial import Trial, trials_of

VIDEOS, LEDGER = "videos", "trials.jsonl"
_OLD_FOLDER = "films"  # the name of the folder before the ledger schema hl.trials/2


@dataclass(frozen=True)
class ReportVideo:
    """Video of one program.

    Attributes:
        roles: Which of "first", "worst" and "best" the program is.
        gif: The pictures; None if there are none.
        note: Why there are no pictures.
    """

    roles: tuple[str, ...]
    name: str
    program_hash: str
    score: float | None
    seed: int
    gif: bytes | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns all fields except the pictures."""
        document = asdict(self)
        del document["gif"]
        return document | {"roles": list(self.roles), "bytes": None if self.gif is None else len(self.gif)}


def record_videos(
    run: ReportedRun, steps: int, play: bool, report_progress: Callable[[str], None] = lambda text: None
) -> list[ReportVideo]:
    """Returns the videos, and records those that are missing.

    Args:
        run: The run.
        steps: Most environment steps of each video.
        play: Whether to play; otherwise only recorded videos are returned.
        report_progress: Called with a text before each play.

    Raises:
        KeyboardInterrupt: The user interrupted a play; its steps are recorded.
    """
    return [_with_pictures(run, video, trial, steps, play, report_progress) for video, trial in _chosen(run)]


def recorded_steps(run: ReportedRun) -> int:
    """Returns the environment steps that the recorded videos have cost."""
    ledgers = [run.folder / folder / LEDGER for folder in (VIDEOS, _OLD_FOLDER)]
    return sum(trial.environment_steps for path in ledgers for trial in trials_of(Ledger(path).read()))


def _chosen(run: ReportedRun) -> list[tuple[ReportVideo, Trial]]:
    scored = [
        trial
        for trial in run.candidates
        if trial.score is not None and math.isfinite(trial.score) and (trial.environment, trial.protocol) == run.setting
    ]
    if not scored or run.best is None:
        return []
    seed = (run.settings.get("seeds") or scored[0].seeds)[0]
    roles = {"first": scored[0], "worst": min(scored, key=lambda trial: trial.score or 0.0), "best": run.best}
    chosen: dict[str, tuple[ReportVideo, Trial]] = {}
    for role, trial in roles.items():
        video, first = chosen.get(
            trial.program_hash, (ReportVideo((), name_of(trial), trial.program_hash, trial.score, seed), trial)
        )
        chosen[trial.program_hash] = replace(video, roles=(*video.roles, role)), first
    return list(chosen.values())


def _with_pictures(
    run: ReportedRun,
    video: ReportVideo,
    trial: Trial,
    steps: int,
    play: bool,
    report_progress: Callable[[str], None],
) -> ReportVideo:
    """Returns the video with its recorded or newly played pictures, or with a note on why there are none."""
    try:
        program = Program.parse(text_of(trial, run.trials))
        path = run.folder / VIDEOS / f"{program.hash}-{trial.protocol}-{video.seed}-{steps}.gif"
        recorded = _recorded(path)
        if recorded is not None:
            return replace(video, gif=recorded)
        if not play:
            return replace(video, note="not recorded")
        roles = " and ".join(video.roles)
        report_progress(f"recording the {roles} program, {video.name}: at most {steps:,} environment steps")
        return replace(video, gif=_play(program, trial, video.seed, steps, path))
    except HLError as problem:
        return replace(video, note=f"not recorded: {(problem.message.splitlines() or [''])[0]}")


def _recorded(path: Path) -> bytes | None:
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
    known = {parameter.name for parameter in program.flow.parameters}
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
