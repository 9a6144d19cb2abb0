"""Runs as the command line starts them: from paths and plain options to plain results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.regressions.files import read_cases
from hl_dsl.synth.rollouts.executor import Executor
from hl_dsl.synth.runs import run_settings
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.budget_report import budget_event
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.run_result import NotWritten
from hl_dsl.synth.runs.run_summary import append_summary, read_run
from hl_dsl.synth.runs.step_counter import StepCounter
from hl_dsl.synth.search.study import DEVELOPMENT_SEEDS, Study, StudyResult
from hl_dsl.synth.tuning.best_file import BestFile
from hl_dsl.synth.tuning.episode_schedule import parse_short
from hl_dsl.synth.tuning.fitness import parse_fitness
from hl_dsl.synth.tuning.progress_plot import ProgressPlot
from hl_dsl.synth.tuning.result import TuneResult
from hl_dsl.synth.tuning.tuning import Tuning

from hl_dsl.base.errors import HLError
from hl_dsl.base.files import write_whole
from hl_dsl.cases.files import cases_folder
from hl_dsl.program import Program

OnEvent = Callable[[dict[str, Any]], None]


def run_synth(
    path: Path | str,
    run_folder: Path | str,
    protocol: str | None = None,
    budget_steps: int | None = 300_000,
    seed: int = 0,
    resume: bool = False,
    wall_seconds: float | None = None,
    on_event: OnEvent | None = None,
    budget_programs: int | None = None,
    proposer: str = "local",
    seeds: Sequence[int] = DEVELOPMENT_SEEDS,
    no_reward_steps: int | None = None,
    max_steps: int | None = None,
    num_threads: int = 0,
    budget_tokens: int | None = None,
    budget_cost: float | None = None,
    options: ProposerOptions | None = None,
    evaluator: Executor | None = None,
    ledger: Path | str | None = None,
) -> StudyResult:
    """Searches for a better program than the one at `path` (see `Study`). `protocol`: None is the environment's usual one.
    What is accepted passes the golden cases in `regressions/` beside it. `ledger` gets one line on the run.

    Raises HLError: the program's file, a folder in use or with another run, a budget of nothing, an unknown proposer, a bad case.
    """
    program = Program.load(path)
    cases = read_cases(cases_folder(Path(path)), program.card)
    budget = Budget(
        steps=budget_steps, programs=budget_programs, wall_seconds=wall_seconds, tokens=budget_tokens, cost=budget_cost
    )
    study = Study(
        program,
        protocol or program.card.protocols[0],
        run_folder,
        budget,
        seed,
        proposer,
        seeds,
        no_reward_steps,
        max_steps,
        num_threads=num_threads,
        on_event=on_event,
        options=options,
        cases=cases,
        evaluator=evaluator,
    )
    with _line_in(ledger, run_folder):
        return study.resume() if resume else study.run()


def run_tune(
    path: Path | str,
    run_folder: Path | str | None = None,
    protocol: str | None = None,
    budget_steps: int | None = 100_000,
    seed: int = 0,
    params: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    resume: bool = False,
    wall_seconds: float | None = None,
    on_event: OnEvent | None = None,
    population: int | None = None,
    no_reward_steps: int | None = None,
    max_steps: int | None = None,
    num_threads: int = 0,
    evaluator: Executor | None = None,
    fitness: str = "mean",
    race: bool = False,
    center: bool = False,
    short: str | None = None,
    step_size: float | None = None,
    write: bool = False,
    ledger: Path | str | None = None,
) -> TuneResult:
    """Tunes the parameters of the program at `path` (see `Tuning`). With a `run_folder`, the samples are recorded there, and
    the best program so far is put there as `best.hl`; `resume` goes on with the run that is there. `write` puts the tuned
    program into the policy's own file, where it is better and the run came to its end. What is accepted passes the golden
    cases in `regressions/` beside it. `ledger` gets one line on the run, such as the policy's own.

    Raises HLError: what cannot be tuned, a folder in use or with another run, a bad case; NotWritten where the run came to its end, but
    the folder or the file did not take all of it.
    """
    program = Program.load(path)
    cases = read_cases(cases_folder(Path(path)), program.card)
    budget = Budget(steps=budget_steps, wall_seconds=wall_seconds)
    picture = ProgressPlot(run_folder, on_event)
    longest = min(max_steps or program.card.max_episode_steps, program.card.max_episode_steps)
    tuning = Tuning(
        program,
        protocol or program.card.protocols[0],
        tuple(seeds or DEVELOPMENT_SEEDS),
        budget,
        seed,
        params,
        population,
        no_reward_steps,
        max_steps,
        num_threads,
        BestFile(run_folder, program, picture),
        evaluator,
        parse_fitness(fitness),
        race,
        parse_short(short, longest),
        step_size,
        cases,
        center,
    )
    if run_folder is None:
        return _into_file(tuning.run(), path, write)
    with _line_in(ledger, run_folder), RunFolder(run_folder) as folder:
        if resume:
            run_settings.check_resumable(folder, tuning.settings())
        else:
            run_settings.record_settings(folder, tuning.settings())
            folder.write_card(program.card)
        folder.ledger.append(budget_event(budget))
        with closing(StepCounter(folder.path)) as meter:
            result = tuning.run(folder.ledger, folder.ledger.read(), meter)
        try:
            folder.write_best(result.text)
            folder.stop(
                result.stop_reason, {"best": result.program_hash, "score": result.score, "env_steps": result.env_steps}
            )
            picture.draw()
        except HLError as problem:
            raise NotWritten(result, problem) from problem
        return _into_file(result, path, write)


@contextmanager
def _line_in(ledger: Path | str | None, run_folder: Path | str) -> Iterator[None]:
    """Adds a line on the run to a ledger, however the run ends. Raises LedgerError, before anything is played where it can be
    known by then."""
    if ledger is None:
        yield
        return
    into, problem = Ledger(ledger), ""
    into.prepare()
    try:
        yield
    except HLError as error:
        problem = error.message.partition("\n")[0]
        raise
    finally:
        settings, events = read_run(Path(run_folder))
        if settings is not None:
            append_summary(settings, events, into, problem)


def _into_file(result: TuneResult, path: Path | str, write: bool) -> TuneResult:
    """Puts a better program where the run began; after an interrupt not, for a run goes on only with the program it began with."""
    if not write or not result.improved or result.interrupted:
        return result
    try:
        write_whole(Path(path), result.text)
    except HLError as problem:
        raise NotWritten(result, problem) from problem
    return replace(result, written=str(path))
