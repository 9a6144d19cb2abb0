"""Formatting of generated trees: the text is read back as the same tree, with every comment."""

from __future__ import annotations

import contextlib
import re

import pytest
from hl_dsl.grammar.formatter.format import format_expression, format_policy, format_text, number_text
from hl_dsl.grammar.formatter.layout import WIDTH
from hl_dsl.grammar.parser import parse
from hl_dsl.grammar.tree.syntax_tree import Apply, Let, Number, PolicyDeclaration
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from tests.support.generators.syntax_trees import expressions, policies, sprinkled
from tests.support.paths import POLICIES

many = settings(deadline=None, max_examples=70)
PROGRAMS = sorted(POLICIES.rglob("*.hl"))


def read(text: str) -> PolicyDeclaration:
    return parse(SourceText(text))


@many
@given(policies)
def test_a_tree_is_read_back_from_its_text(policy):
    text = format_policy(policy)
    assert read(text) == policy
    assert format_text(text) == text


@many
@given(expressions)
def test_an_expression_is_read_back_from_its_line(expression):
    line = format_expression(expression)
    assert "\n" not in line
    (let,) = read(f'policy p for "E" {{ let x = {line} }}').of(Let)
    assert let.expression == expression


@many
@given(sprinkled(policies.map(format_policy)))
def test_comments_between_any_two_tokens_stay(case):
    text, count = case
    policy = read(text)
    formatted = format_text(text)
    assert read(formatted) == policy
    assert sorted(re.findall(r"#(\d+);", formatted), key=int) == [str(number) for number in range(count)]
    assert format_text(formatted) == formatted


@many
@given(policies)
def test_lines_are_short_unless_one_token_is_long(policy):
    for line in format_policy(policy).splitlines():
        assert line == line.rstrip()
        if len(line) > WIDTH:
            # Nothing that could break: no call with arguments, no operator between operands.
            assert not re.search(r" (\+|and|or|implies|then) |\w\(\w", line), line


@many
@given(expressions, expressions)
def test_no_parentheses_are_needless(left, right):
    """Without any one pair of parentheses the text means something else, or nothing."""
    policy = PolicyDeclaration("p", "E", (Let("x", Apply("add", (left, right))),))
    text = format_policy(policy)
    for opening, closing in _pairs(text):
        if _READABLE.search(text[:opening]) and text[opening + 1 :].lstrip().startswith("if"):
            continue
        without = text[:opening] + " " + text[opening + 1 : closing] + " " + text[closing + 1 :]
        with contextlib.suppress(ProgramError):
            assert read(without) != policy, (text, without)


_READABLE = re.compile(r"\b(if|then)\s*$")  # an `if` here could stand without parentheses, but would be hard to read


def _pairs(text):
    stack = []
    for offset, character in enumerate(text):
        if character == "(":
            stack.append(offset)
        elif character == ")":
            opening = stack.pop()
            if not re.search(r"[\w.]$", text[:opening]):
                yield opening, offset


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_the_projects_own_policies_are_laid_out(path):
    text = path.read_text(encoding="utf-8")
    assert format_text(text) == text


def test_comments_of_a_changed_tree_are_all_kept():
    """A tree put together from two texts has offsets of both."""
    one = read('policy p for "E" {\n  let a = 1  # first\n  # second\n  let b = 2  # third\n}\n')
    other = read('policy q for "E" {' + " " * 500 + "let c = 3 + d }")
    one.declarations = (one.declarations[0], *other.declarations, one.declarations[1])
    text = format_policy(one)
    assert read(text) == one
    assert [text.count(word) for word in ("# first", "# second", "# third")] == [1, 1, 1]
    assert "let a = 1  # first\n" in text and "let b = 2  # third\n" in text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_literals_keep_value_and_type(value):
    text = number_text(value)
    again = float(text) if any(character in text for character in ".e") else int(text)
    assert type(again) is type(value) and repr(again) == repr(value)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="cannot be written"):
        format_expression(Number(value))


@settings(deadline=None, max_examples=60)
@given(sprinkled(policies.map(format_policy)), st.randoms(use_true_random=False))
def test_comments_of_any_shuffled_tree_are_all_kept(case, random):
    """Offsets that do not rise are what a search makes when it moves parts of a program."""
    text, count = case
    policy = read(text)
    shuffled = list(policy.declarations)
    random.shuffle(shuffled)
    policy.declarations = tuple(shuffled)
    formatted = format_policy(policy)
    assert read(formatted) == policy
    assert sorted(re.findall(r"#(\d+);", formatted), key=int) == [str(number) for number in range(count)]
