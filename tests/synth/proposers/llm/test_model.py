"""A model behind an API: whatever its server does, the study ends where the clean script ends, and each call is on record."""

import pytest
from hl_dsl.synth.proposers.llm.response_formats import RESPONSE_FORMATS, TOOL
from hl_dsl.synth.proposers.registry import proposer_named
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.prices import Prices
from hl_dsl.synth.proposers.text.retries import RetryPolicy
from hl_dsl.synth.runs.budget import Budget

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from tests.support.model_server import ModelServer, good, status
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.conftest import BEST, BETTER, BROKEN, MISTYPED, SAME, UNPROVED, Run

GRAMMAR = 'start: "policy" /(.|\\n)*/'
QUICK = RetryPolicy(first_wait=0.001, longest_wait=0.002)
BEST_HASH = Program.parse(BEST).hash


def study(
    folder, server, *, steps=20_000, programs=None, tokens=None, cost=None, proposer="openai", on_event=None, **more
):
    options = ProposerOptions(
        **{
            "model": "scripted",
            "base_url": server.url,
            "api_key": "secret-key",
            "grammar": lambda card: GRAMMAR,
            "retry_policy": QUICK,
            "prices": Prices(2.0, 8.0),
            "max_output_tokens": 500,
        }
        | more
    )
    budget = Budget(steps=steps, programs=programs, tokens=tokens, cost=cost)
    return search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        budget,
        proposer=proposer,
        seeds=(0, 1),
        options=options,
        on_event=on_event,
    )


def only_chat(path, body):
    return (404, "no such endpoint") if path.endswith("/responses") else None


def only_text(path, body):
    if path.endswith("/responses"):
        return 404, "no such endpoint"
    return (
        (400, "this server knows messages only")
        if {"tools", "structured_outputs", "response_format"} & set(body)
        else None
    )


FAULTS = {
    "clean": [],
    "rate limit": [status(429, "slow down", Retry_After="0")],
    "errors": [status(500), status(503), status(502)],
    "breaks off": [good(BEST, breaks_off=True)],
    "malformed": [good(raw=b"data: {not json\n\n", text="")],
    "a page": [good("", raw=b"<html>at your service</html>", raw_type="text/html")],
    "nothing": [good("", raw=b"")],
    "empty": [good("", words=True)],
    "an error in the stream": [
        good("", raw=b'data: {"type": "error", "error": {"message": "overloaded"}, "message": "overloaded"}\n\n')
    ],
    "slow": [good(BEST, trickles=30.0)],
    "no usage": [good(BETTER.replace("0.01", "0.005"), usage=False)],
    "whole": [good(BETTER.replace("0.01", "0.005"), whole=True)],
    "wrong": [good(BROKEN), good(MISTYPED)],
    "not proved": [good(UNPROVED)],
    "truncated": [good(BEST[:120], truncated=True)],
    "words": [good("I would rather not.", words=True)],
    "fenced": [good(f"Here it is:\n\n```hl\n{BETTER.replace('0.01', '0.005')}```\n\nGood luck!", words=True)],
    "another environment": [good(BEST.replace("CartPole-v1", "Acrobot-v1").replace("pole.angle", "joint.angle"))],
    "unreadable": [good("policy \x00 \u202e " + "(" * 500)],
}


OF_CHAT = (
    "clean",
    "breaks off",
    "malformed",
    "nothing",
    "empty",
    "slow",
    "no usage",
    "whole",
    "wrong",
    "truncated",
    "words",
)
OF_TEXT = ("clean", "empty", "wrong", "truncated", "words", "fenced")
CASES = (
    [("responses", fault) for fault in FAULTS]
    + [("chat", fault) for fault in OF_CHAT]
    + [("text", fault) for fault in OF_TEXT]
)
KNOWS = {"responses": lambda path, body: None, "chat": only_chat, "text": only_text}


def patience_with(fault: str) -> float:
    """Seconds for an attempt: few only where one is to come to its end, so that no other does on a machine that is busy."""
    return 3.0 if fault == "slow" else 60.0


