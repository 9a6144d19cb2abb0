"""`hl eval`: prove a policy, then play it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.cli.output.documents import Interrupted, Json, PolicyFile, error_document, error_text, finish, note, show


def evaluate(
    file: PolicyFile,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            "-p",
            help="deterministic, noop or sticky on Atari; standard elsewhere. [default: the environment's first]",
        ),
    ] = None,
    seeds: Annotated[str, typer.Option("--seeds", "-s", help="One episode for each: 3, 0..9, or 0,4,7..9.")] = "0",
    num_envs: Annotated[int, typer.Option("--num-envs", "-n", min=1, max=4096, help="Environments side by side.")] = 16,
    num_threads: Annotated[
        int, typer.Option("--threads", min=0, max=256, help="Simulator threads; 0: one for each core.")
    ] = 0,
    max_steps: Annotated[
        int | None, typer.Option("--max-steps", min=1, help="End each episode after so many steps.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option("--video", help="Write the first seed's episode as an mp4 file.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option("--trace", help="Write the first seed's episode tick by tick as JSON lines.")
    ] = None,
    trials: Annotated[
        Path | None, typer.Option("--trials", help="The ledger to append to. [default: trials.jsonl beside FILE]")
    ] = None,
    env: Annotated[str | None, typer.Option("--env", help="Refuse a policy that is not for this environment.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Watch all that is proved, too; exit 1 where a run breaks it.")
    ] = False,
    planner_seed: Annotated[
        int | None,
        typer.Option(
            "--planner-seed",
            min=0,
            help="Of the random numbers of a policy's `plan`, 0 to 2^64 - 1. [default: 0]",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Prove a policy, then play one episode for each seed. The trial is recorded."""
    from hl_dsl.program import Program

    wanted = parse_seeds(seeds)
    program = Program.load(file)
    _refuse_other_environment(program, env)
    if planner_seed is not None and program.flow.plan is None:
        raise HLError(
            f"{program.name} has no `plan`, so there is nothing that --planner-seed could change",
            "leave it out; `--seeds` are those of the episodes",
        )
    ledger_path = trials or file.parent / "trials.jsonl"
    _refuse_to_overwrite({"--video": video, "--trace": trace}, (file, ledger_path))

    from hl_dsl.synth.environments.protocols import protocol_options

    protocol = protocol or program.card.protocols[0]
    protocol_options(program.card, protocol)

    from hl_dsl.cli.output.progress import episode_progress
    from hl_dsl.cli.output.recorders import EpisodeRecorders
    from hl_dsl.synth.environments.episode_settings import EpisodeSettings
    from hl_dsl.synth.evaluation.evaluate import EvaluationOptions, NotRecorded, evaluate_program
    from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
    from hl_dsl.synth.rollouts.resources import Resources
    from hl_dsl.synth.runs.ledger import Ledger

    watchers = EpisodeRecorders(program, protocol, wanted[0], video, trace)
    problems: list[HLError] = []
    try:
        with episode_progress(f"{program.name} {protocol}") as progress:
            evaluation = evaluate_program(
                program,
                EpisodeSettings(protocol, wanted, max_steps),
                ledger=Ledger(ledger_path),
                resources=Resources(num_threads, num_envs),
                callbacks=RolloutCallbacks(
                    on_tick=watchers.on_tick, on_progress=progress, render=watchers.needs_render
                ),
                options=EvaluationOptions(check=check, planner_seed=planner_seed or 0),
            )
    except NotRecorded as problem:
        evaluation = problem.evaluation
        problems.append(problem)
    finally:
        problems += watchers.close()
    if evaluation.note is not None:
        note(f"note: {evaluation.note}")
    _tell(evaluation, problems, json)


def _tell(evaluation, problems: list[HLError], json: bool) -> None:
    """What was played is shown whatever went wrong with writing it down."""
    from hl_dsl.cli.output.evaluation_text import evaluation_text

    document = evaluation.to_json()
    if problems:
        document["problems"] = [error_document(problem) for problem in problems]
    show(document, evaluation_text(document, evaluation.program.card.max_episode_steps), json)
    for problem in problems:
        note(error_text(problem))
    if evaluation.rollout.interrupted:
        raise Interrupted("interrupted" if problems else "interrupted: what had been played is recorded")
    for one in evaluation.disagreements:
        note(f"error: {one}")
    if evaluation.disagreements:
        note("  = this is a defect of HL or of the environment's card: please report it with the policy")
    finish(max((problem.exit_code for problem in problems), default=1 if evaluation.disagreements else 0))


def _refuse_other_environment(program, env: str | None) -> None:
    if env is not None and env != program.card.environment:
        raise HLError(
            f"{program.name} is a policy for {program.card.environment}, not for {env}",
            f'drop `--env`, or write `policy {program.name} for "{env}"` and check it again',
            "HL601",
        )


def _refuse_to_overwrite(written: dict[str, Path | None], kept: tuple[Path, ...]) -> None:
    """What would be found out when the first tick is written is found out before anything is proved."""
    taken = {path.resolve() for path in kept}
    for option, path in written.items():
        if path is None:
            continue
        if not path.resolve().parent.is_dir():
            raise HLError(
                f"there is no folder `{path.parent}` to write {path.name} into",
                "create it first, or choose another path",
            )
        if path.is_dir():
            raise HLError(f"`{path}` is a folder, not a file for `{option}`", "add a file name")
        if path.resolve() in taken:
            raise HLError(f"`{option} {path}` would overwrite a file of this very command", "choose another path")
        if option == "--video" and path.suffix.lower() != ".mp4":
            raise HLError(f"a video is written as MP4, and `{path}` is not named so", "name it FILE.mp4")
        taken.add(path.resolve())
