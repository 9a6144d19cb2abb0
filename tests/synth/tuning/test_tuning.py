"""Tuning moves parameters inside their ranges, repeats, keeps the text, and never overspends."""

import pytest
from hl_dsl.synth.evaluation.evaluate import NotProved
from hl_dsl.synth.evaluation.program_text import text_of
from hl_dsl.synth.runs.budget import Budget

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from tests.support.step_counter import steps_taken
from tests.support.study_runs import trials as recorded
from tests.support.study_runs import tune_program

TEXT = """\
# Leans ahead.
policy lean for "CartPole-v1" {
  observe pole.angle, pole.velocity

  param lead: real = 0.0 in [-1, 2]  # seconds
  param late: int = 3 in [0, 9]
  param flip: bool = false

  let tilt = pole.angle + lead * pole.velocity

  act {
    when (tilt > 0) == flip and late < 10 => LEFT
    otherwise                             => RIGHT
  }
}
"""


@pytest.fixture
def tuned(tmp_path_factory):
    """Tunes the program above in a new folder."""

    def run(text=TEXT, **given):
        given.setdefault("budget", Budget(steps=12_000))
        return tune_program(Program.parse(text), tmp_path_factory.mktemp("run"), **given)

    return run


def test_tuning_finds_the_best_value_and_writes_it_into_the_text(tmp_path):
    before = steps_taken()
    result = tune_program(Program.parse(TEXT), tmp_path, budget=Budget(steps=12_000))
    assert steps_taken() - before == result.env_steps <= 12_000
    assert result.score == 500 > result.start_score
    program = Program.parse(result.best_text)
    assert program.hash == result.program_hash
    assert {one.name: one.default for one in program.flow.parameters} == result.values
    assert result.best_text.startswith("# Leans ahead.\n") and "# seconds" in result.best_text
    assert (
        -1 <= result.values["lead"] <= 2 and type(result.values["late"]) is int and type(result.values["flip"]) is bool
    )
    trials = recorded(tmp_path)
    assert sum(trial.environment_steps for trial in trials) == result.env_steps
    assert all(Program.parse(text_of(trial, trials)).hash == trial.program_hash for trial in trials[:10])
    assert [bool(trial.program) for trial in trials] == [trial.accepted for trial in trials], (
        "texts of what was accepted alone"
    )
    accepted = [trial for trial in trials if trial.accepted]
    assert accepted[0].program_hash == Program.parse(TEXT).hash and accepted[-1].program_hash == result.program_hash
    assert [trial.mean for trial in accepted] == sorted({trial.mean for trial in accepted})


def test_measurements_of_the_initial_program_are_removed(tmp_path):
    measured = "#: program 0123456789abcdef; well defined\n#: standard, seeds 50..99: mean 500\n"
    result = tune_program(Program.parse(measured + TEXT), tmp_path, budget=Budget(steps=12_000))
    assert result.score > result.start_score and "#:" not in result.best_text and "# Leans ahead." in result.best_text
    kept = [trial.program for trial in recorded(tmp_path) if "#:" in trial.program]
    assert kept == [measured + TEXT], "the program itself keeps it"


def test_sample_cut_by_the_budget_is_not_interrupted(tmp_path):
    tune_program(Program.parse(TEXT), tmp_path, budget=Budget(steps=12_000))
    trials = recorded(tmp_path)
    assert "interrupted" not in {
        trial.reason for trial in trials
    } and "the budget was spent before its episode ended" in {trial.reason for trial in trials}
    assert len({trial.index for trial in trials}) == len(trials)


def test_same_seed_gives_the_same_result(tuned):
    budget = {"budget": Budget(steps=4_000)}
    first, second = tuned(**budget), tuned(budget=Budget(steps=4_000))
    assert first == second
    assert tuned(budget=Budget(steps=4_000), seed=2).values != first.values


def test_only_named_parameters_are_tuned(tuned):
    result = tuned(params=("lead",), budget=Budget(steps=6_000))
    assert (result.values["late"], result.values["flip"]) == (3, False) and result.samples > 2


@pytest.mark.parametrize(
    "text, names, message",
    [
        (TEXT, ["lag"], "no parameter `lag`"),
        ('policy p for "CartPole-v1" { act { otherwise => LEFT } }', None, "no parameters to tune"),
        (
            'policy p for "CartPole-v1" { param a: int = 1 in [1, 1] act { when a > 0 => LEFT otherwise => RIGHT } }',
            None,
            "cannot move",
        ),
    ],
)
def test_programs_without_tunable_parameters_are_errors(tuned, text, names, message):
    with pytest.raises(HLError, match=message):
        tuned(text, budget=Budget(steps=100), params=names and tuple(names))


def test_unproved_program_is_not_evaluated(tuned):
    before = steps_taken()
    wild = (
        'policy p for "CartPole-v1" { observe pole.angle param a: real = 1 in [0, 2] act { when 1 / (a '
        "- a) > pole.angle => LEFT otherwise => RIGHT } }"
    )
    with pytest.raises(NotProved):
        tuned(wild, budget=Budget(steps=100))
    assert steps_taken() == before


def test_budget_that_is_too_small_is_an_error(tuned):
    with pytest.raises(HLError, match="is too small"):
        Budget(steps=0)
    with pytest.raises(HLError, match="never end"):
        Budget()
    with pytest.raises(HLError, match="before its first episode ended"):
        tuned(budget=Budget(steps=20))
