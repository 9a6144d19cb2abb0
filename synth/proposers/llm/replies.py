"""What came back from a server, put together: events of a stream, or one document. Nothing in them is taken for granted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from hl_dsl.synth.proposers.llm.response_formats import RESPONSES
from hl_dsl.synth.proposers.text.writer import Usage


@dataclass
class Reply:
    """`tool` is the input of a tool call, `text` what was said in words. `ended`: it came to its end; `truncated`: at the
    limit of tokens. `error`: what the server says went wrong."""

    tool: str = ""
    text: str = ""
    usage: Usage | None = None
    ended: bool = False
    truncated: bool = False
    error: str = ""
    pieces: int = 0

    @property
    def program(self) -> str:
        """The program in it; the whole text where there is none to be found, empty where nothing was said."""
        if not self.tool.strip():
            return program_in(self.text)
        found = _json_in(self.tool)
        return self.tool if found is None else found["program"]

    @property
    def said(self) -> str:
        """What was said beside the program."""
        found = _json_in(self.text)
        if found is not None:
            return _string(found.get("change"))[:500]
        return self.text.strip()[:500] if self.tool.strip() else ""


@dataclass
class Reader:
    """Takes the events of a reply at `path`, in a stream or as one document."""

    path: str
    reply: Reply = field(default_factory=Reply)

    def take(self, event: Any) -> None:
        """An event of a stream."""
        if isinstance(event, dict):
            (_response_event if self.path == RESPONSES else _chat_event)(event, self.reply)

    def take_whole(self, document: Any) -> None:
        """A reply of a server that does not stream."""
        if isinstance(document, dict):
            (_response if self.path == RESPONSES else _chat_event)(document, self.reply)


def _response_event(event: dict, reply: Reply) -> None:
    kind = event.get("type")
    if kind in ("response.custom_tool_call_input.delta", "response.function_call_arguments.delta"):
        reply.tool += _string(event.get("delta"))
        reply.pieces += 1
    elif kind == "response.output_text.delta":
        reply.text += _string(event.get("delta"))
        reply.pieces += 1
    elif kind in ("response.completed", "response.incomplete", "response.failed"):
        _response(event.get("response"), reply)
    elif kind == "error":
        reply.error = _string(event.get("message")) or "the server reports an error"


def _response(response: Any, reply: Reply) -> None:
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


def _chat_event(event: dict, reply: Reply) -> None:
    if event.get("error"):
        reply.error = _string(_dict(event["error"]).get("message")) or str(event["error"])[:500]
    for choice in _list(event.get("choices"))[:1]:
        part = _dict(choice.get("delta")) or _dict(choice.get("message"))
        said = _string(part.get("content"))
        reply.text += said
        for call in _list(part.get("tool_calls"))[:1]:
            given = _string(_dict(call.get("custom")).get("input")) or _string(
                _dict(call.get("function")).get("arguments")
            )
            reply.tool += given
            reply.pieces += bool(given)
        reply.pieces += bool(said)
        if choice.get("finish_reason"):
            reply.ended = True
            reply.truncated = choice["finish_reason"] == "length"
    reply.usage = (
        _usage(event.get("usage"), "prompt_tokens", "completion_tokens", "prompt_tokens_details") or reply.usage
    )


def _usage(found: Any, of_input: str, of_output: str, details: str) -> Usage | None:
    """None where the server does not say, or says what cannot be."""
    found = _dict(found)
    counts = [found.get(of_input), found.get(of_output), _dict(found.get(details)).get("cached_tokens") or 0]
    if any(type(one) is not int or not 0 <= one < 1 << 40 for one in counts) or counts[2] > counts[0] or not counts[0]:
        return None
    return Usage(*counts)


# programs in texts

_FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_BEGINS = re.compile(r"^(?:#[^\n]*\n|\s*\n)*\s*policy\b", re.MULTILINE)


def program_in(text: str) -> str:
    """The program in an answer: of a JSON object, of a fenced block, from the line it begins on; else the whole text."""
    found = _json_in(text)
    if found is not None:
        return found["program"]
    blocks = [block for block in _FENCED.findall(text) if _BEGINS.search(block)]
    if blocks:
        return blocks[-1]
    begins = _BEGINS.search(text)
    return text[begins.start() :] if begins else text


def _json_in(text: str) -> dict | None:
    """A JSON object with a program, the whole text or a fenced block of it."""
    for part in (text, *_FENCED.findall(text)):
        if part.lstrip().startswith("{"):
            try:
                found = json.loads(part)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and isinstance(found.get("program"), str):
                return found
    return None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
