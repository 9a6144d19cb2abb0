"""Work in a forked process: the same result as without it, even if the process is killed."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, prove
from hl_dsl.verify.methods.background_task import BackgroundTask
from tests.support.paths import VERDICTS

HARD = (
    "unknown/needle",
    "not-inductive/seldom_together",
    "violated/target_reached",
    "proved/target_reached",
    "unconfirmed/absorbed",
)


@pytest.mark.parametrize("fork", [False, True])
def test_result_is_that_of_the_work(fork):
    with BackgroundTask(lambda: {"a": [1.5, None]}, fork) as work:
        assert work.result() == {"a": [1.5, None]}


def test_forked_work_runs_in_another_process():
    with BackgroundTask(os.getpid, True) as work:
        assert work.result() != os.getpid()


def test_work_runs_again_if_its_process_is_killed():
    here = os.getpid()

    def dies():
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    with BackgroundTask(dies, True) as work:
        assert work.result() == "done"


def test_error_of_the_work_is_raised():
    def fails():
        raise ValueError("no")

    with BackgroundTask(fails, True) as work, pytest.raises(ValueError, match="no"):
        work.result()


def test_unused_work_is_killed():
    with BackgroundTask(lambda: time.sleep(60), True) as work:
        process, _ = work._child
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize("name", HARD)
def test_verdicts_do_not_depend_on_the_number_of_processes(name):
    flow = Program.load(VERDICTS / f"{name}.hl").flow
    alone, together = (prove(flow, ProofLimits(processes=count)) for count in (1, 2))
    assert [replace(one, seconds=0.0) for one in together.results] == [
        replace(one, seconds=0.0) for one in alone.results
    ]
