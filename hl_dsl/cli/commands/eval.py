"""`hl eval`: prove a policy, then evaluate it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.cli.options.study import MaxStepsOption, ThreadsOption
from hl_dsl.cli.output.documents import Interrupted, Json, PolicyFile, error_document, error_text, finish, note, show

if TYPE_CHECKING:
    from hl_dsl.program import Program
    from hl_dsl.synth.evaluation.evaluate import Evaluation


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
    num_envs: Annotated[
        int, typer.Option("--num-envs", "-n", min=1, max=4096, help="Environments that are stepped together.")
    ] = 16,
    num_threads: ThreadsOption = 0,
    max_steps: MaxStepsOption = None,
    video: Annotated[
        Path | None, typer.Option("--video", help="Write the first seed's episode as an mp4 file.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option("--trace", help="Write the first seed's episode as JSON lines, one a tick.")
    ] = None,
    trials: Annotated[
        Path | None, typer.Option("--trials", help="The ledger to append to. [default: trials.jsonl next to FILE]")
    ] = None,
    env: Annotated[str | None, typer.Option("--env", help="Reject a policy for another environment.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check proved invariants at every tick, too; 1: one is violated.")
    ] = False,
    planner_seed: Annotated[
        int | None,
        typer.Option(
            "--planner-seed",
            min=0,
            help="Seed of the policy's `plan`, 0 to 2^64 - 1. [default: 0]",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Prove a policy, then play one episode for each seed. The trial is recorded."""
    from hl_dsl.program import Program

    episode_seeds = tuple(parse_seeds(seeds))
    program = Program.load(file)
    _check_environment(program, env)
    if planner_seed is not None and program.flow.plan is None:
        raise HLError(
            f"{program.name} has no `plan`, so --planner-seed has no effect",
            "remove it; `--seeds` are the seeds of the episodes",
        )
    ledger_path = trials or file.parent / "trials.jsonl"
    _check_outputs(video, trace, (file, ledger_path))

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

    recorders = EpisodeRecorders(program, protocol, episode_seeds[0], video, trace)
    problems: list[HLError] = []
    try:
        with episode_progress(f"{program.name} {protocol}") as progress:
            evaluation = evaluate_program(
                program,
                EpisodeSettings(protocol, episode_seeds, max_steps),
                ledger=Ledger(ledger_path),
                resources=Resources(num_threads, num_envs),
                callbacks=RolloutCallbacks(
                    on_tick=recorders.on_tick, on_progress=progress, render=recorders.needs_render
                ),
                options=EvaluationOptions(check=check, planner_seed=planner_seed or 0),
            )
    except NotRecorded as problem:
        evaluation = problem.evaluation
        problems.append(problem)
    finally:
        problems += recorders.close()
    if evaluation.note is not None:
        note(f"note: {evaluation.note}")
    _show(evaluation, problems, json)


def _show(evaluation: Evaluation, problems: list[HLError], as_json: bool) -> None:
    """Prints the result, also if something could not be written, and ends the command."""
    from hl_dsl.cli.output.evaluation_text import evaluation_text

    document = evaluation.to_json()
    if problems:
        document["problems"] = [error_document(problem) for problem in problems]
    show(document, evaluation_text(document, evaluation.program.card.max_episode_steps), as_json)
    for problem in problems:
        note(error_text(problem))
    if evaluation.rollout.interrupted:
        raise Interrupted("interrupted" if problems else "interrupted: all steps are recorded")
    for disagreement in evaluation.disagreements:
        note(f"error: {disagreement}")
    if evaluation.disagreements:
        note("  = this is a defect of HL or of the environment's card: report it with the policy")
    finish(max((problem.exit_code for problem in problems), default=1 if evaluation.disagreements else 0))


def _check_environment(program: Program, env: str | None) -> None:
    if env is not None and env != program.card.environment:
        raise HLError(
            f"{program.name} is a policy for {program.card.environment}, not for {env}",
            f'remove `--env`, or write `policy {program.name} for "{env}"` and check it again',
            "HL601",
        )


def _check_outputs(video: Path | None, trace: Path | None, inputs: tuple[Path, ...]) -> None:
    """Rejects output paths that would fail only at the first tick."""
    from hl_dsl.cli.options.output_paths import check_no_overwrite, check_output_file

    if video is not None:
        check_output_file(video, (".mp4",), "a video")
    if trace is not None:
        check_output_file(trace, (trace.suffix.lower(),), "a trace")
    check_no_overwrite({"--video": video, "--trace": trace}, inputs)
