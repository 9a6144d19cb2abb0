"""Studies whose proposer is a language model behind a scripted server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hl_dsl.program import Program
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.prices import Prices
from hl_dsl.synth.proposers.text.retries import RetryPolicy
from hl_dsl.synth.runs.budget import Budget
from hl_dsl.synth.search.study import Study
from tests.support.model_server import ModelServer
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.conftest import BEST

GRAMMAR = 'start: "policy" /(.|\\n)*/'
QUICK = RetryPolicy(first_wait=0.001, longest_wait=0.002)
BEST_HASH = Program.parse(BEST).hash
_LIMITS = ("steps", "programs", "tokens", "cost")


def study(
    folder: Path,
    server: ModelServer,
    *,
    proposer: str = "openai",
    on_event: Callable[[dict[str, Any]], None] | None = None,
    **settings: Any,
) -> Study:
    """A study with a scripted server. `settings` are limits of its budget and options of its proposer."""
    limits = {"steps": 20_000} | {name: settings.pop(name) for name in _LIMITS if name in settings}
    defaults: dict[str, Any] = {
        "model": "scripted",
        "base_url": server.url,
        "api_key": "secret-key",
        "grammar": lambda card: GRAMMAR,
        "retry_policy": QUICK,
        "prices": Prices(2.0, 8.0),
        "max_output_tokens": 500,
    }
    return search_study(
        Program.parse(LEAN),
        "standard",
        folder,
        Budget(**limits),
        proposer=proposer,
        seeds=(0, 1),
        options=ProposerOptions(**defaults | settings),
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
