"""Replayed studies: the same proposals and results, without calls."""

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from hl_dsl.synth.proposers.registry import proposer_named
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.runs.ledger import Ledger
from tests.support.model_server import ModelServer, good
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.conftest import BEST, BETTER, BROKEN, SAME, UNPROVED, Run


def replay(folder, of, steps=20_000, **more):
    return search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        Budget(steps=steps),
        proposer="replay",
        options=ProposerOptions(replayed=of),
        **more,
    )


def without_reasons(run):
    """A text that stops at the check has more to say than a mutation that does."""
    return {index: (*one[:5], *one[6:9]) for index, one in run.verdicts.items()}


def test_a_local_study_is_replayed(tmp_path):
    local = search_study(Program.parse(LEAN), "standard", tmp_path / "local", Budget(steps=4_000), seed=3).run()
    before = steps_taken()
    again = replay(tmp_path / "again", tmp_path / "local", 4_000, seed=3).run()
    assert again.stop_reason == local.stop_reason and steps_taken() - before == again.env_steps == local.env_steps
    assert (again.program_hash, again.score) == (local.program_hash, local.score)
    recorded, played = Run(tmp_path / "local"), Run(tmp_path / "again")
    assert without_reasons(recorded) == without_reasons(played)
    assert {"duplicate", "accepted"} <= set(played.gates) and len(played.gates) > 12


def test_a_paid_study_is_replayed_without_calls(tmp_path):
    options = ProposerOptions(model="m", api_key="key", grammar=lambda card: "start: /a/")
    with ModelServer([good(one) for one in (BROKEN, BETTER, UNPROVED, BEST, SAME)]) as server:
        paid = search_study(
            Program.parse(LEAN),
            "standard",
            tmp_path / "paid",
            Budget(steps=20_000),
            proposer="openai",
            seeds=(0, 1),
            options=ProposerOptions(**vars(options) | {"base_url": server.url}),
        ).run()
    again = replay(tmp_path / "again", tmp_path / "paid", seeds=(0, 1)).run()
    assert again.calls is None and paid.calls["answered"] == 5
    assert Run(tmp_path / "paid").verdicts == Run(tmp_path / "again").verdicts
    assert again.best_text.splitlines()[3:] == paid.best_text.splitlines()[3:]


def test_the_recorded_ledger_is_read_once(tmp_path, monkeypatch):
    search_study(Program.parse(LEAN), "standard", tmp_path / "local", Budget(steps=1_000), seed=3, seeds=(0, 1)).run()
    read, real = [], Ledger.read
    monkeypatch.setattr(Ledger, "read", lambda self: read.append(self.path) or real(self))
    study = replay(tmp_path / "again", tmp_path / "local", 1_000, seed=3, seeds=(0, 1))
    study.run()
    assert read.count(tmp_path / "local" / "trials.jsonl") == 1
    # One that proposed before is not asked again.
    study.resume()
    assert read.count(tmp_path / "local" / "trials.jsonl") == 2


def test_replay_needs_a_recorded_search(tmp_path):
    with pytest.raises(HLError, match="needs a recorded run"):
        proposer_named("replay")
    with pytest.raises(HLError, match="does not hold a recorded search"):
        proposer_named("replay", ProposerOptions(replayed=tmp_path))


def test_a_replay_resumes_only_with_the_same_recorded_study(tmp_path):
    for seed in (1, 2):
        search_study(
            Program.parse(LEAN), "standard", tmp_path / str(seed), Budget(steps=1_000), seed=seed, seeds=(0,)
        ).run()
    replay(tmp_path / "run", tmp_path / "1", seeds=(0,)).run()
    with pytest.raises(HLError, match="holds another run: its proposer's replayed run is"):
        replay(tmp_path / "run", tmp_path / "2", seeds=(0,)).resume()
