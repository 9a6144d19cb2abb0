"""A worker that hangs, leaks, forks or crashes is killed with its process tree and recorded; the study continues."""

import gc
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.executor import ExecutionHooks, InProcessExecutor
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.workers.limits import GIB, EvaluatorFailed, WorkerLimits
from hl_dsl.synth.workers.worker_executor import WorkerExecutor
from tests.support import hostile_workers
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN, search_study, trials
from tests.synth.search.test_study import verdicts

ROOT = Path(__file__).parents[3]
STRICT = WorkerLimits(seconds=4.0, memory=GIB)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
ACTS = [
    (hostile_workers.loops, "took no step in 4 seconds"),
    (hostile_workers.leaks, "GiB of memory, 1 are allowed"),
    (hostile_workers.forks, "processes, 8 are allowed"),
    (hostile_workers.segfaults, "died of SIGSEGV"),
]


@pytest.fixture
def survivors(monkeypatch):
    """Returns the processes that were started from here on and still run."""
    word = f"test-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv("HL_TEST_WORD", word)

    def found():
        gc.collect()  # ends the parked workers of executors that no study has any longer
        return running(word)

    yield found
    assert not found()


def running(word: str) -> set[str]:
    found = set()
    for one in Path("/proc").iterdir():
        if one.name.isdigit() and int(one.name) != os.getpid():
            try:
                if word.encode() in (one / "environ").read_bytes():
                    found.add(one.name)
            except OSError:
                continue
    return found


def study(folder, play=None, evaluator=None, steps=800, **more):
    return search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        Budget(steps=steps),
        seed=3,
        seeds=(0, 1),
        lanes=4,
        evaluator=evaluator,
        play=play,
        **more,
    )


@linux
@pytest.mark.parametrize("act, says", ACTS, ids=lambda one: getattr(one, "__name__", ""))
def test_hostile_worker_is_killed_recorded_and_charged(tmp_path, survivors, act, says):
    before = steps_taken()
    play = partial(hostile_workers.playing, act, hostile_workers.SOME)
    result = study(tmp_path / "run", play, WorkerExecutor(STRICT)).run()
    assert not survivors()
    found = trials(tmp_path / "run")
    failed = [trial for trial in found if says in trial.reason and trial.kind == "search"]
    fine = [trial for trial in found if trial.returns]
    assert failed and fine and result.proved and result.env_steps <= 800
    assert {trial.program_hash[0] for trial in failed} <= set(hostile_workers.SOME)
    assert all(
        trial.environment_steps >= hostile_workers.AFTER
        and not trial.accepted
        and trial.gate in ("quick_seeds", "all_seeds")
        for trial in failed
    )
    assert (
        sum(trial.environment_steps for trial in found)
        == steps_taken() - before
        == result.env_steps + result.lost_steps
    )
    again = study(tmp_path / "run", play, WorkerExecutor(STRICT)).resume()
    assert (again.best_text, again.env_steps) == (result.best_text, result.env_steps)


@linux
def test_other_programs_of_a_failed_batch_are_evaluated_alone(tmp_path, survivors):
    study(tmp_path / "whole", evaluator=InProcessExecutor()).run()
    result = study(
        tmp_path / "run", partial(hostile_workers.in_company, hostile_workers.segfaults), WorkerExecutor(STRICT)
    ).run()
    assert not survivors()
    wasted = [trial for trial in trials(tmp_path / "run") if trial.kind == "interrupted"]
    assert wasted and "did not when each was evaluated alone" in wasted[0].reason
    assert result.lost_steps == sum(trial.environment_steps for trial in wasted) >= hostile_workers.AFTER * len(wasted)
    # The last generation differs: in one batch all programs are cut at one tick, one by one only the last is.
    whole, alone = verdicts(tmp_path / "whole"), verdicts(tmp_path / "run")
    same = [number for number in whole if "budget" not in whole[number][5] + alone[number][5]]
    assert len(same) > 4 and all(whole[number] == alone[number] for number in same)


@linux
def test_forks_of_a_worker_are_killed_and_their_answers_ignored(tmp_path, survivors):
    expected = study(tmp_path / "whole", evaluator=InProcessExecutor()).run()
    result = study(
        tmp_path / "run",
        partial(hostile_workers.playing, hostile_workers.forks_quietly, hostile_workers.SOME),
        WorkerExecutor(WorkerLimits(processes=1_000)),
    ).run()
    assert not survivors()
    assert verdicts(tmp_path / "run") == verdicts(tmp_path / "whole") and result.best_text == expected.best_text


