"""Faults of a server: the study ends as with a server without faults, and each call is recorded."""

import pytest

from tests.support.model_server import ModelServer, good, status
from tests.support.model_studies import BEST_HASH, only_chat, only_text, study
from tests.synth.proposers.conftest import BEST, BETTER, BROKEN, MISTYPED, SAME, UNPROVED, Run

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


def timeout_for(fault: str) -> float:
    """Seconds for an attempt: short only for the fault that must time out, so that no other does on a busy machine."""
    return 3.0 if fault == "slow" else 60.0


@pytest.mark.parametrize("speaks, fault", CASES)
def test_faults_do_not_change_the_result(tmp_path, speaks, fault):
    with ModelServer([good(BETTER), *FAULTS[fault], good(BEST), good(SAME)], KNOWS[speaks]) as server:
        result = study(tmp_path / "run", server, timeout=timeout_for(fault)).run()
    run = Run(tmp_path / "run")
    assert result.program_hash == BEST_HASH and result.score == 500 and result.proved
    assert "HTTP 403" in result.stop_reason
    # Every call and every token is accounted for.
    assert len(run.reserved) == len(run.settled) == len(server.requests)
    assert all(
        settled["tokens"] <= reserved["reserved_tokens"] and settled["cost"] <= reserved["reserved_cost"]
        for settled, reserved in zip(run.settled, run.reserved, strict=True)
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
def test_each_attempt_is_recorded(tmp_path, fault, count, estimated):
    with ModelServer([*FAULTS[fault], good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2, timeout=timeout_for(fault)).run()
    run = Run(tmp_path / "run")
    assert [(call["trial"], call["attempt"]) for call in run.settled] == [
        (1, attempt) for attempt in range(1, count + 2)
    ]
    assert [call["outcome"] for call in run.settled] == ["failed"] * count + ["answered"]
    assert all(call["error"] for call in run.settled[:-1])
    if estimated is not None:
        assert run.settled[0]["estimated"] is estimated
        assert run.settled[0]["tokens"] == (run.reserved[0]["reserved_tokens"] if estimated else 0)
    assert run.trials[-1].tokens == sum(call["tokens"] for call in run.settled)


def test_a_call_without_reported_usage_is_charged_its_reservation(tmp_path):
    with ModelServer([good(BETTER, input=1_000, output=200), good(BEST, usage=False)]) as server:
        result = study(tmp_path / "run", server, programs=3).run()
    reported, unreported = Run(tmp_path / "run").settled
    assert (reported["tokens"], reported["estimated"]) == (1_200, False)
    assert reported["cost"] == pytest.approx(
        (1_000 * 2.0 + 200 * 8.0) / 1e6
    )  # without a price of their own, cached tokens cost as much as others
    reserved = Run(tmp_path / "run").reserved[1]
    assert (unreported["tokens"], unreported["cost"], unreported["estimated"]) == (
        reserved["reserved_tokens"],
        reserved["reserved_cost"],
        True,
    )
    assert result.calls["estimated"] == 1 and result.calls["tokens"] == 1_200 + unreported["tokens"]
