"""Entry point of `hl synth`, and what it shares with `hl tune`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.regressions.files import folder_beside, read_cases
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_result import StudyResult
from hl_dsl.synth.runs.run_summary import add_line, run_documents
from hl_dsl.synth.search.program_search import ProgramSearch
from hl_dsl.synth.search.study import Study
from hl_dsl.synth.search.study_kind import Evaluator, OnEvent, StudyInputs
from hl_dsl.synth.search.study_settings import StudySettings

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program

SYNTH_STEPS = 300_000  # default budget of environment steps


@dataclass(frozen=True)
class Host:
    """What a study runs on.

    Attributes:
        evaluator: Where batches are evaluated; None: in a worker process.
        num_threads: Simulator threads; 0: one for each core.
        on_event: Takes progress events.
    """

    evaluator: Evaluator | None = None
    num_threads: int = 0
    on_event: OnEvent | None = None


def run_synth(
    path: Path | str,
    run_folder: Path | str,
    settings: StudySettings | None = None,
    budget: Budget | None = None,
    host: Host | None = None,
    options: ProposerOptions | None = None,
    resume: bool = False,
) -> StudyResult:
    """Searches for a better program than the one at `path`.

    Args:
        path: The initial program. Accepted programs pass the golden cases in `regressions/` next to it.
        run_folder: Where the run is recorded.
        settings: Settings of the search.
        budget: Limits of the search; None: 300,000 environment steps.
        host: What the search runs on.
        options: Options of proposers that use models or agents.
        resume: Whether the run in the folder is continued.

    Raises:
        HLError: The program cannot be read, the folder is used or holds another run, an unknown proposer, an invalid case.
        NotProved: The initial program is not proved.
        NotWritten: The study ended, but its result could not be recorded.
    """
    inputs = study_inputs(path, run_folder, settings or StudySettings(), budget or Budget(steps=SYNTH_STEPS), host)
    study = Study(ProgramSearch(inputs, options))
    return study.resume() if resume else study.run()


def study_inputs(
    path: Path | str, run_folder: Path | str, settings: StudySettings, budget: Budget, host: Host | None
) -> StudyInputs:
    """The inputs of a study of the program at `path`, with the golden cases next to it. Raises HLError."""
    program = Program.load(path)
    cases = read_cases(folder_beside(Path(path)), program.card)
    host = host or Host()
    return StudyInputs(
        program,
        settings,
        Path(run_folder),
        budget,
        tuple(cases),
        host.evaluator,
        host.num_threads,
        host.on_event,
    )


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
        settings, events = run_documents(Path(run_folder))
        if settings is not None:
            add_line(settings, events, target, problem)
