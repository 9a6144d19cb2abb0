"""Response formats in fallback order: the ways to request a program from a server, the most constrained first.

A server rejects a format that it does not support; the client then uses the next one. A server that ignores the
fields of a format answers in free text, which the client reads too.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hl_dsl.synth.proposers.text.writer import Prompt

TOOL = "submit_program"
_TOOL_DESCRIPTION = "Submits one complete HL program."
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["change", "program"],
    "properties": {
        "change": {"type": "string", "description": "one line: what you changed and why"},
        "program": {"type": "string", "description": "the complete HL program"},
    },
}
_AS_TOOL = f"Call the tool `{TOOL}` once, with the program."
_AS_TEXT = "Answer with the program only, in one fenced block: a line ```hl, the program, a line ```."
_AS_JSON = (
    'Answer with one JSON object and nothing else: {"change": one line that says what you changed and why, '
    '"program": the complete program}.'
)
RESPONSES, CHAT = "/responses", "/chat/completions"


@dataclass(frozen=True)
class Request:
    """Data of a request in any response format.

    `limit_name` is the Chat endpoint's name of the limit of output tokens. `omitted` are fields that the server
    rejects.
    """

    model: str
    prompt: Prompt
    most_output: int
    grammar: str | None
    limit_name: str
    omitted: frozenset[str] = frozenset()

    def body(self, response_format: ResponseFormat) -> dict[str, Any]:
        """Returns the JSON body of a streamed request."""
        fields = response_format.body(self)
        return {name: value for name, value in fields.items() if name not in self.omitted}


@dataclass(frozen=True)
class ResponseFormat:
    """A way to request a program, at the endpoint `path`."""

    name: str
    path: str
    needs_grammar: bool
    body: Callable[[Request], dict[str, Any]]


def _responses(request: Request) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "input_text", "text": request.prompt.variable}]
    content += [{"type": "input_image", "image_url": _data_url(picture.png)} for picture in request.prompt.pictures]
    return {
        "model": request.model,
        "instructions": f"{request.prompt.stable}\n\n{_AS_TOOL}",
        "input": [{"role": "user", "content": content}],
        "tools": [
            {
                "type": "custom",
                "name": TOOL,
                "description": _TOOL_DESCRIPTION,
                "format": {"type": "grammar", "syntax": "lark", "definition": request.grammar},
            }
        ],
        "tool_choice": {"type": "custom", "name": TOOL},
        "parallel_tool_calls": False,
        "max_output_tokens": request.most_output,
        "store": False,
        "stream": True,
    }


def _chat(instruction: str, extra_fields: Callable[[Request], dict[str, Any]]) -> Callable[[Request], dict[str, Any]]:
    def body(request: Request) -> dict[str, Any]:
        prompt = request.prompt
        content: Any = prompt.variable
        if prompt.pictures:
            content = [{"type": "text", "text": prompt.variable}]
            content += [
                {"type": "image_url", "image_url": {"url": _data_url(picture.png)}} for picture in prompt.pictures
            ]
        return {
            "model": request.model,
            "messages": [
                {"role": "system", "content": f"{prompt.stable}\n\n{instruction}"},
                {"role": "user", "content": content},
            ],
            request.limit_name: request.most_output,
            "stream": True,
            "stream_options": {"include_usage": True},
            **extra_fields(request),
        }

    return body


def _custom_tool(request: Request) -> dict[str, Any]:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": request.grammar}}
    tool = {"type": "custom", "custom": {"name": TOOL, "description": _TOOL_DESCRIPTION, "format": grammar}}
    return {"tools": [tool], "tool_choice": {"type": "custom", "custom": {"name": TOOL}}, "parallel_tool_calls": False}


RESPONSE_FORMATS = (
    ResponseFormat("responses-grammar", RESPONSES, True, _responses),
    ResponseFormat("chat-tool-grammar", CHAT, True, _chat(_AS_TOOL, _custom_tool)),
    # Field of servers that decode under a given grammar, such as vLLM.
    ResponseFormat(
        "chat-server-grammar",
        CHAT,
        True,
        _chat("Answer with the program only.", lambda request: {"structured_outputs": {"grammar": request.grammar}}),
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
