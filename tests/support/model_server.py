"""A server on loopback that speaks Responses and Chat, streamed or not, and follows a script.

Each element of the script is one reply (`trickles`: seconds of comments before it; `drips`: seconds after each event).
The server counts the tokens that it has billed; a study must not count fewer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hl_dsl.synth.proposers.llm.response_formats import TOOL


@dataclass
class Act:
    """A reply. `text`: the program or words; `words`: outside the tool, even if there is one.

    `input`, `output`: tokens billed.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    usage: bool = True
    words: bool = False
    truncated: bool = False
    breaks_off: bool = False
    raw: bytes | None = None
    raw_type: str = "text/event-stream"
    trickles: float = 0.0
    drips: float = 0.0
    whole: bool = False
    fails: str = ""
    input: int = 700
    output: int = 120


def good(text: str, **more: Any) -> Act:
    return Act(text, **more)


def status(number: int, message: str = "no", **headers: str) -> Act:
    return Act(status=number, message=message, headers=headers, input=0, output=0)


class ModelServer:
    """`knows(path, body)` answers None for a request it takes, else (status, message)."""

    def __init__(
        self, script: list[Act], knows: Callable[[str, dict], tuple[int, str] | None] = lambda path, body: None
    ):
        self.script, self.knows = list(script), knows
        self.requests: list[tuple[str, dict, dict]] = []
        self.refusals = 0
        self.billed = 0
        self.played = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append((self.path, body, dict(self.headers)))
                refused = server.knows(self.path, body)
                if refused is not None:
                    server.refusals += 1
                    self._refuse(*refused, {})
                    return
                act = (
                    server.script[server.played]
                    if server.played < len(server.script)
                    else status(403, "the script is over")
                )
                server.played += 1
                server.billed += act.input + act.output
                with suppress(BrokenPipeError, ConnectionResetError):
                    self._play(act, body)

            def _refuse(self, number, message, headers):
                data = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
                self.send_response(number)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(data)),
                    **headers,
                }.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(data)

            def _play(self, act: Act, body: dict):
                if act.status != 200:
                    self._refuse(act.status, act.message, act.headers)
                    return
                responses = self.path.endswith("/responses")
                events = (_response_events if responses else _chat_events)(act, body)
                if act.whole:
                    document = events[-1]["response"] if responses else _chat_document(act, body)
                    data, kind = json.dumps(document).encode(), "application/json"
                elif act.raw is not None:
                    data, kind = act.raw, act.raw_type
                else:
                    data, kind = (
                        b"".join(f"data: {json.dumps(one)}\n\n".encode() for one in events),
                        "text/event-stream",
                    )
                    if not responses and not act.breaks_off:
                        data += b"data: [DONE]\n\n"
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Connection", "close")
                if act.breaks_off:
                    data = data[: len(data) // 2]
                    self.send_header("Content-Length", str(2 * len(data) + 7))
                self.end_headers()
                self.close_connection = True
                if act.trickles:
                    until = time.monotonic() + act.trickles
                    while time.monotonic() < until:
                        self.wfile.write(b": still here\n\n")
                        self.wfile.flush()
                        time.sleep(0.05)
                for piece in data.split(b"\n\n") if act.drips else []:
                    self.wfile.write(piece + b"\n\n")
                    self.wfile.flush()
                    time.sleep(act.drips)
                self.wfile.write(b"" if act.drips else data)
                self.wfile.flush()

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def _pieces(text: str) -> list[str]:
    return [text[start : start + 9] for start in range(0, len(text), 9)]


def _response_events(act: Act, body: dict) -> list[dict]:
    in_words = act.words or not body.get("tools")
    kind = "response.output_text.delta" if in_words else "response.custom_tool_call_input.delta"
    events: list[dict] = [{"type": "response.created", "response": {"status": "in_progress"}}]
    events += [{"type": kind, "delta": piece} for piece in _pieces(act.text)]
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": act.text}]}
    call = {"type": "custom_tool_call", "name": TOOL, "call_id": "call_1", "input": act.text}
    status = "failed" if act.fails else "incomplete" if act.truncated else "completed"
    response: dict[str, Any] = {
        "id": "resp_1",
        "status": status,
        "output": [{"type": "reasoning"}, message if in_words else call],
    }
    if act.usage:
        response["usage"] = {
            "input_tokens": act.input,
            "output_tokens": act.output,
            "total_tokens": act.input + act.output,
            "input_tokens_details": {"cached_tokens": act.input // 2},
        }
    if act.fails:
        response["error"] = {"code": "server_error", "message": act.fails}
    return [*events, {"type": f"response.{status}", "response": response}]


def _chat_text(act: Act, body: dict) -> str:
    form = body.get("response_format", {}).get("type")
    return json.dumps({"change": "as asked", "program": act.text}) if form and not act.words else act.text


def _chat_events(act: Act, body: dict) -> list[dict]:
    tools = body.get("tools") and not act.words
    text = _chat_text(act, body)

    def delta(piece: str) -> dict:
        return (
            {"tool_calls": [{"index": 0, "type": "custom", "custom": {"input": piece}}]}
            if tools
            else {"content": piece}
        )

    events: list[dict] = [{"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}]
    events += [{"choices": [{"index": 0, "delta": delta(piece), "finish_reason": None}]} for piece in _pieces(text)]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "length" if act.truncated else "stop"}]})
    if act.usage and body.get("stream_options", {}).get("include_usage"):
        events.append({"choices": [], "usage": _chat_usage(act)})
    return events


def _chat_document(act: Act, body: dict) -> dict:
    document = {
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": _chat_text(act, body)}, "finish_reason": "stop"}
        ]
    }
    return {**document, "usage": _chat_usage(act)} if act.usage else document


def _chat_usage(act: Act) -> dict:
    return {
        "prompt_tokens": act.input,
        "completion_tokens": act.output,
        "total_tokens": act.input + act.output,
        "prompt_tokens_details": {"cached_tokens": act.input // 2},
    }