@pytest.mark.parametrize("speaks, fault", CASES)
def test_the_study_ends_where_the_clean_script_ends(tmp_path, speaks, fault):
    with ModelServer([good(BETTER), *FAULTS[fault], good(BEST), good(SAME)], KNOWS[speaks]) as server:
        result = study(tmp_path / "run", server, timeout=patience_with(fault)).run()
    run = Run(tmp_path / "run")
    assert result.program_hash == BEST_HASH and result.score == 500 and result.proved
    assert "HTTP 403" in result.stop_reason
    # No call is unaccounted, and no token.
    assert len(run.reserved) == len(run.settled) == len(server.requests)
    assert all(
        one["tokens"] <= two["reserved_tokens"] and one["cost"] <= two["reserved_cost"]
        for one, two in zip(run.settled, run.reserved)
    )
    assert result.calls["calls"] == len(server.requests) and result.calls["tokens"] >= server.billed
    assert all(
        trial.environment_steps == 0 for trial in run.trials if trial.gate in ("parse", "check", "prove", "duplicate")
    )
    assert run.gates[-1] == "duplicate"
    assert "secret-key" not in (tmp_path / "run" / "trials.jsonl").read_text()


@pytest.mark.parametrize(
    "fault, count, estimated",
    [("rate limit", 1, False), ("errors", 3, None), ("breaks off", 1, True), ("malformed", 1, True), ("slow", 1, True)],
)
def test_each_attempt_is_on_record(tmp_path, fault, count, estimated):
    with ModelServer([*FAULTS[fault], good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2, timeout=patience_with(fault)).run()
    run = Run(tmp_path / "run")
    assert [(one["trial"], one["attempt"]) for one in run.settled] == [(1, attempt) for attempt in range(1, count + 2)]
    assert [one["outcome"] for one in run.settled] == ["failed"] * count + ["answered"]
    assert all(one["error"] for one in run.settled[:-1])
    if estimated is not None:
        assert run.settled[0]["estimated"] is estimated
        assert run.settled[0]["tokens"] == (run.reserved[0]["reserved_tokens"] if estimated else 0)
    assert run.trials[-1].tokens == sum(one["tokens"] for one in run.settled)


def test_usage_is_charged_as_told_or_as_reserved(tmp_path):
    with ModelServer([good(BETTER, input=1_000, output=200), good(BEST, usage=False)]) as server:
        result = study(tmp_path / "run", server, programs=3).run()
    told, untold = Run(tmp_path / "run").settled
    assert (told["tokens"], told["estimated"]) == (1_200, False)
    assert told["cost"] == pytest.approx(
        (1_000 * 2.0 + 200 * 8.0) / 1e6
    )  # no price for cached tokens: they cost what others do
    reserved = Run(tmp_path / "run").reserved[1]
    assert (untold["tokens"], untold["cost"], untold["estimated"]) == (
        reserved["reserved_tokens"],
        reserved["reserved_cost"],
        True,
    )
    assert result.calls["estimated"] == 1 and result.calls["tokens"] == 1_200 + untold["tokens"]


def test_what_stopped_goes_back_in_full(tmp_path):
    with ModelServer([good(BROKEN), good(UNPROVED), good(BEST)]) as server:
        study(tmp_path / "run", server, programs=4).run()
    run = Run(tmp_path / "run")
    assert run.gates == ["accepted", "parse", "prove", "accepted"]
    asked = [body["input"][0]["content"][0]["text"] for _, body, _ in server.requests]
    assert run.trials[1].reason in asked[1] and "^^^^^" in asked[1]
    assert "the divisor is not zero" in asked[2] and UNPROVED in asked[2]
    assert [body["instructions"] for _, body, _ in server.requests] == [server.requests[0][1]["instructions"]] * 3


def test_repairs_are_bounded(tmp_path):
    with ModelServer([good(BROKEN.replace("0.1", f"0.{place}")) for place in range(1, 8)]) as server:
        study(tmp_path / "run", server, programs=6, repairs=1).run()
    bodies = [body["input"][0]["content"][0]["text"] for _, body, _ in server.requests]
    assert ["## Last proposal" in one for one in bodies] == [False, True, False, True, False]


def test_the_grammar_is_the_tools_format(tmp_path):
    with ModelServer([good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2).run()
    path, body, headers = server.requests[0]
    assert (
        path == "/v1/responses"
        and {name.lower(): one for name, one in headers.items()}["authorization"] == "Bearer secret-key"
    )
    assert body["tools"][0]["format"] == {"type": "grammar", "syntax": "lark", "definition": GRAMMAR}
    assert body["tools"][0]["type"] == "custom" and body["tool_choice"] == {"type": "custom", "name": TOOL}
    assert body["stream"] is True and body["max_output_tokens"] == 500


def refusing(*taken):
    """A server that takes the named rungs only."""

    def fits(body):
        return {
            "responses-grammar": "input" in body,
            "chat-tool-grammar": "tools" in body and "messages" in body,
            "chat-server-grammar": "structured_outputs" in body,
            "chat-schema": body.get("response_format", {}).get("type") == "json_schema",
            "chat-json": body.get("response_format", {}).get("type") == "json_object",
            "chat-text": not {"tools", "structured_outputs", "response_format", "input"} & set(body),
        }

    def knows(path, body):
        rung = next(name for name, holds in fits(body).items() if holds)
        return None if rung in taken else (400, f"{rung} is not known here")

    return knows


@pytest.mark.parametrize("place", range(len(RESPONSE_FORMATS)), ids=[one.name for one in RESPONSE_FORMATS])
def test_the_ladder_goes_down_to_what_the_server_takes(tmp_path, place):
    rung = RESPONSE_FORMATS[place].name
    with ModelServer([good(BETTER), good(BEST)], refusing(rung)) as server:
        result = study(tmp_path / "run", server, programs=3).run()
    run = Run(tmp_path / "run")
    assert result.score == 500
    assert [one["response_format"] for one in run.settled] == [one.name for one in RESPONSE_FORMATS[:place]] + [
        rung,
        rung,
    ]
    assert [one["outcome"] for one in run.settled] == ["failed"] * place + ["answered"] * 2
    assert [one["tokens"] for one in run.settled[:place]] == [0] * place, "a refusal is not billed"


def test_without_a_grammar_only_the_rungs_that_need_none_are_tried(tmp_path):
    with ModelServer([good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2, grammar=lambda card: None).run()
    assert [one["response_format"] for one in Run(tmp_path / "run").settled] == ["chat-schema"]


@pytest.mark.parametrize(
    "field, message",
    [
        ("stream_options", "Unrecognized field: stream_options"),
        ("max_tokens", "use 'max_completion_tokens', not 'max_tokens'"),
        ("parallel_tool_calls", "parallel_tool_calls is not supported"),
    ],
)
def test_a_field_that_is_complained_of_is_left_out(tmp_path, field, message):
    def knows(path, body):
        return only_chat(path, body) or ((400, message) if field in body else None)

    with ModelServer([good(BEST)], knows) as server:
        study(tmp_path / "run", server, programs=2).run()
    assert [one["response_format"] for one in Run(tmp_path / "run").settled] == [
        "responses-grammar",
        "chat-tool-grammar",
        "chat-tool-grammar",
    ]


def test_replies_without_a_program_lead_down(tmp_path):
    with ModelServer([good("", words=True), good("", words=True), good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2).run()
    assert [one["response_format"] for one in Run(tmp_path / "run").settled] == ["responses-grammar"] * 2 + [
        "chat-tool-grammar"
    ]


@pytest.mark.parametrize(
    "act, attempts, said",
    [
        (status(401, "wrong key: secret-key"), 1, "HTTP 401"),
        (status(500), 5, "in 5 attempts"),
        (good("", raw=b""), 5, "is incomplete"),
        (status(429, "later", Retry_After="86400"), 1, "the next attempt would be in 86400 s"),
    ],
)
def test_a_server_that_does_not_mend_ends_the_run(tmp_path, act, attempts, said):
    with ModelServer([good(BETTER), *[act] * 9]) as server:
        result = study(tmp_path / "run", server).run()
    assert said in result.stop_reason and "secret-key" not in result.stop_reason
    assert len(server.requests) == 1 + attempts and result.score > 80
    with ModelServer([good(BEST)]) as mended:
        again = study(tmp_path / "run", mended, programs=3).resume()
    assert again.score == 500 and len(mended.requests) == 1
    assert [one["attempt"] for one in Run(tmp_path / "run").settled if one["trial"] == 2] == list(
        range(1, attempts + 2)
    )


def test_nobody_at_home_costs_nothing(tmp_path):
    with ModelServer([]) as server:
        pass
    result = study(tmp_path / "run", server).run()
    assert "in 5 attempts" in result.stop_reason and result.calls["tokens"] == 0


def test_waits_double_and_a_servers_wish_is_kept():
    patience = RetryPolicy(first_wait=1.0, longest_wait=10.0)
    assert [patience.wait(failures, None) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert patience.wait(1, 7.5) == 7.5 and patience.wait(5, 0.1) == 10


def test_the_waits_are_slept(tmp_path):
    slept = []
    with ModelServer([status(429, Retry_After="3"), status(500), status(503), good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2, retry_policy=RetryPolicy(first_wait=1.0, sleep=slept.append)).run()
    assert slept == [3.0, 2.0, 4.0]


@pytest.mark.parametrize("faulty", [False, True], ids=["clean", "faulty"])
@pytest.mark.parametrize(
    "limit", [{"tokens": 60_000}, {"cost": 0.15}, {"programs": 4}], ids=lambda one: next(iter(one))
)
def test_no_budget_is_overspent(tmp_path, limit, faulty):
    acts = [
        good(BETTER.replace("0.01", f"0.0{place}"), usage=not faulty or place % 2 == 0, input=9_000)
        for place in range(1, 10)
    ]
    if faulty:
        acts[2:2] = [status(500), good(BEST, breaks_off=True), good(BROKEN)]
    with ModelServer(acts * 9) as server:
        result = study(tmp_path / "run", server, steps=None, **({"programs": 60} | limit)).run()
    run = Run(tmp_path / "run")
    assert result.calls["tokens"] >= server.billed > 0
    assert result.calls["tokens"] <= limit.get("tokens", 1e9) and result.calls["cost"] <= limit.get("cost", 1e9)
    assert result.trials <= limit.get("programs", 60)
    what = {"tokens": "tokens is spent", "cost": "money is spent", "programs": "programs is spent"}[next(iter(limit))]
    assert what in result.stop_reason
    # Before each call, what had been charged and what was reserved fitted the budget.
    spent = 0
    for reserved, settled in zip(run.reserved, run.settled):
        assert spent + reserved["reserved_tokens"] <= limit.get("tokens", 1e9)
        spent += settled["tokens"]


def test_tokens_are_shown_as_they_come(tmp_path):
    events = []
    with ModelServer([good(BEST, drips=0.05)]) as server:
        study(tmp_path / "run", server, programs=2, on_event=events.append).run()
    told = [one for one in events if one["event"] == "call"]
    assert told and told[0]["model"] == "scripted" and told[-1]["tokens"] > 0


def test_nothing_is_played_before_it_is_proved(tmp_path):
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
    assert len(counts) == 2, "two of the texts came as far as the proof"
    assert Run(tmp_path / "run").gates == ["accepted", "parse", "check", "prove", "prove"]
    # Only the first program was played, and that before any text was asked for.
    assert {steps - before for steps in counts} == {steps_taken() - before} == {result.env_steps}


def test_a_mixed_study_alternates_and_goes_on(tmp_path):
    script = [good(BETTER), good(BEST), good(SAME)]
    with ModelServer(script) as server:
        whole = study(tmp_path / "whole", server, steps=6_000, programs=60, proposer="local,openai").run()
    run = Run(tmp_path / "whole")
    by_generation = [one["proposals"] for one in run.events if one["event"] == "generation"]
    of = {trial.index: trial.proposer for trial in run.trials}
    assert {of[one["index"]] for one in by_generation[1]} == {"local"} and {
        of[one["index"]] for one in by_generation[2]
    } == {"openai"}
    with ModelServer([]) as nobody:
        again = study(tmp_path / "whole", nobody, steps=6_000, programs=60, proposer="local,openai").resume()
    assert again.best_text == whole.best_text and Run(tmp_path / "whole").verdicts == run.verdicts


@pytest.mark.parametrize(
    "more, message",
    [({"model": None}, "needs a model"), ({"base_url": None, "api_key": None}, "key of the model's server is missing")],
)
def test_what_is_missing_is_said_before_anything_is_written(tmp_path, more, message, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    options = ProposerOptions(**{"model": "m", "base_url": "http://127.0.0.1:9/v1"} | more)
    with pytest.raises(HLError, match=message):
        proposer_named("openai", options)
    assert not list(tmp_path.iterdir())
