"""`openai`: programs from a language model, through OpenAI's Responses or Chat endpoint of any compatible server."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.candidates.calls import NO_CHARGE, Charge
from hl_dsl.synth.proposers.llm.replies import ReplyReader
from hl_dsl.synth.proposers.llm.response_formats import CHAT, RESPONSE_FORMATS, Request, ResponseFormat
from hl_dsl.synth.proposers.llm.transport import RequestRejected, Transport
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.writer import Answer, CallFailed, OnTokens, Prompt, Writer

_PICTURE_TOKENS = 2_000  # upper bound for a frame of a game
_OVERHEAD_TOKENS = 256  # upper bound for what a server adds around messages and tools
_OPTIONAL_FIELDS = ("stream_options", "parallel_tool_calls", "store")
_LIMIT_NAMES = ("max_completion_tokens", "max_tokens")
_SWITCHED_LIMIT = "limit name"  # marks in `_omitted` that the name of the limit was switched once
FORMAT, NEXT_FORMAT = "response_format", "next_response_format"  # fields of the ledger's call events
_OLD_FORMAT = "rung"  # name of FORMAT in ledgers of earlier versions
PICTURES_REJECTED = "pictures_refused"  # ledger field of the call after which no pictures are sent
_PICTURE_WORDS = ("image", "picture", "vision", "multimodal", "multi-modal", "multi modal")
_MOST_EMPTY = 2  # replies without a program before the next response format is used
_MOST_ERROR_CHARACTERS = 500


class OpenAIWriter(Writer):
    """Uses the most constrained response format that the server accepts.

    Raises:
        HLError: The options name no model, or no key and no server is known.
    """

    name = "openai"

    def __init__(self, options: ProposerOptions):
        if not options.model:
            raise HLError("the proposer `openai` needs a model", "name it: --model NAME")
        self.model: str | None = options.model
        self.options = options
        self._base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
        self._key = options.api_key or os.environ.get("OPENAI_API_KEY", "")
        if not self._key and self._base_url is None:
            raise HLError(
                "the key of the model's server is missing",
                "set OPENAI_API_KEY, or name a server of your own: --base-url URL",
            )
        self._format_index = 0
        self._grammars: dict[str, str | None] = {}  # by environment
        self._empty_replies = 0
        self._omitted: frozenset[str] = frozenset()
        self._pictures_rejected = False
        # Other servers know the older name; OpenAI's own server requires the newer one for newer models.
        self._limit_name = _LIMIT_NAMES[0] if self._base_url is None else _LIMIT_NAMES[1]

    @property
    def settings(self) -> dict[str, Any]:
        """Model and limit of output tokens."""
        return {"model": self.model, "max_output_tokens": self.options.max_output_tokens}

    @cached_property
    def _transport(self) -> Transport:
        return Transport(self._base_url, self._key or "none")

    def learn(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Restores the response format, and whether the server rejects pictures."""
        names = [response_format.name for response_format in RESPONSE_FORMATS]
        for call in calls:
            name = call.get(FORMAT, call.get(_OLD_FORMAT))
            if call["outcome"] == "answered" and name in names:
                self._format_index = names.index(name)
            self._pictures_rejected = self._pictures_rejected or bool(call.get(PICTURES_REJECTED))

    def describe_attempt(self) -> dict[str, Any]:
        """Returns the name of the response format."""
        return {FORMAT: RESPONSE_FORMATS[self._format_index].name}

    def most(self, prompt: Prompt) -> Charge:
        """Returns an upper bound on the cost of one attempt: a token is at least one byte."""
        request, response_format = self.request_for(prompt)
        prompt = request.prompt
        text_prompt = Prompt(prompt.stable, prompt.variable, (), prompt.parts)
        text_request = Request(request.model, text_prompt, request.most_output, request.grammar, request.limit_name)
        body = json.dumps(text_request.body(response_format), ensure_ascii=False).encode("utf-8", "surrogatepass")
        tokens_in = len(body) + _PICTURE_TOKENS * len(prompt.pictures) + _OVERHEAD_TOKENS
        most_output = self.options.max_output_tokens
        return Charge(tokens_in + most_output, self.options.prices.most(tokens_in, most_output))

    def write(self, prompt: Prompt, timeout: float, on_tokens: OnTokens) -> Answer:
        """Makes one attempt. Raises CallFailed."""
        request, response_format = self.request_for(prompt)
        pictures = len(request.prompt.pictures)
        try:
            reader = self._transport.send(
                response_format.path,
                request.body(response_format),
                timeout,
                lambda reader: on_tokens(reader.reply.pieces),
            )
        except RequestRejected as rejection:
            raise self._adapt(rejection, response_format, request.grammar, pictures) from None
        except CallFailed as failure:
            failure.details[FORMAT] = response_format.name
            if pictures and failure.charge == NO_CHARGE and _mentions_pictures(failure.reason):
                raise self._stop_pictures(failure.reason, failure.details) from None  # some servers answer with 500
            raise
        return self._answer(reader, response_format, request.grammar, pictures)

    def _answer(
        self, reader: ReplyReader, response_format: ResponseFormat, grammar: str | None, pictures: int
    ) -> Answer:
        reply = reader.reply
        charge = None if reply.usage is None else Charge(reply.usage.total, self.options.prices.cost(reply.usage))
        details = {FORMAT: response_format.name, "pictures": pictures}
        if reply.error:
            reason = f"the server reports: {reply.error[:_MOST_ERROR_CHARACTERS]}"
            raise CallFailed(reason, can_retry=True, charge=charge, details=details)
        if not reply.ended:
            raise CallFailed("the reply is incomplete", can_retry=True, charge=charge, details=details)
        program = reply.program
        if not program.strip() and not reply.truncated:
            self._empty_replies += 1
            if self._empty_replies >= _MOST_EMPTY and self._use_next_format(grammar):
                details[NEXT_FORMAT] = RESPONSE_FORMATS[self._format_index].name
            raise CallFailed("the reply holds no program", can_retry=True, charge=charge, details=details)
        self._empty_replies = 0
        return Answer(program, charge, reply.usage, reply.comment, reply.truncated, details)

    # requests

    def _grammar(self, prompt: Prompt) -> str | None:
        if prompt.parts is None:
            return None
        card = prompt.parts.card
        if card.environment not in self._grammars:
            self._grammars[card.environment] = self.options.grammar(card)
        return self._grammars[card.environment]

    def request_for(self, prompt: Prompt) -> tuple[Request, ResponseFormat]:
        """Returns the request of a prompt in the current response format."""
        grammar = self._grammar(prompt)
        if grammar is None and prompt.parts is not None and RESPONSE_FORMATS[self._format_index].needs_grammar:
            self._use_next_format(None)
        prompt = prompt.without_pictures() if self._pictures_rejected else prompt
        request = Request(
            self.model or "", prompt, self.options.max_output_tokens, grammar, self._limit_name, self._omitted
        )
        return request, RESPONSE_FORMATS[self._format_index]

    def _adapt(
        self, rejection: RequestRejected, response_format: ResponseFormat, grammar: str | None, pictures: int
    ) -> CallFailed:
        """Changes the next request after a rejection.

        Omits what the server complained about, or uses the next response format. If none remains, uses the first format
        again without pictures, since not every server says that it rejects them.
        """
        details: dict[str, Any] = {FORMAT: response_format.name}
        message, missing = rejection.message, rejection.endpoint_missing
        if pictures and not missing and _mentions_pictures(message):
            return self._stop_pictures(message, details)
        if not missing and self._omit_rejected_fields(message, response_format):
            return CallFailed(message, request_changed=True, details=details)
        if self._use_next_format(grammar, response_format.path if missing else None):
            details[NEXT_FORMAT] = RESPONSE_FORMATS[self._format_index].name
            return CallFailed(message, request_changed=True, details=details)
        if pictures and not missing:
            self._format_index = 0
            return self._stop_pictures(message, details)
        return CallFailed(message, details=details)

    def _stop_pictures(self, reason: str, details: Mapping[str, Any]) -> CallFailed:
        self._pictures_rejected = True
        return CallFailed(reason, request_changed=True, details={**details, PICTURES_REJECTED: True})

    def _omit_rejected_fields(self, message: str, response_format: ResponseFormat) -> bool:
        """Changes or omits the fields that a message names; False if there are none."""
        if response_format.path == CHAT and self._limit_name in message:
            other = next(name for name in _LIMIT_NAMES if name != self._limit_name)
            # Switch once only: a server may reject both names.
            if _SWITCHED_LIMIT not in self._omitted:
                self._limit_name, self._omitted = other, self._omitted | {_SWITCHED_LIMIT}
                return True
        rejected = [name for name in _OPTIONAL_FIELDS if name in message and name not in self._omitted]
        self._omitted |= set(rejected)
        return bool(rejected)

    def _use_next_format(self, grammar: str | None, missing_path: str | None = None) -> bool:
        """Uses the next usable response format, not at the endpoint `missing_path`; False if none remains."""
        for index in range(self._format_index + 1, len(RESPONSE_FORMATS)):
            candidate = RESPONSE_FORMATS[index]
            if candidate.path != missing_path and (grammar is not None or not candidate.needs_grammar):
                self._format_index, self._empty_replies = index, 0
                return True
        return False


def _mentions_pictures(message: str) -> bool:
    return any(word in message.lower() for word in _PICTURE_WORDS)
