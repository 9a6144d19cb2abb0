"""A small policy, a reader of trials and an interrupt for tests of studies."""

from dataclasses import replace
from pathlib import Path

from hl_dsl.synth.rollouts.executor import InProcessExecutor
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trial import trials_of
from hl_dsl.synth.search.program_search import ProgramSearch
from hl_dsl.synth.search.start import run_line, run_synth
from hl_dsl.synth.search.study import Study
from hl_dsl.synth.search.study_kind import StudyInputs
from hl_dsl.synth.search.study_settings import StudySettings, TuningSettings
from hl_dsl.synth.tuning.parameter_tuning import ParameterTuning
from hl_dsl.synth.tuning.start import run_tune

LEAN = """\
# Push towards the side the pole leans to.
policy lean for "CartPole-v1" {
  observe pole.angle

  act {
    when pole.angle > 0 => RIGHT
    otherwise           => LEFT
  }
}
"""


def trials(folder):
    return trials_of(Ledger(folder / "trials.jsonl").read())


class Interrupt:
    """An `on_event` that interrupts when a condition holds, once."""

    def __init__(self, when):
        self.when, self.count, self.done = when, 0, False

    def __call__(self, event):
        self.count += 1
        if not self.done and self.when(event, self.count):
            self.done = True
            raise KeyboardInterrupt


def search_study(program, protocol, folder, budget, *, options=None, **given):
    """A search with settings and inputs given by name."""
    return Study(ProgramSearch(_inputs(program, protocol, folder, budget, given), options))


def synth(path, folder, *, options=None, resume=False, ledger=None, on_event=None, **given):
    """`run_synth` with settings, limits and resources given by name."""
    settings, budget, resources = _settings(given), _budget(given, 300_000), _resources(given)
    with run_line(ledger, folder):
        return run_synth(path, folder, settings, budget, resources, options, on_event, resume)


def tune_program(program, folder, *, protocol="standard", seeds=range(3), budget, seed=1, **given):
    """The result of tuning a program that is not in a file."""
    inputs = {name: given.pop(name) for name in ("on_event", "cases") if name in given}
    settings = StudySettings(protocol, tuple(seeds), seed, tuning=TuningSettings(**given))
    return Study(ParameterTuning(StudyInputs(program, settings, Path(folder), budget, **inputs))).run()


def tune(path, folder=None, *, resume=False, write=False, ledger=None, on_event=None, **given):
    """`run_tune` with settings, limits and resources given by name."""
    tuning = {name: given[name] for name in TuningSettings.__dataclass_fields__ if name in given}
    if tuning.get("params") is not None:
        tuning["params"] = tuple(tuning["params"])
    settings = replace(_settings(given), tuning=TuningSettings(**tuning))
    budget, resources = _budget(given, 100_000), _resources(given)
    with run_line(ledger, folder):
        return run_tune(path, folder, settings, budget, resources, on_event, resume, write)


def _settings(given):
    named = {"run_seed" if name == "seed" else name: value for name, value in given.items() if value is not None}
    return StudySettings(**{name: named[name] for name in StudySettings.__dataclass_fields__ if name in named})


def _budget(given, steps):
    return Budget(
        steps=given.get("budget_steps", steps),
        programs=given.get("budget_programs"),
        wall_seconds=given.get("wall_seconds"),
    )


def _resources(given):
    executor, num_threads = given.get("evaluator"), given.get("num_threads", 0)
    if executor is None and not num_threads:
        return None
    return Resources(num_threads, executor=executor or InProcessExecutor())


def _inputs(program, protocol, folder, budget, given):
    return StudyInputs(
        program,
        _settings({**given, "protocol": protocol}),
        Path(folder),
        budget,
        tuple(given.get("cases", ())),
        _resources(given),
        given.get("on_event"),
        given.get("play"),
    )
