"""A policy's own ledger has one summary of each run, successful or not, and its steps once."""

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.rollouts.executor import InProcessExecutor
from hl_dsl.synth.runs.ledger import Ledger, LedgerUnwritable
from hl_dsl.synth.runs.trial import trials_of
from tests.support.study_runs import LEAN, synth, trials, tune

TEXT = LEAN.replace("  act {", "  param tilt: real = 0.2 in [-0.2, 0.2]\n\n  act {").replace(
    "angle > 0", "angle > tilt"
)
FEW = {"budget_steps": 3_000, "seeds": range(3), "evaluator": InProcessExecutor()}


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "lean.hl"
    path.write_text(TEXT)
    return path


def lines(path):
    return trials_of(Ledger(path).read())


@pytest.mark.parametrize("run, kind", [(tune, "tuning"), (synth, "study")])
def test_the_summary_of_a_run_is_one_trial(policy, tmp_path, run, kind):
    ledger = tmp_path / "trials.jsonl"
    result = run(policy, tmp_path / "run", ledger=ledger, **FEW)
    (line,) = lines(ledger)
    recorded = trials(tmp_path / "run")
    assert (line.kind, line.accepted, line.program_hash) == (kind, True, result.program_hash) and Program.parse(
        line.program
    ).hash == line.program_hash
    assert line.environment_steps == sum(trial.environment_steps for trial in recorded) and line.score == result.score
    assert (line.options["start_score"], line.options["score"]) == (
        result.start_score,
        result.score,
    ) and line.seeds == (0, 1, 2)
    run(policy, tmp_path / "run", ledger=ledger, resume=True, **{**FEW, "budget_steps": 6_000})
    both = lines(ledger)
    assert len(both) == 2 and sum(one.environment_steps for one in both) == sum(
        trial.environment_steps for trial in trials(tmp_path / "run")
    )
    run(policy, tmp_path / "run", ledger=ledger, resume=True, **{**FEW, "budget_steps": 6_000})
    assert sum(one.environment_steps for one in lines(ledger)) == sum(
        trial.environment_steps for trial in trials(tmp_path / "run")
    )


def test_a_failed_run_has_a_summary(policy, tmp_path):
    with pytest.raises(HLError, match="before its first episode ended"):
        tune(policy, tmp_path / "run", ledger=tmp_path / "trials.jsonl", **{**FEW, "budget_steps": 5})
    (line,) = lines(tmp_path / "trials.jsonl")
    assert not line.accepted and "before its first episode ended" in line.reason and 0 < line.environment_steps <= 5


def test_a_run_without_improvement_has_a_summary(policy, tmp_path):
    policy.write_text(TEXT.replace("> tilt", "> 0 * tilt"))
    result = tune(policy, tmp_path / "run", ledger=tmp_path / "trials.jsonl", **{**FEW, "budget_steps": 2_000})
    (line,) = lines(tmp_path / "trials.jsonl")
    assert not result.improved and line.gate == "all_seeds" and "not better" in line.reason


def test_an_unwritable_ledger_is_detected_before_the_first_step(policy, tmp_path):
    with pytest.raises(LedgerUnwritable):
        tune(policy, tmp_path / "run", ledger=tmp_path / "none" / "trials.jsonl", **FEW)
    assert not (tmp_path / "run").exists()
