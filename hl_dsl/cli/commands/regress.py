"""`hl regress`: regression cases of a task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.fast_parameters import QuickCommand, QuickGroup
from hl_dsl.cli.output.documents import Interrupted, Json, finish, show

if TYPE_CHECKING:
    from hl_dsl.synth.regressions.run import CasesRun

Where = Annotated[Path, typer.Argument(metavar="[POLICY|FOLDER]", help="A policy, its folder, or a run folder.")]
Cases = Annotated[
    Path | None,
    typer.Option(
        "--cases",
        metavar="FOLDER",
        help="The folder of the cases. [default: regressions/ next to the policy]",
        show_default=False,
    ),
]
_RUN = "POLICY"  # as the help shows it


class _RunsByDefault(QuickGroup):
    """`hl regress` and `hl regress FILE` run the cases."""

    def parse_args(self, context, arguments):
        first = arguments[0] if arguments else ""
        if first not in self.commands and first not in ("-h", "--help"):
            arguments = [_RUN, *arguments]
        return super().parse_args(context, arguments)


app = typer.Typer(
    cls=_RunsByDefault,
    rich_markup_mode=None,
    add_completion=False,
    help="Regression cases: add, list, remove, or run them (exit code 1: one is violated).",
    subcommand_metavar="[POLICY|FOLDER] | add | list | remove",
)


@app.command(_RUN, cls=QuickCommand)
def run(
    where: Where = Path("."),
    cases: Cases = None,
    trials: Annotated[
        Path | None,
        typer.Option("--trials", help="The ledger to append to. [default: trials.jsonl next to the policy]"),
    ] = None,
    num_threads: Annotated[
        int, typer.Option("--threads", min=0, max=256, help="Simulator threads; 0: one for each core.")
    ] = 0,
    json: Json = False,
) -> None:
    """Run the cases on a policy. Steps are counted and recorded. 1: a case is violated."""
    from hl_dsl.cli.output.progress import step_progress
    from hl_dsl.program import Program
    from hl_dsl.synth.regressions.files import read_cases
    from hl_dsl.synth.regressions.run import run_cases
    from hl_dsl.synth.runs.ledger import Ledger

    policy = _policy_of(where)
    folder = _cases_of(policy, cases)
    program = Program.load(policy)
    wanted = read_cases(folder, program.card)
    with step_progress(f"{program.name} cases") as progress:
        found = run_cases(program, wanted, Ledger(trials or policy.parent / "trials.jsonl"), progress, num_threads)
    show({"schema": "hl.regress/1", "folder": folder, **found.to_json()}, _text(found, folder), json)
    if found.interrupted:
        raise Interrupted("interrupted: all steps are recorded")
    finish(found.exit_code)


@app.command("add", cls=QuickCommand)
def add(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A policy, a run folder, or a counterexample of `hl verify --save-trace`.",
            show_default=False,
        ),
    ],
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The episode's seed, a development seed.", show_default=False)
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", "-p", help="[default: the run's, or the environment's first]", show_default=False),
    ] = None,
    least_return: Annotated[
        float | None,
        typer.Option(
            "--least-return",
            help="Least return of the episode or the window. [default: the return measured now]",
            show_default=False,
        ),
    ] = None,
    holds: Annotated[
        str | None,
        typer.Option(
            "--holds",
            metavar="PROPERTY",
            help="Property of the observations that must hold at every tick.",
            show_default=False,
        ),
    ] = None,
    at_tick: Annotated[
        int | None,
        typer.Option("--at-tick", min=0, help="First tick of a window (--within: its length).", show_default=False),
    ] = None,
    within: Annotated[
        int | None,
        typer.Option("--within", min=1, metavar="TICKS", help="Length of the window.", show_default=False),
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option("--max-steps", min=1, help="Truncate the episode after so many steps.", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The case's name.", show_default=False)] = None,
    cases: Cases = None,
    json: Json = False,
) -> None:
    """Make a case from a seed, a window of ticks, a run or a counterexample."""
    from hl_dsl.cases.documents import case_document
    from hl_dsl.cases.files import add_case
    from hl_dsl.cases.records import Window
    from hl_dsl.cli.output.progress import step_progress
    from hl_dsl.synth.regressions.add import Requirement, case_from_counterexample, case_from_policy, case_from_run
    from hl_dsl.synth.runs.ledger import Ledger

    if (at_tick is None) != (within is None):
        raise HLError("a window has a first tick and a length", "give both --at-tick and --within, or neither")
    if least_return is not None and abs(least_return) == float("inf") or least_return != least_return:
        raise HLError(f"{least_return} is not a return", "give a finite number")
    demand = Requirement(
        seed,
        protocol,
        max_steps,
        None if at_tick is None or within is None else Window(at_tick, within),
        least_return,
        holds,
    )
    folder = _cases_of(source, cases)
    with step_progress("measuring the case") as progress:
        if source.suffix == ".json":
            if demand != Requirement():
                raise HLError("a counterexample has its own requirement", "remove the options of episodes")
            added = case_from_counterexample(source, name)
        elif source.is_dir():
            added = case_from_run(source, demand, name, progress)
        else:
            added = case_from_policy(source, demand, name, Ledger(source.parent / "trials.jsonl"), progress)
    path = add_case(folder, added.case)
    show(
        {
            "schema": "hl.regress.add/1",
            "name": added.case.name,
            "file": path,
            "kind": added.case.kind,
            "demands": added.case.describe(),
            "case": case_document(added.case),
            "env_steps": added.env_steps,
        },
        f"wrote {path}: {added.case.describe()}"
        + (f"\n{added.env_steps:,} environment steps" if added.env_steps else ""),
        json,
    )


@app.command("list", cls=QuickCommand)
def list_cases(where: Where = Path("."), cases: Cases = None, json: Json = False) -> None:
    """List the cases."""
    from hl_dsl.synth.regressions.files import read_cases

    folder = _cases_of(where, cases)
    found = read_cases(folder)
    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "env": one.environment,
            "demands": one.describe(),
            "origin": one.origin,
        }
        for one in found
    ]
    show(
        {"schema": "hl.regress.list/1", "folder": folder, "cases": rows},
        "\n".join(f"{row['name']}: {row['demands']}" for row in rows) or f"no cases in {folder}",
        json,
    )


@app.command("remove", cls=QuickCommand)
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The case's name.", show_default=False)],
    where: Where = Path("."),
    cases: Cases = None,
    json: Json = False,
) -> None:
    """Remove a case."""
    from hl_dsl.cases.files import remove_case

    path = remove_case(_cases_of(where, cases), name)
    show({"schema": "hl.regress.remove/1", "name": name, "file": path}, f"removed {path}", json)


# places


def _policy_of(where: Path) -> Path:
    """The policy of a folder: a run's best, `policy.hl`, or the only policy in it."""
    if not where.is_dir():
        return where
    from hl_dsl.synth.runs.run_folder import BEST

    for name in (BEST, "policy.hl"):
        if (where / name).is_file():
            return where / name
    found = sorted(where.glob("*.hl"))
    if len(found) == 1:
        return found[0]
    raise HLError(
        f"there is {'no policy' if not found else 'more than one policy'} in {where}",
        "name the policy: hl regress FILE.hl",
    )


