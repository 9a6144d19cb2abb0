"""The quick way through the tables gives what Lark gives, and nothing where Lark has something to say."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

from hypothesis import given, settings, strategies as st

from hl_dsl import parse as parsing
from hl_dsl.format import format_policy
from hl_dsl.source import Source
from tests.hl_dsl.generate_syntax import policies

ROOT = Path(__file__).parents[2]
GOOD = [*ROOT.glob("policies/*/*.hl"), *ROOT.glob("benchmarks/*.hl"), *ROOT.glob("tests/verify/corpus/*/*.hl")]


def by_lark(text: str):
    """The tree with all its places; None where there is none."""
    try:
        return repr(astuple(parsing._parser().parse(text)))
    except Exception:
        return None


def by_tables(text: str):
    policy = parsing._table_parser().parse(text)
    return None if policy is None else repr(astuple(policy))


def test_this_lark_is_the_one_it_was_written_for():
    assert parsing._table_parser() is not None


def test_policies():
    assert all(by_tables(text) == by_lark(text) is not None for text in (path.read_text(encoding="utf-8") for path in GOOD))


def test_malformed_programs():
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in ROOT.glob("grammar/malformed/*.hl")]
    assert any(by_lark(text) is None for text in texts)
    assert all(by_tables(text) == by_lark(text) for text in texts)


@settings(deadline=None, max_examples=60)
@given(policies, st.data())
def test_generated_programs_whole_and_broken(policy, data):
    text = format_policy(policy)
    assert by_tables(text) == by_lark(text) is not None
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    broken = text[:start] + data.draw(st.sampled_from(["", " ", "(", "}", "and", "$", "1", "#", "\n"])) + text[end:]
    assert by_tables(broken) == by_lark(broken)


def test_another_lark_only_takes_longer(monkeypatch):
    monkeypatch.setattr(parsing.TableParser, "__init__", lambda self, *_: self.there_is_no_such_thing)
    parsing._table_parser.cache_clear()
    try:
        assert parsing._table_parser() is None
        assert parsing.parse(Source(GOOD[0].read_text(encoding="utf-8"))).declarations
    finally:
        parsing._table_parser.cache_clear()
