"""Retries and budgets of calls: waits, servers that do not recover, and limits that are never exceeded."""

import pytest

from hl_dsl.synth.proposers.text.retries import RetryPolicy
from tests.support.model_server import ModelServer, good, status
from tests.support.model_studies import study
from tests.synth.proposers.conftest import BEST, BETTER, BROKEN, Run


@pytest.mark.parametrize(
    "act, attempts, message",
    [
        (status(401, "wrong key: secret-key"), 1, "HTTP 401"),
        (status(500), 5, "in 5 attempts"),
        (good("", raw=b""), 5, "is incomplete"),
        (status(429, "later", Retry_After="86400"), 1, "the next attempt would be in 86400 s"),
    ],
)
def test_a_server_that_does_not_recover_ends_the_study(tmp_path, act, attempts, message):
    with ModelServer([good(BETTER), *[act] * 9]) as server:
        result = study(tmp_path / "run", server).run()
    assert message in result.stop_reason and "secret-key" not in result.stop_reason
    assert len(server.requests) == 1 + attempts and result.score > 80
    with ModelServer([good(BEST)]) as recovered:
        again = study(tmp_path / "run", recovered, programs=3).resume()
    assert again.score == 500 and len(recovered.requests) == 1
    assert [call["attempt"] for call in Run(tmp_path / "run").settled if call["trial"] == 2] == list(
        range(1, attempts + 2)
    )


def test_an_unreachable_server_costs_no_tokens(tmp_path):
    with ModelServer([]) as server:
        pass
    result = study(tmp_path / "run", server).run()
    assert "in 5 attempts" in result.stop_reason and result.calls["tokens"] == 0


def test_waits_double_and_the_servers_wait_is_respected():
    policy = RetryPolicy(first_wait=1.0, longest_wait=10.0)
    assert [policy.wait(failures, None) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert policy.wait(1, 7.5) == 7.5 and policy.wait(5, 0.1) == 10


def test_the_client_sleeps_during_waits(tmp_path):
    slept = []
    with ModelServer([status(429, Retry_After="3"), status(500), status(503), good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2, retry_policy=RetryPolicy(first_wait=1.0, sleep=slept.append)).run()
    assert slept == [3.0, 2.0, 4.0]


@pytest.mark.parametrize("faulty", [False, True], ids=["clean", "faulty"])
@pytest.mark.parametrize(
    "limit", [{"tokens": 60_000}, {"cost": 0.15}, {"programs": 4}], ids=lambda limit: next(iter(limit))
)
def test_no_budget_is_exceeded(tmp_path, limit, faulty):
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
    # Before each call, the charges and its reservation fit the budget.
    spent = 0
    for reserved, settled in zip(run.reserved, run.settled, strict=True):
        assert spent + reserved["reserved_tokens"] <= limit.get("tokens", 1e9)
        spent += settled["tokens"]
