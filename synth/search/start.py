"""Entry point of `hl synth`, and what it shares with `hl tune`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hl_dsl.base.errors import HLError
from hl_dsl.cases.files import cases_folder
from hl_dsl.program import Program
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.regressions.files import read_cases
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_result import StudyResult
from hl_dsl.synth.runs.run_summary import append_summary, read_run
from hl_dsl.synth.search.program_search import ProgramSearch
from hl_dsl.synth.search.study import Study
from hl_dsl.synth.search.study_kind import OnEvent, StudyInputs
from hl_dsl.synth.search.study_settings import StudySettings

SYNTH_STEPS = 300_000  # default budget of environment steps


def run_synth(
    path: Path | str,
    run_folder: Path | str,
    settings: StudySettings | None = None,
    budget: Budget | None = None,
    resources: Resources | None = None,
    options: ProposerOptions | None = None,
    on_event: OnEvent | None = None,
    resume: bool = False,
) -> StudyResult:
    """Searches for a better program than the one at `path`.

    Args:
        path: The initial program. Accepted programs pass the golden cases in `regressions/` next to it.
        run_folder: Where the run is recorded.
        settings: Settings of the search.
        budget: Limits of the search; None: 300,000 environment steps.
        resources: What batches are evaluated on; None: a worker process of the search's own.
        options: Options of proposers that use models or agents.
        on_event: Takes progress events.
        resume: Whether the run in the folder is continued.

    Raises:
        HLError: The program cannot be read, the folder is used or holds another run, an unknown proposer, an invalid
            case.
        NotProved: The initial program is not proved.
        NotWritten: The study ended, but its result could not be recorded.
    """
    inputs = study_inputs(path, run_folder, settings or StudySettings(), budget or Budget(steps=SYNTH_STEPS))
    inputs = replace(inputs, resources=resources, on_event=on_event)
    study = Study(ProgramSearch(inputs, options))
    return study.resume() if resume else study.run()


def study_inputs(path: Path | str, run_folder: Path | str, settings: StudySettings, budget: Budget) -> StudyInputs:
    """The inputs of a study of the program at `path`, with the golden cases next to it. Raises HLError."""
    program = Program.load(path)
    cases = read_cases(cases_folder(Path(path)), program.card)
    return StudyInputs(program, settings, Path(run_folder), budget, tuple(cases))


@contextmanager
def run_line(ledger: Path | str | None, run_folder: Path | str) -> Iterator[None]:
    """Adds one line on a run to a ledger, such as the policy's own, in whatever way the run ends.

    Args:
        ledger: The ledger; None: no line.
        run_folder: The folder of the run.

    Raises:
        LedgerError: The ledger cannot be written; raised before the run starts if that is known by then.
    """
    if ledger is None:
        yield
        return
    target, problem = Ledger(ledger), ""
    target.prepare()
    try:
        yield
    except HLError as error:
        problem = error.message.partition("\n")[0]
        raise
    finally:
        settings, events = read_run(Path(run_folder))
        if settings is not None:
            append_summary(settings, events, target, problem)
