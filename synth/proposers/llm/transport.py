"""One request to a server through the OpenAI SDK, with a deadline, and the classification of its failures."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from hl_dsl.synth.candidates.calls import NO_CHARGE
from hl_dsl.synth.proposers.llm.replies import ReplyReader
from hl_dsl.synth.proposers.text.writer import CallFailed

_MOST_REPLY_BYTES = 16 << 20
_MOST_MESSAGE_CHARACTERS = 500
_CONNECT_SECONDS = 20.0
_GATEWAY_TIMEOUTS = (502, 504, 524)  # HTTP statuses after which the model may have done the work, so it is charged


class RequestRejected(Exception):
    """The server does not support this kind of request. `endpoint_missing`: it does not have the endpoint."""

    def __init__(self, message: str, endpoint_missing: bool):
        super().__init__(message)
        self.message, self.endpoint_missing = message, endpoint_missing


class Transport:
    """Connection to one server. The SDK's own retries are off, so that each attempt is recorded."""

    def __init__(self, base_url: str | None, api_key: str):
        import openai

        self._key = api_key
        self._deadline = math.inf
        http = openai.DefaultHttpxClient(event_hooks={"response": [self._limit_response]})
        self._client = openai.OpenAI(api_key=api_key, base_url=base_url, max_retries=0, http_client=http)

    def send(
        self, path: str, body: Mapping[str, Any], timeout: float, on_event: Callable[[ReplyReader], None]
    ) -> ReplyReader:
        """Sends a request and returns the complete reply.

        Args:
            path: Endpoint, relative to the base URL.
            body: JSON body of the request.
            timeout: Seconds. It bounds each wait for the server's next bytes, and no wait starts after it.
            on_event: Called after each event of a stream.

        Raises:
            CallFailed: The attempt failed.
            RequestRejected: The server does not support the request.
        """
        import httpx2
        import openai

        reader = ReplyReader(path)
        self._deadline = time.monotonic() + timeout
        timeouts = httpx2.Timeout(timeout, connect=min(_CONNECT_SECONDS, timeout))
        try:
            stream = self._client.post(
                path,
                cast_to=object,
                body=dict(body),
                options={"timeout": timeouts},
                stream=True,
                stream_cls=openai.Stream[object],
            )
            with stream:
                if "text/event-stream" in stream.response.headers.get("content-type", ""):
                    for event in stream:
                        reader.read_event(event)
                        on_event(reader)
                else:
                    reader.read_document(json.loads(stream.response.read()))
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            raise self._failure(error) from None
        return reader

    def _limit_response(self, response: Any) -> None:
        response.stream = _bounded(response.stream, self._deadline, response.request)

    def _failure(self, error: Exception) -> CallFailed | RequestRejected:
        import openai

        if isinstance(error, openai.APIStatusError):
            return self._status_failure(error)
        message = self._safe(str(error) or type(error).__name__)
        if isinstance(error, openai.APITimeoutError):
            return CallFailed("no answer within the timeout", can_retry=True, charge=None)
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__
            never_connected = cause is not None and type(cause).__name__ in ("ConnectError", "ConnectTimeout")
            detail = self._safe(str(cause or "")) or message
            return CallFailed(
                f"the connection {'failed' if never_connected else 'was lost'}: {detail}",
                can_retry=True,
                charge=NO_CHARGE if never_connected else None,
            )
        if isinstance(error, openai.APIError):
            return CallFailed(f"the server reports: {message}", can_retry=True, charge=None)
        return CallFailed(f"the reply is malformed: {message}", can_retry=True, charge=None)

    def _status_failure(self, error: Any) -> CallFailed | RequestRejected:
        status = error.status_code
        message = self._safe(f"HTTP {status}: {error.message}")
        code = str(error.code or "")
        if status in (404, 405, 501) and code != "model_not_found":
            return RequestRejected(message, True)
        if status in (400, 415, 422):
            return RequestRejected(message, False)
        can_retry = status in (408, 409, 425, 429) and code != "insufficient_quota" or status >= 500
        charge = None if status in _GATEWAY_TIMEOUTS else NO_CHARGE
        return CallFailed(message, can_retry=can_retry, wait=retry_after(error.response.headers), charge=charge)

    def _safe(self, text: str) -> str:
        """The text without the key, truncated."""
        text = text.replace(self._key, "…") if self._key else text
        return text if len(text) <= _MOST_MESSAGE_CHARACTERS else text[:_MOST_MESSAGE_CHARACTERS] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds that a server asks to wait; None if it does not ask."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if seconds >= 0:
            return seconds
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def _bounded(stream: Any, deadline: float, request: Any) -> Any:
    """The bytes of a reply until the deadline: a server that never stops sending must not block the study."""
    import httpx2

    class Bounded(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for piece in stream:
                size += len(piece)
                if time.monotonic() > deadline:
                    raise httpx2.ReadTimeout("the reply takes too long", request=request)
                if size > _MOST_REPLY_BYTES:
                    raise httpx2.ReadError(f"the reply is larger than {_MOST_REPLY_BYTES:,} bytes", request=request)
                yield piece

        def close(self) -> None:
            stream.close()

    return Bounded()