def _cases_of(source: Path, given: Path | None) -> Path:
    """The folder of the cases: the given one, or next to the policy, or the nearest above."""
    from hl_dsl.cases.files import FOLDER, cases_folder, nearest_cases_folder
    from hl_dsl.synth.runs.run_folder import SETTINGS

    if given is not None:
        return given
    if source.suffix == ".hl" and not (source.parent / SETTINGS).exists():
        return cases_folder(source)
    start = source if source.is_dir() else source.parent
    found = nearest_cases_folder(start)
    if found is None and (start / SETTINGS).exists() or found is None and source.suffix == ".json":
        raise HLError(
            f"there is no folder `{FOLDER}` at {start} or above it", "name the folder of the cases: --cases FOLDER"
        )
    return found or start / FOLDER


def _text(found: CasesRun, folder: Path) -> str:
    if not found.cases:
        return f"no cases in {folder}"
    words = {True: "holds", False: "violated", None: "open"}
    lines = []
    for case, outcome in zip(found.cases, found.results):
        lines += [
            f"{words[outcome.passed]}: {case.name} ({case.describe()})",
            *([] if outcome.passed else [f"       {outcome.detail}"]),
        ]
    kept = sum(bool(one.passed) for one in found.results)
    return "\n".join([*lines, f"{kept} of {len(found.cases)} cases hold, {found.env_steps:,} environment steps"])
