"""`hl tune`: better constants for the same structure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options import evaluator as given_evaluator
from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.cli.output.documents import Json, PolicyFile
from hl_dsl.cli.output.progress import run_progress
from hl_dsl.cli.output.study_runs import show_run


def tune(
    file: PolicyFile,
    run: Annotated[Path, typer.Option("--run", help="The run's folder.", show_default=False)],
    params: Annotated[
        str | None,
        typer.Option(
            "--params",
            help="Names of the params to move, with commas; `*` and `?` stand for letters, `target[3]` for a component. [default: all]",
        ),
    ] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", "-p", help="[default: the environment's first]")] = None,
    seeds: Annotated[
        str,
        typer.Option(
            "--seeds", "-s", help="Development seeds; one is played where the protocol leaves nothing to chance."
        ),
    ] = "0..7",
    steps: Annotated[int, typer.Option("--steps", min=1, help="Budget of environment steps.")] = 200_000,
    seconds: Annotated[float | None, typer.Option("--seconds", min=1, help="Budget of wall time.")] = None,
    max_steps: Annotated[
        int | None, typer.Option("--max-steps", min=1, help="End each episode after so many steps.")
    ] = None,
    fitness: Annotated[
        str,
        typer.Option(
            "--fitness", help="What is made greater over the seeds: mean, min, or a mix such as 0.5*min+0.5*mean."
        ),
    ] = "mean",
    race: Annotated[
        bool,
        typer.Option("--race", help="Samples play 2 seeds; the better half of a generation plays on: 8, 32, … seeds."),
    ] = False,
    center: Annotated[
        bool,
        typer.Option(
            "--center", help="Accept only the center of a generation, played beside its samples: luck moves it less."
        ),
    ] = False,
    short: Annotated[
        str | None,
        typer.Option("--short", help="STEPS:GENERATIONS of short episodes before whole ones; several with commas."),
    ] = None,
    population: Annotated[
        int | None,
        typer.Option(
            "--population",
            min=2,
            help="Samples in a generation, doubled at each restart. [default: 4 + 3 ln n for n params]",
        ),
    ] = None,
    step_size: Annotated[
        float | None,
        typer.Option(
            "--step-size", min=0.0001, max=1.0, help="CMA-ES's first step, as a part of each range. [default: 0.25]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the search.")] = 0,
    num_threads: Annotated[
        int, typer.Option("--threads", min=0, max=256, help="Simulator threads; 0: one for each core.")
    ] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", help="Add one line on the run to this ledger, such as the policy's own trials.jsonl."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put better values into the policy file itself.")] = False,
    json: Json = False,
    in_process: given_evaluator.InProcessOption = False,
    deadline: given_evaluator.DeadlineOption = 60.0,
    memory: given_evaluator.MemoryOption = 4.0,
) -> None:
    """Tune a policy's params inside their proved ranges by CMA-ES."""
    development = parse_seeds(seeds)
    names = _names(params)

    def start(on_event):
        from hl_dsl.synth.rollouts.resources import Resources
        from hl_dsl.synth.runs.budget import Budget
        from hl_dsl.synth.search.start import run_line
        from hl_dsl.synth.search.study_settings import StudySettings, TuningSettings
        from hl_dsl.synth.tuning.start import run_tune

        tuning = TuningSettings(names, population, step_size, fitness, race, center, short)
        settings = StudySettings(protocol, development, seed, max_steps, tuning=tuning)
        budget = Budget(steps=steps, wall_seconds=seconds)
        executor = given_evaluator.evaluator(in_process, deadline, memory)
        resources = Resources(num_threads, executor=executor)
        with run_line(ledger, run):
            return run_tune(file, run, settings, budget, resources, on_event, resume, write)

    show_run("tune", run, run_progress("tune"), start, json)


def _names(params: str | None) -> tuple[str, ...] | None:
    if params is None:
        return None
    names = [name.strip() for name in params.split(",")]
    if not all(names):
        raise HLError(
            f"`--params {params}` has an empty name", "write the names with commas between them: `gain,offset`"
        )
    return tuple(names)
