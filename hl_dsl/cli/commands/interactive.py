"""`hl open`, `submit`, `status`, `inspect`, `finish`: a run to which programs are submitted one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hl_dsl.cli.options.seeds import parse_seeds
from hl_dsl.cli.output.documents import Interrupted, Json, PolicyFile, show
from hl_dsl.cli.output.documents import finish as end

if TYPE_CHECKING:
    from hl_dsl.synth.runs.budget import Budget
    from hl_dsl.synth.search.study_settings import StudySettings

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.", show_default=False)]
RunOption = Annotated[Path, typer.Option("--run", help="The run's folder.", show_default=False)]
Protocol = Annotated[
    str | None, typer.Option("--protocol", "-p", help="[default: the environment's first]", show_default=False)
]
Seeds = Annotated[str, typer.Option("--seeds", "-s", help="Development seeds.")]
Steps = Annotated[int, typer.Option("--steps", min=1, help="Budget of environment steps.")]
ProgramsBudget = Annotated[
    int | None, typer.Option("--programs", min=1, help="Budget of programs.", show_default=False)
]
MaxSteps = Annotated[
    int | None, typer.Option("--max-steps", min=1, help="End each episode after so many steps.", show_default=False)
]


def open_run(
    file: PolicyFile,
    run: RunOption,
    protocol: Protocol = None,
    seeds: Seeds = "0..7",
    steps: Steps = 300_000,
    programs: ProgramsBudget = None,
    max_steps: MaxSteps = None,
    json: Json = False,
) -> None:
    """Open a run to which programs are submitted; the policy is proved, then played."""
    from hl_dsl.synth.search.interactive_run import InteractiveStudy

    try:
        with InteractiveStudy.create(file, run, *opening(protocol, seeds, steps, programs, max_steps)) as session:
            document = session.status()
    except KeyboardInterrupt:
        raise _interrupted(run) from None
    show(document, status_text(document), json)


def submit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The program.", show_default=False)],
    run: RunOption,
    change: Annotated[
        str, typer.Option("--change", help="What was changed, and why, for the record.", show_default=False)
    ] = "",
    json: Json = False,
) -> None:
    """Send a program through the gates of an open run. 1: it is rejected."""
    from hl_dsl.program_files import read_source
    from hl_dsl.synth.search.interactive_run import InteractiveStudy

    text = read_source(file).text
    try:
        with InteractiveStudy.reopen(run) as session:
            document = session.submit(text, change)
    except KeyboardInterrupt:
        raise _interrupted(run) from None
    show(document, _submitted(document), json)
    end(document["exit_code"])


def status(run: RunArgument, json: Json = False) -> None:
    """Show an open run's budget and its best program."""
    from hl_dsl.synth.search.interactive_documents import status as told

    document = told(run)
    show(document, status_text(document), json)


def inspect(
    run: RunArgument,
    trial: Annotated[
        int | None, typer.Argument(metavar="[TRIAL]", help="Its number. [default: the best]", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Whose episode to show. [default: the worst]", show_default=False)
    ] = None,
    ticks: Annotated[int, typer.Option("--ticks", help="How many of its last ticks.")] = 24,
    json: Json = False,
) -> None:
    """Show a trial of an open run: its program, its verdict, the end of an episode."""
    from hl_dsl.synth.search.interactive_documents import inspect as told

    document = told(run, trial, seed, ticks)
    show(document, _inspected(document), json)


def finish(run: RunArgument, json: Json = False) -> None:
    """Close an open run; its best program is proved in full and written."""
    from hl_dsl.synth.search.interactive_run import InteractiveStudy

    try:
        with InteractiveStudy.reopen(run) as session:
            document = session.finish()
    except KeyboardInterrupt:
        raise _interrupted(run) from None
    text = f"{document['policy']}: {document['start_score']:g} -> {document['score']:g}, {document['env_steps']:,} environment steps\nproof: {document['proof']}"
    show(document, f"{text}\nwrote {run / 'best.hl'}", json)


def opening(
    protocol: str | None, seeds: str, steps: int, programs: int | None, max_steps: int | None
) -> tuple[StudySettings, Budget]:
    """Settings and budget of an interactive study, from the options. Raises HLError."""
    from hl_dsl.synth.environments.seed_ranges import refuse_other_seeds
    from hl_dsl.synth.runs.budget import Budget
    from hl_dsl.synth.search.study_settings import StudySettings

    development = tuple(parse_seeds(seeds))
    refuse_other_seeds(development, "a search")
    return StudySettings(protocol, development, max_steps=max_steps), Budget(steps=steps, programs=programs)


def _interrupted(run: Path) -> Interrupted:
    return Interrupted(f"interrupted: what was played is recorded, and the run in {run} is as open as it was")


# for people


def status_text(document: dict[str, Any]) -> str:
    best, left = document["best"], document["left"]
    gates = ", ".join(f"{gate} {count:,}" for gate, count in document["gates"].items())
    lines = [
        f"{document['run']}: {document['env']}, {document['protocol']}, {'open' if document['open'] else 'finished'}",
        f"{document['trials']:,} programs ({gates}), {document['spent']['env_steps']:,} environment steps",
    ]
    lines += [f"left: {', '.join(f'{amount:,} {name}' for name, amount in left.items() if amount is not None)}"]
    return "\n".join(
        [
            *lines,
            *(
                []
                if best is None
                else [f"best: {best['score']:g}, trial {best['trial']}", "", best["program"].rstrip()]
            ),
        ]
    )


def _submitted(document: dict[str, Any]) -> str:
    score = "" if document["mean"] is None else f" with {document['mean']:g}"
    first = f"trial {document['trial']}: {'accepted' if document['accepted'] else 'rejected at ' + document['gate']}{score}, {document['env_steps']:,} environment steps"
    return first + (f"\n{document['reason']}" if document["reason"] else "")


def _inspected(document: dict[str, Any]) -> str:
    lines = [
        f"trial {document['trial']}: {document['gate']}"
        + (f", {document['mean']:g}" if document["mean"] is not None else ""),
        document["change"],
    ]
    lines += [document["reason"]] if document["reason"] else []
    lines += ["", document["program"].rstrip()]
    if document["trace"] is not None:
        from hl_dsl.synth.proposers.prompt.truncation import align

        lines += ["", document["trace"]["title"], *align([document["trace"]["columns"], *document["trace"]["rows"]])]
    return "\n".join(lines)
