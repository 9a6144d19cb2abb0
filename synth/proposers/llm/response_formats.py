"""The ladder of ways to ask a server for a program, the one that constrains it most first.

What a server does not know it refuses (or, in the case of fields that it ignores, answers in free text, which is read all
the same); then the next rung is tried.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hl_dsl.synth.proposers.text.writer import Prompt

TOOL = "submit_program"
_TOOL_SAYS = "Submits one whole HL program."
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["change", "program"],
    "properties": {
        "change": {"type": "string", "description": "one line: what was changed, and why"},
        "program": {"type": "string", "description": "the whole HL program"},
    },
}
_AS_TOOL = f"Call the tool `{TOOL}` with the program, once."
_AS_TEXT = "Answer with the program alone, in one fenced block: ```hl on a line, the program, ``` on a line."
_AS_JSON = 'Answer with one JSON object, {"change": one line that says what you changed and why, "program": the whole program}, and nothing else.'
RESPONSES, CHAT = "/responses", "/chat/completions"


@dataclass(frozen=True)
class Request:
    """What all rungs need to know. `limit_name` is what the Chat endpoint calls the limit of output tokens."""

    model: str
    prompt: Prompt
    most_output: int
    grammar: str | None
    limit_name: str
    left_out: frozenset[str] = frozenset()

    def body(self, rung: ResponseFormat) -> dict[str, Any]:
        """The JSON body of a streamed request."""
        whole = rung.body(self)
        return {name: value for name, value in whole.items() if name not in self.left_out}


@dataclass(frozen=True)
class ResponseFormat:
    """One way of asking, at one endpoint."""

    name: str
    path: str
    needs_grammar: bool
    body: Callable[[Request], dict[str, Any]]


def _responses(request: Request) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "input_text", "text": request.prompt.variable}]
    content += [{"type": "input_image", "image_url": _data_url(one.png)} for one in request.prompt.pictures]
    return {
        "model": request.model,
        "instructions": f"{request.prompt.stable}\n\n{_AS_TOOL}",
        "input": [{"role": "user", "content": content}],
        "tools": [
            {
                "type": "custom",
                "name": TOOL,
                "description": _TOOL_SAYS,
                "format": {"type": "grammar", "syntax": "lark", "definition": request.grammar},
            }
        ],
        "tool_choice": {"type": "custom", "name": TOOL},
        "parallel_tool_calls": False,
        "max_output_tokens": request.most_output,
        "store": False,
        "stream": True,
    }


def _chat(says: str, more: Callable[[Request], dict[str, Any]]) -> Callable[[Request], dict[str, Any]]:
    def body(request: Request) -> dict[str, Any]:
        prompt = request.prompt
        content: Any = prompt.variable
        if prompt.pictures:
            content = [{"type": "text", "text": prompt.variable}]
            content += [{"type": "image_url", "image_url": {"url": _data_url(one.png)}} for one in prompt.pictures]
        return {
            "model": request.model,
            "messages": [
                {"role": "system", "content": f"{prompt.stable}\n\n{says}"},
                {"role": "user", "content": content},
            ],
            request.limit_name: request.most_output,
            "stream": True,
            "stream_options": {"include_usage": True},
            **more(request),
        }

    return body


def _custom_tool(request: Request) -> dict[str, Any]:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": request.grammar}}
    tool = {"type": "custom", "custom": {"name": TOOL, "description": _TOOL_SAYS, "format": grammar}}
    return {"tools": [tool], "tool_choice": {"type": "custom", "custom": {"name": TOOL}}, "parallel_tool_calls": False}


RUNGS = (
    ResponseFormat("responses-grammar", RESPONSES, True, _responses),
    ResponseFormat("chat-tool-grammar", CHAT, True, _chat(_AS_TOOL, _custom_tool)),
    # The field of servers that decode under a grammar of ours, vLLM's among them.
    ResponseFormat(
        "chat-server-grammar",
        CHAT,
        True,
        _chat("Answer with the program alone.", lambda request: {"structured_outputs": {"grammar": request.grammar}}),
    ),
    ResponseFormat(
        "chat-schema",
        CHAT,
        False,
        _chat(
            _AS_JSON,
            lambda request: {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "program", "strict": True, "schema": _SCHEMA},
                }
            },
        ),
    ),
    ResponseFormat(
        "chat-json", CHAT, False, _chat(_AS_JSON, lambda request: {"response_format": {"type": "json_object"}})
    ),
    ResponseFormat("chat-text", CHAT, False, _chat(_AS_TEXT, lambda request: {})),
)


def _data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
