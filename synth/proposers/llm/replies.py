"""Replies of a server, assembled from a stream of events or from one document. Malformed input is tolerated."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from hl_dsl.synth.proposers.llm.response_formats import RESPONSES
from hl_dsl.synth.proposers.text.writer import Usage

_MOST_COMMENT_CHARACTERS = 500
_MOST_TOKENS = 1 << 40  # larger counts are malformed


@dataclass
class Reply:
    """A reply of a model.

    `tool` is the input of a tool call, `text` the message. `ended` is true if the reply is complete, `truncated` if
    it ended at the limit of tokens. `error` is the error that the server reports. `pieces` counts received pieces,
    about one a token.
    """

    tool: str = ""
    text: str = ""
    usage: Usage | None = None
    ended: bool = False
    truncated: bool = False
    error: str = ""
    pieces: int = 0

    @property
    def program(self) -> str:
        """The program in the reply; the whole text if no program is recognized."""
        if not self.tool.strip():
            return program_in(self.text)
        document = _json_in(self.tool)
        return self.tool if document is None else document["program"]

    @property
    def comment(self) -> str:
        """What the model said in addition to the program."""
        document = _json_in(self.text)
        if document is not None:
            return _string(document.get("change"))[:_MOST_COMMENT_CHARACTERS]
        return self.text.strip()[:_MOST_COMMENT_CHARACTERS] if self.tool.strip() else ""


@dataclass
class ReplyReader:
    """Assembles the reply of the endpoint `path` from a stream of events or from one document."""

    path: str
    reply: Reply = field(default_factory=Reply)

    def read_event(self, event: Any) -> None:
        """Reads an event of a stream."""
        if isinstance(event, dict):
            (_read_response_event if self.path == RESPONSES else _read_chat_event)(event, self.reply)

    def read_document(self, document: Any) -> None:
        """Reads the reply of a server that does not stream."""
        if isinstance(document, dict):
            (_read_response if self.path == RESPONSES else _read_chat_event)(document, self.reply)


def _read_response_event(event: dict[str, Any], reply: Reply) -> None:
    kind = event.get("type")
    if kind in ("response.custom_tool_call_input.delta", "response.function_call_arguments.delta"):
        reply.tool += _string(event.get("delta"))
        reply.pieces += 1
    elif kind == "response.output_text.delta":
        reply.text += _string(event.get("delta"))
        reply.pieces += 1
    elif kind in ("response.completed", "response.incomplete", "response.failed"):
        _read_response(event.get("response"), reply)
    elif kind == "error":
        reply.error = _string(event.get("message")) or "the server reports an error"


def _read_response(response: Any, reply: Reply) -> None:
    if not isinstance(response, dict):
        return
    tool = text = ""
    for item in _list(response.get("output")):
        if item.get("type") in ("custom_tool_call", "function_call"):
            tool = tool or _string(item.get("input")) or _string(item.get("arguments"))
        elif item.get("type") == "message":
            text += "".join(_string(part.get("text")) for part in _list(item.get("content")))
    reply.tool, reply.text = tool or reply.tool, text or reply.text
    reply.usage = _usage(response.get("usage"), "input_tokens", "output_tokens", "input_tokens_details")
    status = response.get("status")
    reply.ended = status in ("completed", "incomplete")
    reply.truncated = status == "incomplete"
    if status == "failed":
        reply.error = _string(_dict(response.get("error")).get("message")) or "the server reports a failure"


def _read_chat_event(event: dict[str, Any], reply: Reply) -> None:
    if event.get("error"):
        reply.error = _string(_dict(event["error"]).get("message")) or str(event["error"])[:_MOST_COMMENT_CHARACTERS]
    for choice in _list(event.get("choices"))[:1]:
        part = _dict(choice.get("delta")) or _dict(choice.get("message"))
        content = _string(part.get("content"))
        reply.text += content
        for call in _list(part.get("tool_calls"))[:1]:
            tool_input = _string(_dict(call.get("custom")).get("input")) or _string(
                _dict(call.get("function")).get("arguments")
            )
            reply.tool += tool_input
            reply.pieces += bool(tool_input)
        reply.pieces += bool(content)
        if choice.get("finish_reason"):
            reply.ended = True
            reply.truncated = choice["finish_reason"] == "length"
    reply.usage = (
        _usage(event.get("usage"), "prompt_tokens", "completion_tokens", "prompt_tokens_details") or reply.usage
    )


def _usage(reported: Any, input_key: str, output_key: str, details_key: str) -> Usage | None:
    """None if the server reports no usage, or impossible numbers."""
    usage = _dict(reported)
    cached = _count(_dict(usage.get(details_key)).get("cached_tokens") or 0)
    tokens_in, tokens_out = _count(usage.get(input_key)), _count(usage.get(output_key))
    if tokens_in is None or tokens_out is None or cached is None or cached > tokens_in or not tokens_in:
        return None
    return Usage(tokens_in, tokens_out, cached)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else None


# programs in texts

_FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_PROGRAM_START = re.compile(r"^(?:#[^\n]*\n|\s*\n)*\s*policy\b", re.MULTILINE)


def program_in(text: str) -> str:
    """Returns the program in an answer.

    The program is a field of a JSON object, else the last fenced block that holds a policy, else the text from the line
    with the first policy; else the whole text.
    """
    document = _json_in(text)
    if document is not None:
        return document["program"]
    blocks = [block for block in _FENCED.findall(text) if _PROGRAM_START.search(block)]
    if blocks:
        return blocks[-1]
    start = _PROGRAM_START.search(text)
    return text[start.start() :] if start else text


def _json_in(text: str) -> dict[str, Any] | None:
    """A JSON object with a program: the whole text, or a fenced block of it."""
    for part in (text, *_FENCED.findall(text)):
        if part.lstrip().startswith("{"):
            try:
                document = json.loads(part)
            except (ValueError, RecursionError):
                continue
            if isinstance(document, dict) and isinstance(document.get("program"), str):
                return document
    return None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
