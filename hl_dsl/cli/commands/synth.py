"""`hl synth`: a search for better programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options import evaluator as given_evaluator
from hl_dsl.cli.options import proposer as given
from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.cli.output.documents import Json, PolicyFile
from hl_dsl.cli.output.progress import run_progress
from hl_dsl.cli.output.study_runs import show_run


def synth(
    file: PolicyFile,
    run: Annotated[Path | None, typer.Option("--run", help="The run's folder.", show_default=False)] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", "-p", help="[default: the environment's first]")] = None,
    proposer: Annotated[
        str,
        typer.Option(
            "--proposer",
            help="Who proposes programs: local, openai, command, replay; several, with commas between them, take turns.",
        ),
    ] = "local",
    seeds: Annotated[
        str,
        typer.Option(
            "--seeds", "-s", help="Development seeds; one is played where the protocol leaves nothing to chance."
        ),
    ] = "0..7",
    steps: Annotated[int, typer.Option("--steps", min=1, help="Budget of environment steps.")] = 300_000,
    seconds: Annotated[float | None, typer.Option("--seconds", min=1, help="Budget of wall time.")] = None,
    programs: given.ProgramsOption = None,
    tokens: given.Tokens = None,
    cost: given.Cost = None,
    max_steps: Annotated[
        int | None, typer.Option("--max-steps", min=1, help="End each episode after so many steps.")
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
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Only print what a language model would be asked first.")
    ] = False,
    json: Json = False,
    repairs: given.Repairs = 2,
    attempts: given.Attempts = 5,
    timeout: given.CallTimeout = 600.0,
    replay: given.Replay = None,
    model: given.ModelOption = None,
    base_url: given.BaseUrl = None,
    max_output_tokens: given.MaxOutputTokens = 8_192,
    prices: given.PricesFile = None,
    price_input: given.PriceInput = None,
    price_output: given.PriceOutput = None,
    command: given.Command = None,
    profile: given.ProfileOption = None,
    sandbox: given.Sandbox = True,
    fence: given.Fence = True,
    images: given.Images = True,
    in_process: given_evaluator.InProcessOption = False,
    deadline: given_evaluator.DeadlineOption = 60.0,
    memory: given_evaluator.MemoryOption = 4.0,
) -> None:
    """Search for better programs, each proved before it is played."""
    if show_prompt:
        from hl_dsl.cli.commands import synth_prompt

        return synth_prompt.show_prompt(
            file,
            protocol,
            {"environment_steps": steps, "seconds": seconds, "programs": programs, "tokens": tokens, "money": cost},
            images,
            json,
        )
    if run is None:
        raise HLError("Missing option '--run'", "a search is recorded in a folder: give --run FOLDER")
    development = parse_seeds(seeds)
    given.refuse_unused(
        proposer,
        {
            "command": command,
            "profile": profile,
            "base_url": base_url,
            "prices": prices,
            "price_input": price_input,
            "replay": replay,
            "model": model,
        },
    )
    options = given.proposer_options(
        prices=prices,
        price_input=price_input,
        price_output=price_output,
        attempts=attempts,
        model=model,
        repairs=repairs,
        timeout=timeout,
        replayed=replay,
        base_url=base_url,
        max_output_tokens=max_output_tokens,
        command=command,
        profile=profile,
        sandbox=sandbox and fence,
        images=images,
    )

    def start(on_event):
        from hl_dsl.synth.rollouts.resources import Resources
        from hl_dsl.synth.runs.budget import Budget
        from hl_dsl.synth.search.start import run_line, run_synth
        from hl_dsl.synth.search.study_settings import StudySettings

        settings = StudySettings(protocol, development, seed, max_steps, proposer=proposer)
        budget = Budget(steps=steps, programs=programs, wall_seconds=seconds, tokens=tokens, cost=cost)
        executor = given_evaluator.evaluator(in_process, deadline, memory)
        resources = Resources(num_threads, executor=executor)
        with run_line(ledger, run):
            return run_synth(file, run, settings, budget, resources, options, on_event, resume)

    show_run("synth", run, run_progress("synth"), start, json)
