"""Studies that are killed at random moments and resumed: `python -m tests.fuzz.kill_studies`, or `make kills`.

    python -m tests.fuzz.kill_studies                   # 100 kills
    python -m tests.fuzz.kill_studies 20 --seed 7

A moment is a time, an event (so that the short stretches of evaluation are hit too), or a call that the server is
answering. Half of the kills hit a study that replays a recorded run, half one that calls a server on loopback. After
each kill the study is resumed, and sometimes killed again. It must reach the proposals, verdicts and best program of a
study that ran without interruption. No settled call is made again, and interrupted work is recorded. The exit code is 1
otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import pkgutil
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hl_dsl import compiler, synth, verify
from hl_dsl.program import Program
from hl_dsl.synth.environments.backends.envpool_backend import EnvPoolBackend
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.retries import RetryPolicy
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.search.study import Study
from tests.support.model_server import ModelServer, good
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.conftest import BROKEN, SAME, UNPROVED, Run, leaning

STEPS = 3_000
PROGRAMS = 14
OnEvent = Callable[[dict], None]
Make = Callable[[Path, OnEvent], Study]
TEXTS = [BROKEN, UNPROVED, SAME, *(leaning(f"0.0{place}", f"idea {place}") for place in range(1, 10))]


def recorded(folder: Path, on_event: OnEvent) -> Study:
    return search_study(Program.parse(LEAN), "standard", folder, Budget(steps=STEPS), seed=1, on_event=on_event)


def replayed(folder: Path, of: Path, on_event: OnEvent) -> Study:
    options = ProposerOptions(replayed=of)
    return search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        Budget(steps=STEPS * 2),
        seed=1,
        proposer="replay",
        options=options,
        on_event=on_event,
    )


def asking(folder: Path, url: str, on_event: OnEvent) -> Study:
    options = ProposerOptions(
        model="scripted",
        base_url=url,
        api_key="key",
        grammar=lambda card: "start: /a/",
        retry_policy=RetryPolicy(first_wait=0.01),
    )
    return search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        Budget(programs=PROGRAMS),
        seed=1,
        proposer="openai",
        seeds=(0, 1, 2),
        options=options,
        on_event=on_event,
    )


class Answering(list):
    """An endless script: the reply depends on the prompt alone, so a study that repeats a call gets the same reply."""

    def __init__(self, server: ModelServer):
        self.server = server

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, place: Any) -> Any:
        prompt = self.server.requests[-1][1]["input"][0]["content"][0]["text"]
        chosen = hashlib.sha256(prompt.encode()).digest()[0]
        return good(TEXTS[chosen % len(TEXTS)], drips=0.002 if chosen % 3 == 0 else 0.0)


def in_child(work, *arguments) -> int:
    """The process id of a child that does the work. It has its own simulator and dies alone."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def run_to_end(make: Make, path: Path, last_event: int = 0) -> None:
    """Runs to the end, or to event number `last_event` (negative: to that number of calls; 0: to the end)."""
    events = calls = 0

    def count(event) -> None:
        nonlocal events, calls
        events += 1
        calls += event["event"] == "call"
        if events == last_event or calls and calls == -last_event:
            os.kill(os.getpid(), signal.SIGKILL)

    study = make(path, count)
    # A kill may come before the first file was written.
    result = study.resume() if (study.kind.inputs.folder / "run.json").exists() else study.run()
    assert result.proved
    (study.kind.inputs.folder / "events").write_text(str(events))


def killed(make: Make, path: Path, after: float | int) -> bool:
    """Returns whether the study was killed after so many seconds (float) or events (int)."""
    child = in_child(run_to_end, make, path, after if type(after) is int else 0)
    if type(after) is float:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def finished(make: Make, path: Path) -> float:
    """Runs to the end and returns the seconds."""
    start = time.monotonic()
    code = os.waitstatus_to_exitcode(os.waitpid(in_child(run_to_end, make, path), 0)[1])
    assert code == 0, f"a resumed study ended with code {code}"
    return time.monotonic() - start


