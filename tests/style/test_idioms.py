"""Idioms of `idioms.txt` do not return, and modules and classes are described by noun phrases."""

from __future__ import annotations

import pytest

from tests.style.idioms import checked_files, found_in, occurrences, questions


def test_no_idiom_is_used():
    lines = [line for file in checked_files([]) for line in found_in(file)]
    assert lines == []


@pytest.mark.parametrize(
    ("text", "idiom"),
    [
        ("The repair mends the program.", "mends"),
        ("def test_what_is_told(): pass", "told"),
        ("a name that is none", "is none"),
        ("# The run goes\n# on here.", "goes on"),
        ("it hangs on the seed", "hangs on"),
        ("A card beside the policy", "beside"),
    ],
)
def test_an_idiom_is_found(text, idiom):
    assert [" ".join(found.split()) for _, found, _ in occurrences(text)] == [idiom]


@pytest.mark.parametrize(
    "text",
    [
        "if value is None: pass",
        "optimizer.tell(points, scores)",
        "There is no planner in this policy.",
        "It is no longer needed.",
        "a standalone file of the standard library",
    ],
)
def test_plain_english_is_accepted(text):
    assert list(occurrences(text)) == []


def test_an_indirect_question_is_found():
    assert list(questions('"""Whether two programs act the same."""')) != []
    assert list(questions('"""Equivalence of two programs."""')) == []
