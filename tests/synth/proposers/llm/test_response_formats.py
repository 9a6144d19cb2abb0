"""Response formats: the client uses the most constrained format that the server accepts."""

import pytest

from hl_dsl.synth.proposers.llm.response_formats import RESPONSE_FORMATS
from tests.support.model_server import ModelServer, good
from tests.support.model_studies import only_chat, study
from tests.synth.proposers.conftest import BEST, BETTER, Run


def accepting(*accepted):
    """A server that accepts the named response formats only."""

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
        name = next(name for name, is_used in fits(body).items() if is_used)
        return None if name in accepted else (400, f"{name} is not known here")

    return knows


@pytest.mark.parametrize("place", range(len(RESPONSE_FORMATS)), ids=[known.name for known in RESPONSE_FORMATS])
def test_client_uses_the_first_format_that_the_server_accepts(tmp_path, place):
    accepted = RESPONSE_FORMATS[place].name
    with ModelServer([good(BETTER), good(BEST)], accepting(accepted)) as server:
        result = study(tmp_path / "run", server, programs=3).run()
    run = Run(tmp_path / "run")
    assert result.score == 500
    assert [call["response_format"] for call in run.settled] == [known.name for known in RESPONSE_FORMATS[:place]] + [
        accepted,
        accepted,
    ]
    assert [call["outcome"] for call in run.settled] == ["failed"] * place + ["answered"] * 2
    assert [call["tokens"] for call in run.settled[:place]] == [0] * place, "a rejected request is not charged"


def test_without_a_grammar_only_formats_that_need_none_are_used(tmp_path):
    with ModelServer([good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2, grammar=lambda card: None).run()
    assert [call["response_format"] for call in Run(tmp_path / "run").settled] == ["chat-schema"]


@pytest.mark.parametrize(
    "field, message",
    [
        ("stream_options", "Unrecognized field: stream_options"),
        ("max_tokens", "use 'max_completion_tokens', not 'max_tokens'"),
        ("parallel_tool_calls", "parallel_tool_calls is not supported"),
    ],
)
def test_rejected_fields_are_omitted(tmp_path, field, message):
    def knows(path, body):
        return only_chat(path, body) or ((400, message) if field in body else None)

    with ModelServer([good(BEST)], knows) as server:
        study(tmp_path / "run", server, programs=2).run()
    assert [call["response_format"] for call in Run(tmp_path / "run").settled] == [
        "responses-grammar",
        "chat-tool-grammar",
        "chat-tool-grammar",
    ]


def test_next_format_is_used_after_two_replies_without_a_program(tmp_path):
    with ModelServer([good("", words=True), good("", words=True), good(BEST)]) as server:
        study(tmp_path / "run", server, programs=2).run()
    assert [call["response_format"] for call in Run(tmp_path / "run").settled] == ["responses-grammar"] * 2 + [
        "chat-tool-grammar"
    ]
