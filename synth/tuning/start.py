"""Entry point of `hl tune`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import write_whole
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.run_result import NotWritten
from hl_dsl.synth.search.start import study_inputs
from hl_dsl.synth.search.study import Study
from hl_dsl.synth.search.study_kind import OnEvent
from hl_dsl.synth.search.study_settings import StudySettings, TuningSettings
from hl_dsl.synth.tuning.parameter_tuning import ParameterTuning
from hl_dsl.synth.tuning.result import TuneResult

TUNE_STEPS = 100_000  # default budget of environment steps


def run_tune(
    path: Path | str,
    run_folder: Path | str | None = None,
    settings: StudySettings | None = None,
    budget: Budget | None = None,
    resources: Resources | None = None,
    on_event: OnEvent | None = None,
    resume: bool = False,
    write: bool = False,
) -> TuneResult:
    """Tunes the parameters of the program at `path`.

    Args:
        path: The initial program. Accepted programs pass the golden cases in `regressions/` next to it.
        run_folder: Where the run is recorded; None: a temporary folder.
        settings: Settings of the tuning.
        budget: Limits of the tuning; None: 100,000 environment steps.
        resources: What batches are evaluated on; None: a worker process of the tuning's own.
        on_event: Takes progress events.
        resume: Whether the run in the folder is continued.
        write: Whether a better program replaces the one at `path`; not after an interrupt, because a run is only
            continued with its initial program.

    Raises:
        HLError: Nothing can be tuned, the folder is used or holds another run, an invalid case.
        NotProved: The program is not proved.
        NotWritten: The study ended, but its result could not be recorded or written.
    """
    if run_folder is None:
        with TemporaryDirectory() as folder:
            return run_tune(path, folder, settings, budget, resources, on_event, False, write)
    settings = settings or StudySettings()
    settings = settings if settings.tuning is not None else replace(settings, tuning=TuningSettings())
    inputs = study_inputs(path, run_folder, settings, budget or Budget(steps=TUNE_STEPS))
    inputs = replace(inputs, resources=resources, on_event=on_event)
    study = Study(ParameterTuning(inputs))
    result = study.resume() if resume else study.run()
    return _written(result, Path(path)) if write else result


def _written(result: TuneResult, path: Path) -> TuneResult:
    if not result.improved or result.interrupted:
        return result
    try:
        write_whole(path, result.best_text)
    except HLError as problem:
        raise NotWritten(result, problem) from problem
    return replace(result, written=str(path))
