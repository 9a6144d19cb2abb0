"""Proposer `openai`: prompts, repairs, recorded tokens, and options."""

import pytest

from hl_dsl.base.errors import HLError
from hl_dsl.synth.proposers.llm.response_formats import TOOL
from hl_dsl.synth.proposers.registry import proposer_named
from hl_dsl.synth.proposers.text.options import ProposerOptions
from tests.support.model_server import ModelServer, good
from tests.support.model_studies import GRAMMAR, study
from tests.support.step_counter import steps_taken
from tests.synth.proposers.conftest import BEST, BETTER, BROKEN, MISTYPED, SAME, UNPROVED, Run


def test_rejected_texts_are_returned_with_the_full_message(tmp_path):
    with ModelServer([good(BROKEN), good(UNPROVED), good(BEST)]) as server:
        study(tmp_path / "run", server, programs=4).run()
    run = Run(tmp_path / "run")
    assert run.gates == ["accepted", "parse", "prove", "accepted"]
    asked = [body["input"][0]["content"][0]["text"] for _, body, _ in server.requests]
    assert run.trials[1].reason in asked[1] and "^^^^^" in asked[1]
    assert "the divisor is not zero" in asked[2] and UNPROVED in asked[2]
    assert [body["instructions"] for _, body, _ in server.requests] == [server.requests[0][1]["instructions"]] * 3


def test_number_of_repairs_is_bounded(tmp_path):
    with ModelServer([good(BROKEN.replace("0.1", f"0.{place}")) for place in range(1, 8)]) as server:
        study(tmp_path / "run", server, programs=6, repairs=1).run()
    bodies = [body["input"][0]["content"][0]["text"] for _, body, _ in server.requests]
    assert ["## Last proposal" in body for body in bodies] == [False, True, False, True, False]


def test_grammar_is_sent_as_the_format_of_the_tool(tmp_path):
    with ModelServer([good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2).run()
    path, body, headers = server.requests[0]
    assert (
        path == "/v1/responses"
        and {name.lower(): value for name, value in headers.items()}["authorization"] == "Bearer secret-key"
    )
    assert body["tools"][0]["format"] == {"type": "grammar", "syntax": "lark", "definition": GRAMMAR}
    assert body["tools"][0]["type"] == "custom" and body["tool_choice"] == {"type": "custom", "name": TOOL}
    assert body["stream"] is True and body["max_output_tokens"] == 500


def test_received_tokens_are_reported(tmp_path):
    events = []
    with ModelServer([good(BEST, drips=0.05)]) as server:
        study(tmp_path / "run", server, programs=2, on_event=events.append).run()
    calls = [event for event in events if event["event"] == "call"]
    assert calls and calls[0]["model"] == "scripted" and calls[-1]["tokens"] > 0


def test_no_step_is_taken_before_the_proof(tmp_path):
    from hl_dsl.synth.candidates import gates

    real, counts = gates.Gates.prove, []

    def watched(self, candidate):
        counts.append(steps_taken())
        return real(self, candidate)

    gates.Gates.prove = watched
    try:
        with ModelServer(
            [good(BROKEN), good(MISTYPED), good(UNPROVED), good(UNPROVED.replace("0.1", "0.2"))]
        ) as server:
            before = steps_taken()
            result = study(tmp_path / "run", server, programs=5, repairs=0).run()
    finally:
        gates.Gates.prove = real
    assert len(counts) == 2, "two of the texts reached the proof"
    assert Run(tmp_path / "run").gates == ["accepted", "parse", "check", "prove", "prove"]
    # Only the initial program was evaluated, before any text was requested.
    assert {steps - before for steps in counts} == {steps_taken() - before} == {result.env_steps}


def test_two_proposers_alternate_and_the_study_resumes(tmp_path):
    script = [good(BETTER), good(BEST), good(SAME)]
    with ModelServer(script) as server:
        whole = study(tmp_path / "whole", server, steps=6_000, programs=60, proposer="local,openai").run()
    run = Run(tmp_path / "whole")
    by_generation = [call["proposals"] for call in run.events if call["event"] == "generation"]
    of = {trial.index: trial.proposer for trial in run.trials}
    assert {of[call["index"]] for call in by_generation[1]} == {"local"} and {
        of[call["index"]] for call in by_generation[2]
    } == {"openai"}
    with ModelServer([]) as silent:
        again = study(tmp_path / "whole", silent, steps=6_000, programs=60, proposer="local,openai").resume()
    assert again.best_text == whole.best_text and Run(tmp_path / "whole").verdicts == run.verdicts


@pytest.mark.parametrize(
    "more, message",
    [({"model": None}, "needs a model"), ({"base_url": None, "api_key": None}, "key of the model's server is missing")],
)
def test_missing_options_are_reported_before_anything_is_written(tmp_path, more, message, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    options = ProposerOptions(**{"model": "m", "base_url": "http://127.0.0.1:9/v1"} | more)
    with pytest.raises(HLError, match=message):
        proposer_named("openai", options)
    assert not list(tmp_path.iterdir())
