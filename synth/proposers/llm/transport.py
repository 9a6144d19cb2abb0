"""A request to a server by the OpenAI SDK: one attempt, within its time, and what its failure means."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from hl_dsl.synth.proposers.llm.replies import Reader
from hl_dsl.synth.proposers.text.writer import NOTHING, CallFailed

_LARGEST_REPLY = 16 << 20  # bytes
_LONGEST_MESSAGE = 500
_TO_CONNECT = 20.0  # seconds
_MAY_HAVE_WORKED = (502, 504, 524)  # a gateway gave up on a model that may have done its work


class Refused(Exception):
    """The server does not take this kind of request. `missing`: it does not have the endpoint."""

    def __init__(self, message: str, missing: bool):
        super().__init__(message)
        self.message, self.missing = message, missing


class Transport:
    """Connections to one server. The SDK's own retries are off: each attempt is to be on record."""

    def __init__(self, base_url: str | None, api_key: str):
        import openai

        self._key = api_key
        self._over = math.inf
        http = openai.DefaultHttpxClient(event_hooks={"response": [self._bound]})
        self._client = openai.OpenAI(api_key=api_key, base_url=base_url, max_retries=0, http_client=http)

    def send(self, path: str, body: Mapping[str, Any], timeout: float, on_event: Callable[[Reader], None]) -> Reader:
        """The reply, whole. No wait for the server's next bytes is longer than `timeout`, and none begins after it. Raises
        CallFailed and Refused."""
        import httpx2
        import openai

        reader = Reader(path)
        self._over = time.monotonic() + timeout
        limits = httpx2.Timeout(timeout, connect=min(_TO_CONNECT, timeout))
        try:
            stream = self._client.post(
                path,
                cast_to=object,
                body=dict(body),
                options={"timeout": limits},
                stream=True,
                stream_cls=openai.Stream[object],
            )
            with stream:
                if "text/event-stream" in stream.response.headers.get("content-type", ""):
                    for event in stream:
                        reader.take(event)
                        on_event(reader)
                else:
                    reader.take_whole(json.loads(stream.response.read()))
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            raise self._failure(error) from None
        return reader

    def _bound(self, response: Any) -> None:
        response.stream = _bounded(response.stream, self._over, response.request)

    def _failure(self, error: Exception) -> CallFailed | Refused:
        import openai

        if isinstance(error, openai.APIStatusError):
            return self._refusal(error)
        said = self._safe(str(error) or type(error).__name__)
        if isinstance(error, openai.APITimeoutError):
            return CallFailed("no answer in time", again=True, charge=None)
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__
            unheard = cause is not None and type(cause).__name__ in ("ConnectError", "ConnectTimeout")
            detail = self._safe(str(cause or "")) or said
            return CallFailed(
                f"the connection {'was not made' if unheard else 'broke'}: {detail}",
                again=True,
                charge=NOTHING if unheard else None,
            )
        if isinstance(error, openai.APIError):
            return CallFailed(f"the server reports: {said}", again=True, charge=None)
        return CallFailed(f"the reply is malformed: {said}", again=True, charge=None)

    def _refusal(self, error: Any) -> CallFailed | Refused:
        status = error.status_code
        said = self._safe(f"HTTP {status}: {error.message}")
        code = str(error.code or "")
        if status in (404, 405, 501) and code != "model_not_found":
            return Refused(said, True)
        if status in (400, 415, 422):
            return Refused(said, False)
        again = status in (408, 409, 425, 429) and code != "insufficient_quota" or status >= 500
        charge = None if status in _MAY_HAVE_WORKED else NOTHING
        return CallFailed(said, again=again, wait=retry_after(error.response.headers), charge=charge)

    def _safe(self, text: str) -> str:
        """Without the key, and short."""
        text = text.replace(self._key, "…") if self._key else text
        return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait; None where it does not."""
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


def _bounded(stream: Any, over: float, request: Any) -> Any:
    """The bytes of a reply while there is time: a server that keeps sending must not hold the study for ever."""
    import httpx2

    class Bounded(httpx2.SyncByteStream):
        def __iter__(self):
            size = 0
            for piece in stream:
                size += len(piece)
                if time.monotonic() > over:
                    raise httpx2.ReadTimeout("the reply takes too long", request=request)
                if size > _LARGEST_REPLY:
                    raise httpx2.ReadError(f"the reply is larger than {_LARGEST_REPLY:,} bytes", request=request)
                yield piece

        def close(self) -> None:
            stream.close()

    return Bounded()