def compare(whole: Path, cut: Path) -> tuple[int, int]:
    """Returns the steps and the calls that the kills interrupted. Raises AssertionError if the two runs differ."""
    uninterrupted, resumed = Run(whole), Run(cut)
    assert resumed.verdicts == uninterrupted.verdicts, "the verdicts differ"
    assert generations(resumed) == generations(uninterrupted), "the proposals differ"
    assert (cut / "best.hl").read_bytes() == (whole / "best.hl").read_bytes(), "the best programs differ"
    of_cut = [
        one["environment_steps"] for one in resumed.events if one["event"] == "trial" and one["kind"] == "interrupted"
    ]
    assert sum(trial.environment_steps for trial in resumed.trials) == sum(
        trial.environment_steps for trial in uninterrupted.trials
    )
    assert len(resumed.reserved) == len(resumed.settled), "a call is open"
    answered = [one["trial"] for one in resumed.settled if one["outcome"] == "answered"]
    assert len(set(answered)) == len(answered), "a settled call was made again"
    assert set(answered) == {one["trial"] for one in uninterrupted.settled if one["outcome"] == "answered"}
    cut_off = [one for one in resumed.settled if one["outcome"] == "cut off"]
    assert all(one["estimated"] and one["tokens"] > 0 for one in cut_off)
    assert {one["outcome"] for one in resumed.settled} <= {"answered", "cut off"}
    return sum(of_cut), len(cut_off)


def generations(run: Run) -> list:
    return [
        [(one["index"], one["origin"], one["hash"]) for one in event["proposals"]]
        for event in run.events
        if event["event"] == "generation"
    ]


def _import_all() -> None:
    """Imports once, not in every child, so that an edit of a file during the run has no effect."""
    for name in ("openai", "numba", "matplotlib.figure"):
        importlib.import_module(name)
    for package in (compiler, verify, synth):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def kill_and_resume(kills: int, seed: int, folder: Path, say=print) -> None:
    EnvPoolBackend.load()
    _import_all()
    draw = random.Random(seed)
    finished(recorded, folder / "recorded")
    with ModelServer([]) as server:
        server.script = Answering(server)
        makers = {
            "replay": lambda path, on_event: replayed(path, folder / "recorded", on_event),
            "openai": lambda path, on_event: asking(path, server.url, on_event),
        }
        lengths = {name: finished(make, folder / name) for name, make in makers.items()}
        events = {name: int((folder / name / "events").read_text()) for name in makers}
        done = early = steps = calls = 0
        number = 0
        while done < kills:
            name = ("replay", "openai")[number % 2]
            path = folder / f"{name}-{number}"
            number += 1
            for _ in range(draw.choice((1, 1, 2))):
                kind = draw.randrange(3 if name == "openai" else 2)
                moment = (
                    draw.uniform(0.0, lengths[name])
                    if kind == 0
                    else draw.randint(1, events[name])
                    if kind == 1
                    else -draw.randint(1, PROGRAMS - 1)
                )
                if killed(makers[name], path, moment):
                    done += 1
                    early += not Ledger(path / "trials.jsonl").read()
            requests = len(server.requests)
            finished(makers[name], path)
            cut_steps, cut_calls = compare(folder / name, path)
            steps, calls = steps + cut_steps, calls + cut_calls
            assert name == "openai" or len(server.requests) == requests
            if number % 10 == 0:
                say(f"{done} kills, {number} studies resumed; interrupted and recorded: {steps:,} steps, {calls} calls")
    say(
        f"{done} kills (seed {seed}), {early} before the first event; {number} studies reached the same result. "
        f"Interrupted and recorded: {steps:,} environment steps, {calls} calls; none made again"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", nargs="?", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            kill_and_resume(chosen.kills, chosen.seed, Path(folder), lambda text: print(text, flush=True))
        except AssertionError as problem:
            print(f"FAILED (seed {chosen.seed}): {problem}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
