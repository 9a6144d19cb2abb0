"""A language model's place taken by chance: texts that llguidance lets through, byte by byte, without any model."""

from __future__ import annotations

from functools import cache, lru_cache
from random import Random

import llguidance

END = 256


class _Bytes:
    """A tokenizer of 257 entries: every byte, and the end."""

    eos_token_id, bos_token_id, special_token_ids = END, None, [END]
    tokens = [bytes([byte]) for byte in range(256)] + [b"<end>"]

    def __call__(self, text) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


@lru_cache(maxsize=1)
def tokenizer() -> llguidance.LLTokenizer:
    return llguidance.LLTokenizer(llguidance.TokenizerWrapper(_Bytes()))


def complaints(grammar: str) -> list[str]:
    """What llguidance has against a grammar: errors, warnings."""
    return llguidance.LLMatcher.validate_grammar_with_warnings(
        llguidance.LLMatcher.grammar_from_lark(grammar), tokenizer()
    )[1]


@cache
def _matcher(grammar: str) -> llguidance.LLMatcher:
    return llguidance.LLMatcher(tokenizer(), llguidance.LLMatcher.grammar_from_lark(grammar))


def accepted(text: str, grammar: str) -> str:
    """How much of a text a grammar lets through: all of it where the text is a whole one."""
    matcher, data = _matcher(grammar).deep_copy(), text.encode()
    taken = matcher.try_consume_tokens(list(data))
    if taken == len(data) and not matcher.is_accepting():
        return "an unfinished program"
    return data[:taken].decode(errors="ignore")


def drawn(grammar: str, random: Random, most: int = 400) -> str:
    """A text written byte by byte, each one drawn from the allowed ones.

    After `most` bytes, brackets that are open are closed. The text may be unfinished.
    """
    matcher = _matcher(grammar).deep_copy()
    text = bytearray()
    while len(text) < 3 * most:
        mask = matcher.compute_logit_bias()
        allowed = [byte for byte in range(256) if mask[byte]]
        if matcher.is_accepting() and (len(text) >= most or not allowed):
            return text.decode()
        byte = _next(allowed, random, len(text) >= most)
        text.append(byte)
        if not matcher.consume_token(byte):
            raise AssertionError(f"{matcher.get_error()}: {bytes(text)!r}")
    return text.decode(errors="ignore")


def _next(allowed: list[int], random: Random, closing: bool) -> int:
    closers = [byte for byte in b"}])," if byte in allowed]
    if closing and closers:
        return closers[0]
    # Comments and white space are allowed nearly everywhere; drawn evenly, nothing else would be seen.
    plain = [byte for byte in allowed if byte not in b"#\n" and byte < 128]
    return random.choice(plain or allowed)
