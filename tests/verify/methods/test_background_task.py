"""Work in a process of its own: the same result, whatever becomes of the process."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest
from hl_dsl.verify import ProofLimits, prove
from hl_dsl.verify.methods.background_task import BackgroundTask

from hl_dsl.program import Program
from tests.support.paths import VERDICTS

HARD = (
    "unknown/needle",
    "not-inductive/seldom_together",
    "violated/target_reached",
    "proved/target_reached",
    "unconfirmed/absorbed",
)


@pytest.mark.parametrize("fork", [False, True])
def test_the_result_is_the_works(fork):
    with BackgroundTask(lambda: {"a": [1.5, None]}, fork) as work:
        assert work.result() == {"a": [1.5, None]}


def test_it_runs_in_another_process():
    with BackgroundTask(os.getpid, True) as work:
        assert work.result() != os.getpid()


def test_a_process_that_is_killed_is_made_good():
    here = os.getpid()

    def dies():
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    with BackgroundTask(dies, True) as work:
        assert work.result() == "done"


def test_what_the_work_raises_is_raised():
    def fails():
        raise ValueError("no")

    with BackgroundTask(fails, True) as work, pytest.raises(ValueError, match="no"):
        work.result()


def test_what_is_not_wanted_is_stopped():
    with BackgroundTask(lambda: time.sleep(60), True) as work:
        process, _ = work._child
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize("name", HARD)
def test_no_verdict_depends_on_it(name):
    flow = Program.load(VERDICTS / f"{name}.hl").flow
    alone, together = (prove(flow, ProofLimits(processes=count)) for count in (1, 2))
    assert [replace(one, seconds=0.0) for one in together.results] == [
        replace(one, seconds=0.0) for one in alone.results
    ]
