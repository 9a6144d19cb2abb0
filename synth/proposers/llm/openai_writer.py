"""`openai`: programs from a model, by any server that speaks OpenAI's Responses or Chat."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hl_dsl.synth.proposers.llm.replies import Reader
from hl_dsl.synth.proposers.llm.response_formats import CHAT, RUNGS, Request, ResponseFormat
from hl_dsl.synth.proposers.llm.transport import Refused, Transport
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.writer import NOTHING, Answer, CallFailed, Charge, OnTokens, Prompt

from hl_dsl.base.errors import HLError

_PICTURE_TOKENS = 2_000  # more than a frame of a game takes
_FRAME_TOKENS = 256  # what a server puts around messages and tools
_DROPPABLE = ("stream_options", "parallel_tool_calls", "store")
_LIMIT_NAMES = ("max_completion_tokens", "max_tokens")
PICTURES_REFUSED = "pictures_refused"  # in the ledger, of a call after which none are sent
_PICTURE_WORDS = ("image", "picture", "vision", "multimodal", "multi-modal", "multi modal")
_MOST_EMPTY = 2  # replies without a program, and then a lower rung may do better


class ModelWriter:
    """Keeps to the highest rung that the server takes. Raises HLError where model or key are not given."""

    name = "openai"

    def __init__(self, options: ProposerOptions):
        if not options.model:
            raise HLError("the proposer `openai` needs to know which model to ask", "name it: --model NAME")
        self.model: str | None = options.model
        self.options = options
        self._base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
        self._key = options.api_key or os.environ.get("OPENAI_API_KEY", "")
        if not self._key and self._base_url is None:
            raise HLError(
                "there is no key for the model's server",
                "set OPENAI_API_KEY, or name a server of your own: --base-url URL",
            )
        self._rung = 0
        self._grammars: dict[str, str | None] = {}
        self._empty = 0
        self._left_out: frozenset[str] = frozenset()
        self._pictures_refused = False
        # Servers of one's own know the older name; the SDK's own server wants the newer one from newer models.
        self._limit_name = _LIMIT_NAMES[0] if self._base_url is None else _LIMIT_NAMES[1]

    @property
    def settings(self) -> dict[str, Any]:
        return {"model": self.model, "max_output_tokens": self.options.max_output_tokens}

    @cached_property
    def _transport(self) -> Transport:
        return Transport(self._base_url, self._key or "none")

    def learn(self, calls: list[Mapping[str, Any]]) -> None:
        names = [one.name for one in RUNGS]
        for call in calls:
            if call["outcome"] == "answered" and call.get("rung") in names:
                self._rung = names.index(call["rung"])
            self._pictures_refused = self._pictures_refused or bool(call.get(PICTURES_REFUSED))

    def about(self) -> dict[str, Any]:
        return {"rung": RUNGS[self._rung].name}

    def most(self, prompt: Prompt) -> Charge:
        request, rung = self._request(prompt)
        prompt = request.prompt
        words = Prompt(prompt.stable, prompt.variable, (), prompt.parts)
        body = Request(request.model, words, request.most_output, request.grammar, request.limit_name).body(rung)
        # A token is a byte at least.
        tokens_in = (
            len(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))
            + _PICTURE_TOKENS * len(prompt.pictures)
            + _FRAME_TOKENS
        )
        most_output = self.options.max_output_tokens
        return Charge(tokens_in + most_output, self.options.prices.most(tokens_in, most_output))

    def ask(self, prompt: Prompt, timeout: float, on_tokens: OnTokens) -> Answer:
        request, rung = self._request(prompt)
        pictures = len(request.prompt.pictures)
        try:
            reader = self._transport.send(
                rung.path, request.body(rung), timeout, lambda reader: on_tokens(reader.reply.pieces)
            )
        except Refused as refused:
            raise self._otherwise(refused, rung, request.grammar, pictures) from None
        except CallFailed as failed:
            failed.more["rung"] = rung.name
            if pictures and failed.charge == NOTHING and _of_pictures(failed.reason):
                raise self._without_pictures(failed.reason, failed.more) from None  # some refuse with 500
            raise
        return self._answer(reader, rung, request.grammar, pictures)

    def _answer(self, reader: Reader, rung: ResponseFormat, grammar: str | None, pictures: int) -> Answer:
        reply = reader.reply
        charge = None if reply.usage is None else Charge(reply.usage.total, self.options.prices.cost(reply.usage))
        more = {"rung": rung.name, "pictures": pictures}
        if reply.error:
            raise CallFailed(f"the server reports: {reply.error[:500]}", again=True, charge=charge, more=more)
        if not reply.ended:
            raise CallFailed("the reply broke off", again=True, charge=charge, more=more)
        program = reply.program
        if not program.strip() and not reply.truncated:
            self._empty += 1
            if self._empty >= _MOST_EMPTY and self._lower(grammar):
                more["next_rung"] = RUNGS[self._rung].name
            raise CallFailed("there is no program in the reply", again=True, charge=charge, more=more)
        self._empty = 0
        return Answer(program, charge, reply.usage, reply.said, reply.truncated, more)

    # ways of asking

    def _grammar(self, prompt: Prompt) -> str | None:
        if prompt.parts is None:
            return None
        card = prompt.parts.card
        if card.environment not in self._grammars:
            self._grammars[card.environment] = self.options.grammar(card)
        return self._grammars[card.environment]

    def _request(self, prompt: Prompt) -> tuple[Request, ResponseFormat]:
        grammar = self._grammar(prompt)
        if grammar is None and prompt.parts is not None and RUNGS[self._rung].needs_grammar:
            self._lower(None)
        prompt = prompt.without_pictures() if self._pictures_refused else prompt
        request = Request(
            self.model or "", prompt, self.options.max_output_tokens, grammar, self._limit_name, self._left_out
        )
        return request, RUNGS[self._rung]

    def _otherwise(self, refused: Refused, rung: ResponseFormat, grammar: str | None, pictures: int) -> CallFailed:
        """After a refusal: the same without what was complained of, or a lower rung; where there is none, all again without
        pictures, since not every server says what it does not take."""
        more = {"rung": rung.name}
        if pictures and not refused.missing and _of_pictures(refused.message):
            return self._without_pictures(refused.message, more)
        if not refused.missing and self._mended(refused.message, rung):
            return CallFailed(refused.message, change=True, more=more)
        lowered = self._lower(grammar, rung.path if refused.missing else None)
        if lowered:
            return CallFailed(refused.message, change=True, more={**more, "next_rung": RUNGS[self._rung].name})
        if pictures and not refused.missing:
            self._rung = 0
            return self._without_pictures(refused.message, more)
        return CallFailed(refused.message, more=more)

    def _without_pictures(self, reason: str, more: Mapping[str, Any]) -> CallFailed:
        self._pictures_refused = True
        return CallFailed(reason, change=True, more={**more, PICTURES_REFUSED: True})

    def _mended(self, message: str, rung: ResponseFormat) -> bool:
        if rung.path == CHAT and self._limit_name in message:
            other = next(name for name in _LIMIT_NAMES if name != self._limit_name)
            # Whoever complains of both names would be asked for ever.
            if "limit name" not in self._left_out:
                self._limit_name, self._left_out = other, self._left_out | {"limit name"}
                return True
        found = [name for name in _DROPPABLE if name in message and name not in self._left_out]
        self._left_out |= set(found)
        return bool(found)

    def _lower(self, grammar: str | None, without: str | None = None) -> bool:
        """Goes down to the next rung that can be used; `without` an endpoint. False where there is none."""
        for place in range(self._rung + 1, len(RUNGS)):
            if RUNGS[place].path != without and (grammar is not None or not RUNGS[place].needs_grammar):
                self._rung, self._empty = place, 0
                return True
        return False


def _of_pictures(message: str) -> bool:
    """Whether a refusal speaks of them."""
    return any(word in message.lower() for word in _PICTURE_WORDS)
