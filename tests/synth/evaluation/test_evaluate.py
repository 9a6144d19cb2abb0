"""Evaluation of one program: no step without a proof, and every step is recorded."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation import evaluate as module
from hl_dsl.synth.evaluation.evaluate import EvaluationOptions, NotProved, NotRecorded, evaluate_program
from hl_dsl.synth.rollouts.callbacks import RolloutCallbacks
from hl_dsl.synth.rollouts.interrupts import defer_interrupts
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trial import trials_of
from tests.support.step_counter import steps_taken

LEAN = """policy lean for "CartPole-v1" {
  observe pole.angle, pole.velocity

  param tilt: real = 0 in [-0.1, 0.1]

  assume small: pole.angle < 0.05
  monitor slow: pole.velocity < 0.5
  %s
  act { when pole.angle + 0.25 * pole.velocity > tilt => RIGHT  otherwise => LEFT }
}
"""
SEEDS = (3, 1, 4, 15, 9)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "trials.jsonl")


@pytest.fixture
def lean():
    return Program.parse(LEAN % "")


def test_trial_equals_the_rollout(lean, ledger):
    before = steps_taken()
    found = evaluate_program(
        lean,
        EpisodeSettings("standard", SEEDS, max_steps=90),
        ledger=ledger,
        resources=Resources(num_envs=2),
        options=EvaluationOptions(parameters={"tilt": 0.02}),
    )
    (trial,) = trials_of(ledger.read())
    assert (trial.kind, trial.gate, trial.accepted, trial.seeds) == ("evaluation", "accepted", True, SEEDS)
    assert trial.returns == found.rollout.returns and trial.lengths == found.rollout.lengths
    assert trial.environment_steps == sum(trial.lengths) == steps_taken() - before
    assert (
        dict(trial.parameters) == {"tilt": 0.02}
        and trial.program_hash == lean.hash
        and trial.program == lean.source.text
    )
    assert trial.assumption_violations["small"] == found.rollout.total_counts.assumption_violations[0]
    assert trial.monitor_violations["slow"] == found.rollout.total_counts.monitor_violations[0] > 0
    assert found.backend == "tape" and found.note is None and found.to_json()["complete"] is True


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize(
    "text", [LEAN, LEAN.replace("observe pole.angle,", "observe pole.angle in [-0.03, 0.03],")], ids=["wide", "narrow"]
)
def test_each_tick_is_monitored_once(ledger, text, num_envs):
    """The counts equal those computed from the raw frames; lanes end at different times."""
    seen = {"angles": [], "velocities": []}

    def watch(environments, frame, actions):
        if actions is not None:
            seen["angles"] += frame.observation[:, 2].tolist()
            seen["velocities"] += frame.observation[:, 3].tolist()

    program = Program.parse(text % "monitor early: pole.velocity > -100")
    found = evaluate_program(
        program,
        EpisodeSettings("standard", range(5)),
        ledger=ledger,
        resources=Resources(num_envs=num_envs),
        callbacks=RolloutCallbacks(on_tick=watch),
        options=EvaluationOptions(parameters={"tilt": 0.1}),
    )
    assert len(set(found.rollout.lengths)) > 2 and len(seen["angles"]) == found.rollout.env_steps
    narrow = "in [" in text.partition("pole.velocity")[0]
    high = 0.03 if narrow else 0.42
    assert found.rollout.total_counts.out_of_range == sum(
        abs(angle) > high for angle in seen["angles"]
    ) and narrow == bool(found.rollout.total_counts.out_of_range)
    assert found.trial.assumption_violations["small"] == sum(min(angle, high) >= 0.05 for angle in seen["angles"])
    assert found.trial.monitor_violations == {
        "slow": sum(not velocity < 0.5 for velocity in seen["velocities"]),
        "early": 0,
    }


@pytest.mark.parametrize(
    "declaration, code",
    [
        ("invariant upright: pole.angle < 0.01", 1),
        ("memory count: int in [0, 5] = 0 { next = count + 1 }", 1),
        ("invariant circle: sin(pole.angle) * sin(pole.angle) + cos(pole.angle) * cos(pole.angle) <= 1.0000001", 3),
    ],
)
def test_unproved_program_takes_no_step(ledger, declaration, code):
    program, before = Program.parse(LEAN % declaration), steps_taken()
    with pytest.raises(NotProved, match="does not run") as error:
        evaluate_program(
            program,
            EpisodeSettings("standard", SEEDS),
            ledger=ledger,
            callbacks=RolloutCallbacks(on_tick=lambda *anything: pytest.fail("a tick was played")),
        )
    assert steps_taken() == before
    assert error.value.exit_code == code == error.value.proof.exit_code
    assert error.value.details["env_steps"] == 0 and error.value.details["obligations"]
    (trial,) = trials_of(ledger.read())
    assert (trial.kind, trial.gate, trial.environment_steps, trial.reason) == (
        "verify-reject",
        "prove",
        0,
        error.value.proof.summary,
    )


def test_unwritable_ledger_is_an_error_before_the_first_step(lean, tmp_path):
    (tmp_path / "damaged.jsonl").write_text("no event\n")
    before = steps_taken()
    for path in (tmp_path / "none" / "t.jsonl", tmp_path, tmp_path / "damaged.jsonl"):
        with pytest.raises(HLError):
            evaluate_program(lean, EpisodeSettings("standard", SEEDS), ledger=Ledger(path))
    assert steps_taken() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.jsonl"]


def test_result_is_kept_if_the_ledger_fails_at_the_end(lean):
    with pytest.raises(NotRecorded, match="played, but not recorded: .*disk is full") as error:
        evaluate_program(lean, EpisodeSettings("standard", SEEDS, max_steps=20), ledger=Ledger("/dev/full"))
    assert error.value.evaluation.rollout.lengths == (20,) * 5 and error.value.exit_code == 2


@pytest.mark.parametrize("tick", [1, 2, 17, 100, 140])
def test_interrupt_records_the_steps_so_far(lean, ledger, tick):
    """Five seeds in waves of two; ticks 81 to 160 are of the second wave."""
    ticks, before = 0, steps_taken()

    def interrupt(environments, frame, actions) -> None:
        nonlocal ticks
        ticks += actions is not None
        if ticks == tick:
            os.kill(os.getpid(), signal.SIGINT)

    found = evaluate_program(
        lean,
        EpisodeSettings("standard", SEEDS, max_steps=80),
        ledger=ledger,
        resources=Resources(num_envs=2),
        callbacks=RolloutCallbacks(on_tick=interrupt),
    )
    (trial,) = trials_of(ledger.read())
    assert found.rollout.interrupted and not trial.accepted and (trial.gate, trial.reason) == ("none", "interrupted")
    assert trial.environment_steps == found.rollout.env_steps == steps_taken() - before == 2 * tick
    assert trial.seeds == (SEEDS[:2] if tick > 80 else ())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_before_the_first_step_records_nothing(lean, ledger, monkeypatch):
    def evaluate(*arguments, **options):
        os.kill(os.getpid(), signal.SIGINT)
        return played(*arguments, **options)

    played, before = module.evaluate, steps_taken()
    monkeypatch.setattr(module, "evaluate", evaluate)
    with pytest.raises(KeyboardInterrupt):
        evaluate_program(lean, EpisodeSettings("standard", SEEDS), ledger=ledger)
    assert steps_taken() == before and ledger.read() == []


def test_interrupt_waits_for_the_record(lean, ledger, monkeypatch):
    write = os.write

    def interrupted(descriptor, data):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate_program(lean, EpisodeSettings("standard", SEEDS, max_steps=5), ledger=ledger)
    monkeypatch.undo()
    (trial,) = trials_of(ledger.read())
    assert trial.accepted and trial.lengths == (5,) * 5 and ledger.torn == b""


def test_second_interrupt_does_not_wait():
    with pytest.raises(KeyboardInterrupt), defer_interrupts() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_pending
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("it waited")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_is_raised_at_the_end_of_the_block():
    reached = []
    with pytest.raises(KeyboardInterrupt), defer_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("the end of the block")
    assert reached


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with defer_interrupts() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop.is_pending
    finally:
        signal.signal(signal.SIGINT, before)


def test_evaluation_works_in_another_thread(lean, ledger):
    """Only the main thread receives signals."""
    thread = threading.Thread(
        target=evaluate_program, args=(lean, EpisodeSettings("standard", SEEDS, 5)), kwargs={"ledger": ledger}
    )
    thread.start()
    thread.join()
    assert len(ledger.read()) == 1


@pytest.mark.parametrize(
    "broken", ["raise ImportError('no numba here')", "raise RuntimeError('LLVM is of another age')"]
)
def test_numpy_is_used_if_numba_fails(tmp_path, lean, broken):
    """The returns are equal, and a note gives the reason."""
    (tmp_path / "numba.py").write_text(broken)
    (tmp_path / "lean.hl").write_text(lean.source.text)
    command = [
        sys.executable,
        "-c",
        "from hl_dsl.cli.main import main; main()",
        "eval",
        "lean.hl",
        "--seeds",
        "3",
        "--max-steps",
        "90",
        "--json",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["backend"] == "numpy" and "NumPy form is used" in document["note"]
    assert done.stderr.startswith("note: ") and len(done.stderr.splitlines()) == 1
    assert (
        tuple(document["returns"])
        == evaluate_program(lean, EpisodeSettings("standard", (3,), max_steps=90), ledger=None).rollout.returns
    )
