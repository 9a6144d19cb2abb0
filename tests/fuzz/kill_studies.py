"""Studies that are killed at random moments and go on: `python -m tests.fuzz.kill_studies`, or `make kills`.

    python -m tests.fuzz.kill_studies                   # 100 kills
    python -m tests.fuzz.kill_studies 20 --seed 7

A moment is a time, a place in the work (so that the short stretches in which episodes are played are met too), or a place
in a call, of which the server is then working on the answer. Half of the kills hit a study that plays a recorded run back, half one that asks a server on loopback. After each, the study
goes on (and is killed again, now and then), and must come to the proposals, verdicts and best program of a study that
was left alone; no settled call is made again; what the kill cut off is listed. The exit code is 1 where one does not.
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

from hl_dsl.synth.environments.environments import load_simulator
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.retries import RetryPolicy
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.search.study import Study

from hl_dsl import compiler, synth, verify
from hl_dsl.program import Program
from tests.support.model_server import Act, ModelServer, good
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
        patience=RetryPolicy(first_wait=0.01),
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
    """A script without an end: the reply hangs on the prompt alone, so a study that asks again gets the same."""

    def __init__(self, server: ModelServer):
        self.server = server

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, place: int) -> Act:
        asked = self.server.requests[-1][1]["input"][0]["content"][0]["text"]
        chosen = hashlib.sha256(asked.encode()).digest()[0]
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


def go_on(make: Make, path: Path, last_event: int = 0) -> None:
    """To the end, or to the event of that number, of those that tell of a call where it is negative (0: there is none)."""
    told = calls = 0

    def count(event) -> None:
        nonlocal told, calls
        told += 1
        calls += event["event"] == "call"
        if told == last_event or calls and calls == -last_event:
            os.kill(os.getpid(), signal.SIGKILL)

    study = make(path, count)
    # A kill may come before the first file was written.
    result = study.resume() if (study.path / "run.json").exists() else study.run()
    assert result.proved
    (study.path / "events").write_text(str(told))


def killed(make: Make, path: Path, after: float | int) -> bool:
    """Whether the study was still at it after so many seconds, or events where that is a whole number."""
    child = in_child(go_on, make, path, after if type(after) is int else 0)
    if type(after) is float:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def finished(make: Make, path: Path) -> float:
    """Runs to the end; the seconds it took."""
    began = time.monotonic()
    code = os.waitstatus_to_exitcode(os.waitpid(in_child(go_on, make, path), 0)[1])
    assert code == 0, f"a study that goes on ended with code {code}"
    return time.monotonic() - began


def compare(whole: Path, cut: Path) -> tuple[int, int]:
    """Raises AssertionError where the two runs differ; how many steps and how many calls the kills cut off."""
    left_alone, went_on = Run(whole), Run(cut)
    assert went_on.verdicts == left_alone.verdicts, "the verdicts differ"
    assert generations(went_on) == generations(left_alone), "the proposals differ"
    assert (cut / "best.hl").read_bytes() == (whole / "best.hl").read_bytes(), "the best programs differ"
    of_cut = [
        one["environment_steps"] for one in went_on.events if one["event"] == "trial" and one["kind"] == "interrupted"
    ]
    assert sum(trial.environment_steps for trial in went_on.trials) == sum(
        trial.environment_steps for trial in left_alone.trials
    )
    assert len(went_on.reserved) == len(went_on.settled), "a call is open"
    answered = [one["trial"] for one in went_on.settled if one["outcome"] == "answered"]
    assert len(set(answered)) == len(answered), "a settled call was made again"
    assert set(answered) == {one["trial"] for one in left_alone.settled if one["outcome"] == "answered"}
    cut_off = [one for one in went_on.settled if one["outcome"] == "cut off"]
    assert all(one["estimated"] and one["tokens"] > 0 for one in cut_off)
    assert {one["outcome"] for one in went_on.settled} <= {"answered", "cut off"}
    return sum(of_cut), len(cut_off)


def generations(run: Run) -> list:
    return [
        [(one["index"], one["origin"], one["hash"]) for one in event["proposals"]]
        for event in run.events
        if event["event"] == "generation"
    ]


def _import_all() -> None:
    """Once, instead of in every child; and a file that is edited meanwhile changes nothing."""
    for name in ("openai", "numba", "matplotlib.figure"):
        importlib.import_module(name)
    for package in (compiler, verify, synth):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)


def kill_and_go_on(kills: int, seed: int, folder: Path, say=print) -> None:
    load_simulator()
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
            asked = len(server.requests)
            finished(makers[name], path)
            cut_steps, cut_calls = compare(folder / name, path)
            steps, calls = steps + cut_steps, calls + cut_calls
            assert name == "openai" or len(server.requests) == asked
            if number % 10 == 0:
                say(f"{done} kills, {number} studies went on; cut off and listed: {steps:,} steps, {calls} calls")
    say(
        f"{done} kills (seed {seed}), {early} before the first event; {number} studies came to the same end. "
        f"Cut off and listed: {steps:,} environment steps, {calls} calls; none made again"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", nargs="?", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            kill_and_go_on(chosen.kills, chosen.seed, Path(folder), lambda text: print(text, flush=True))
        except AssertionError as problem:
            print(f"FAILED (seed {chosen.seed}): {problem}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
