"""Executor that all studies of a test session share. A worker takes seconds to start."""

import pytest

from hl_dsl.synth.rollouts.executor import Executor
from hl_dsl.synth.search import study_kind
from hl_dsl.synth.workers import worker_executor
from hl_dsl.synth.workers.limits import WorkerLimits
from hl_dsl.synth.workers.worker_executor import WorkerExecutor


class SharedExecutor(Executor):
    """Keeps the worker when one study of the session closes it."""

    def __init__(self, executor: WorkerExecutor):
        self.executor = executor

    def run(self, function, *arguments, hooks, **options):
        return self.executor.run(function, *arguments, hooks=hooks, **options)

    def release(self):
        self.executor.release()

    def close(self):
        self.executor.release()


@pytest.fixture(scope="session")
def session_executor():
    executor = WorkerExecutor()
    yield executor
    executor.close()


@pytest.fixture(autouse=True)
def studies_share_a_worker(session_executor, monkeypatch):
    """Studies that would start a worker with the usual limits get the session's."""

    def executor(limits=None):
        return SharedExecutor(session_executor) if limits in (None, WorkerLimits()) else WorkerExecutor(limits)

    for module in (study_kind, worker_executor):
        monkeypatch.setattr(module, "WorkerExecutor", executor)
