"""What tests of runs share."""

from dataclasses import replace
from pathlib import Path

from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trial import trials_of
from hl_dsl.synth.search.program_search import ProgramSearch
from hl_dsl.synth.search.start import Host, run_synth
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


def synth(
    path, folder, *, budget_steps=300_000, wall_seconds=None, budget_programs=None, options=None, resume=False, **given
):
    """`run_synth` with settings, limits and host given by name."""
    budget = Budget(steps=budget_steps, programs=budget_programs, wall_seconds=wall_seconds)
    return run_synth(path, folder, _settings(given), budget, _host(given), options, resume)


def tune_program(program, folder, *, protocol="standard", seeds=range(3), budget, seed=1, **given):
    """The result of tuning a program that is not in a file."""
    host = {name: given.pop(name) for name in _HOST if name in given}
    settings = StudySettings(protocol, tuple(seeds), seed, tuning=TuningSettings(**given))
    inputs = StudyInputs(program, settings, Path(folder), budget, **host)
    return Study(ParameterTuning(inputs)).run()


def tune(path, folder=None, *, budget_steps=100_000, wall_seconds=None, resume=False, write=False, **given):
    """`run_tune` with settings, limits and host given by name."""
    budget = Budget(steps=budget_steps, wall_seconds=wall_seconds)
    tuning = {name: given[name] for name in TuningSettings.__dataclass_fields__ if name in given}
    rest = {name: value for name, value in given.items() if name not in tuning}
    if tuning.get("params") is not None:
        tuning["params"] = tuple(tuning["params"])
    settings = replace(_settings(rest), tuning=TuningSettings(**tuning))
    return run_tune(path, folder, settings, budget, _host(rest), resume, write)


_NAMES = {"seed": "run_seed", "dry_steps": "no_reward_steps"}
_HOST = ("evaluator", "num_threads", "on_event")


def _settings(given):
    names = {name: value for name, value in given.items() if name not in _HOST}
    return StudySettings(**{_NAMES.get(name, name): value for name, value in names.items() if value is not None})


def _host(given):
    return Host(**{name: given[name] for name in _HOST if name in given})


def _inputs(program, protocol, folder, budget, given):
    play, cases = given.pop("play", None), tuple(given.pop("cases", ()))
    host = _host(given)
    return StudyInputs(
        program,
        _settings({**given, "protocol": protocol}),
        Path(folder),
        budget,
        cases,
        host.evaluator,
        host.num_threads,
        host.on_event,
        play,
    )