@linux
@pytest.mark.parametrize(
    "act, says",
    [
        (hostile_workers.asks_for_too_much, "MemoryError"),
        (hostile_workers.leaves, "died with exit code 3"),
        (hostile_workers.raises, "ZeroDivisionError: by nothing"),
        (hostile_workers.kills_its_supervisor, "died of SIGKILL"),
    ],
)
def test_each_failure_is_reported_with_its_cause(survivors, act, says):
    program = Program.parse(LEAN)
    evaluator = WorkerExecutor(STRICT)
    with pytest.raises(EvaluatorFailed, match=says) as caught:
        evaluator.run(
            partial(hostile_workers.playing, act, "0123456789abcdef"),
            [program.flow] * 4,
            program.card,
            EpisodeSettings("standard", (0,)),
            hooks=ExecutionHooks(),
            resources=Resources(),
        )
    assert caught.value.steps >= hostile_workers.AFTER and not survivors()


@linux
def test_study_stops_if_its_initial_program_cannot_be_played(tmp_path, survivors):
    with pytest.raises(HLError, match="died of SIGSEGV"):
        study(
            tmp_path / "run",
            partial(hostile_workers.playing, hostile_workers.segfaults, "0123456789abcdef"),
            WorkerExecutor(STRICT),
        ).run()
    assert not survivors()
    (trial,) = trials(tmp_path / "run")
    assert trial.environment_steps >= hostile_workers.AFTER and "SIGSEGV" in trial.reason


_KILLED = """
import sys
from functools import partial
from tests.support import hostile_workers as hostile
from tests.synth.workers.test_hostile import study
study(sys.argv[1], partial(hostile.playing, getattr(hostile, sys.argv[2]), hostile.SOME)).run()
"""


def started(tmp_path, monkeypatch, act):
    """A study in its own process, whose worker has started the act."""
    monkeypatch.setenv("HL_TEST_FILE", str(tmp_path / "started"))
    parent = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(tmp_path / "run"), act], cwd=ROOT, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 240
    while not (tmp_path / "started").exists() and time.monotonic() < until and parent.poll() is None:
        time.sleep(0.05)
    assert (tmp_path / "started").exists()
    return parent


@linux
def test_descendants_of_a_worker_are_killed_when_the_study_is_killed(tmp_path, monkeypatch, survivors):
    """They are in sessions of their own, and one has an empty environment, so it is not marked."""
    parent = started(tmp_path, monkeypatch, "forks_and_reports")
    children = [int(one) for one in (tmp_path / "started").read_text().split()]
    assert len(children) == 2 and all(Path(f"/proc/{one}").exists() for one in children)
    assert not Path(f"/proc/{children[1]}/environ").read_bytes().strip(b"\0")
    parent.kill()
    killed = time.monotonic()
    parent.communicate(timeout=60)
    while (survivors() or any(Path(f"/proc/{one}").exists() for one in children)) and time.monotonic() < killed + 30:
        time.sleep(0.02)
    left = survivors(), [one for one in children if Path(f"/proc/{one}").exists()]
    # The worker's own deadline is a minute, so the supervisor killed it.
    assert left == (set(), []) and time.monotonic() - killed < 10


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_killed_study_leaves_no_process_and_can_be_resumed(tmp_path, monkeypatch, survivors, number):
    """The study is killed while its worker hangs."""
    expected = study(tmp_path / "whole", evaluator=InProcessExecutor()).run()
    parent = started(tmp_path, monkeypatch, "sleeps_and_reports")
    assert len(survivors()) == 3  # the study, the supervisor and the worker
    parent.send_signal(number)
    parent.communicate(timeout=120)
    until = time.monotonic() + 30
    while survivors() and time.monotonic() < until:
        time.sleep(0.05)
    assert not survivors()
    result = study(tmp_path / "run", evaluator=InProcessExecutor()).resume()
    assert verdicts(tmp_path / "run") == verdicts(tmp_path / "whole") and result.best_text == expected.best_text
    assert result.lost_steps >= hostile_workers.AFTER
