"""Benchmark of random edits: both controllers, the edits, and the recorded results."""

import ast

import pytest

from benchmarks.edit_rollouts import HANGS, LEAVES, PLAYS, play_python
from benchmarks.edits import POLICY, Kept, as_hl, as_python, table
from benchmarks.free_form import CONTROLLER
from benchmarks.free_form_edits import KINDS, edits
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.executor import ExecutionHooks, InProcessExecutor
from hl_dsl.synth.rollouts.rollout import evaluate

QUIET = {"hooks": ExecutionHooks()}


class ByHand:
    """The Python controller next to the HL policy. Records the actions of both at every tick."""

    def __init__(self):
        space = {}
        exec(CONTROLLER, space)
        self.act, self.policy, self.memory = space["act"], Program.load(POLICY).compile(), {}
        self.actions = []

    def __getattr__(self, name):
        return getattr(self.policy, name)

    def tick(self, frame):
        actions = self.policy.tick(frame)
        self.actions.append((self.act(frame.ram[0].tolist(), float(frame.reward[0]), self.memory), int(actions[0])))
        return actions


def test_python_and_hl_controller_choose_the_same_actions():
    both = ByHand()
    rollout = evaluate(both, Program.load(POLICY).card, EpisodeSettings("deterministic", [0], max_steps=2_000))
    assert rollout.returns[0] > 10 and len(both.actions) == 2_000
    assert all(python == hl for python, hl in both.actions)


def test_edits_are_distinct_and_depend_only_on_the_seed():
    first = list(edits(CONTROLLER, 150, seed=1))
    assert first == list(edits(CONTROLLER, 150, seed=1)) != list(edits(CONTROLLER, 150, seed=2))
    assert len({text for _, text in first}) == 150 and {kind for kind, _ in first} == set(KINDS)
    assert ast.unparse(ast.parse(CONTROLLER)) not in {text for _, text in first}


@pytest.mark.parametrize("act, outcome", [("return 2", LEAVES), ("return 1", LEAVES), ("return 0", PLAYS)])
def test_action_outside_the_bounds_is_detected(act, outcome):
    assert (
        play_python(
            f"def act(ram, reward, memory):\n    if ram[101] == 0:\n        return 1\n    {act}", 120, **QUIET
        ).outcome
        == outcome
    )


@pytest.mark.parametrize(
    "act, why",
    [
        ("return 4", "no action"),
        ("pass", "no action"),
        ("return 1 / 0", "ZeroDivisionError"),
        ("return nothing", "NameError"),
    ],
)
def test_crash_is_reported_with_its_cause(act, why):
    played = play_python(f"def act(ram, reward, memory):\n    {act}", 120, **QUIET)
    assert (played.outcome, played.steps, played.why) == ("crashes", 0, why)


def test_small_measurement_counts_every_edit_of_both_languages(monkeypatch):
    monkeypatch.setattr("benchmarks.edits.WorkerExecutor", lambda limits: InProcessExecutor())
    # Edits run in this process here, so they must not hang. The first four of seed 0 do not.
    rows = [as_hl(2, 40, 0, lambda text: None, Kept(None, {})), as_python(4, 40, 0, lambda text: None, Kept(None, {}))]
    hl, python = rows
    assert hl["played"] + sum(hl["stopped_at"].values()) == 2 and python["played"] == 4
    assert (
        hl["steps_on_rejected_edits"] == 0
        and hl["outcomes"]["crashes"] == hl["outcomes"]["hangs"] == hl["outcomes"][LEAVES] == 0
    )
    assert sum(hl["steps"].values()) == 40 * hl["played"]
    assert "| HL, proved programs evaluated | " in table(rows)


def test_action_that_exceeds_its_time_is_a_hang(monkeypatch):
    monkeypatch.setattr("benchmarks.edit_rollouts.ACTION_SECONDS", 0.05)
    played = play_python("def act(ram, reward, memory):\n    while True:\n        pass", 120, **QUIET)
    assert (played.outcome, played.steps) == (HANGS, 0)


def test_interrupted_measurement_resumes_from_recorded_results(tmp_path, monkeypatch):
    path, about = tmp_path / "edits.jsonl", {"edits": "python"}
    monkeypatch.setattr("benchmarks.edits.WorkerExecutor", lambda limits: InProcessExecutor())
    first = as_python(4, 40, 0, lambda text: None, Kept(path, about))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:9])  # the last line is incomplete
    kept, played = Kept(path, about), []
    monkeypatch.setattr(
        "benchmarks.edits.play_python", lambda *given, **hooks: played.append(1) or play_python(*given, **hooks)
    )
    assert len(kept.known) == 3 and as_python(4, 40, 0, lambda text: None, kept) == first and len(played) == 1
    assert Kept(path, {"edits": "another"}).known == {}
