"""Stored cases: one schema, readers for its predecessors, and files."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.cases.documents import case_document, case_from_document, content_hash
from hl_dsl.cases.files import (
    InvalidCase,
    add_case,
    nearest_cases_folder,
    read_case,
    read_counterexample,
    remove_case,
)
from hl_dsl.cases.records import CounterexampleCase, EpisodeCase, Window

BASE = EpisodeCase("kept", "CartPole-v1", "standard", 7, least_return=3.0)
EPISODE = EpisodeCase(
    "kept", "CartPole-v1", "standard", 7, 200, 50, Window(3, 4), least_return=3.0, holds="pole.angle > 0", origin="x"
)
COUNTEREXAMPLE = CounterexampleCase(
    "kept",
    "CartPole-v1",
    "p",
    {"id": "invariant:a", "kind": "invariant", "name": "a", "says": "s", "text": "t"},
    {"k": 1.5},
    ({"pole.angle": 0.25},),
)
# The documents of the first schemas, and the content hashes that runs recorded for them.
OLD_EPISODE = {
    "schema": "hl.regression/1",
    "environment": "CartPole-v1",
    "protocol": "standard",
    "seed": 7,
    "max_steps": 200,
    "dry_steps": 50,
    "window": {"start": 3, "ticks": 4},
    "least_return": 3.0,
    "holds": "pole.angle > 0",
    "origin": "x",
}
OLD_COUNTEREXAMPLE = {
    "schema": "hl.case/1",
    "environment": "CartPole-v1",
    "policy": "p",
    "property": {"id": "invariant:a", "kind": "invariant", "name": "a", "says": "s", "text": "t"},
    "parameters": {"k": 1.5},
    "ticks": [{"inputs": {"pole.angle": 0.25}}],
}

windows = st.builds(Window, st.integers(0, 30), st.integers(1, 30))
episodes = st.builds(
    EpisodeCase,
    st.just("case"),
    st.just("CartPole-v1"),
    st.just("standard"),
    st.integers(0, 49),
    st.none() | st.integers(1, 900),
    st.none() | st.integers(1, 900),
    st.none() | windows,
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.sampled_from(["pole.angle > 0", "cart.position in [-1, 1]"]),
    st.text(),
)
names = st.text(max_size=9)
numbers = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53) | st.booleans()
rows = st.dictionaries(names, numbers, max_size=3)
counterexamples = st.builds(
    CounterexampleCase,
    st.just("case"),
    st.just("CartPole-v1"),
    names,
    st.fixed_dictionaries({"id": names, "kind": names, "name": names, "text": names}),
    rows,
    st.lists(rows, min_size=1, max_size=3).map(tuple),
    names,
)


@settings(max_examples=20, deadline=None)  # each file is synced to the disk
@given(episodes | counterexamples)
def test_read_case_returns_what_add_case_wrote(tmp_path_factory, case):
    folder = tmp_path_factory.mktemp("cases") / "regressions"
    path = add_case(folder, case)
    assert read_case(path) == case
    with pytest.raises(InvalidCase, match="exists already"):
        add_case(folder, case)
    assert remove_case(folder, "case") == path and not path.exists()


@pytest.mark.parametrize("document, case", [(OLD_EPISODE, EPISODE), (OLD_COUNTEREXAMPLE, COUNTEREXAMPLE)])
def test_documents_of_the_old_schemas_are_read(document, case):
    assert case_from_document(document, "kept") == case == case_from_document(case_document(case), "kept")


@pytest.mark.parametrize("case, known", [(EPISODE, "e7d8213a698accb6"), (COUNTEREXAMPLE, "4022e7f9d05d29f3")])
def test_content_hashes_are_those_of_the_old_schemas(case, known):
    assert content_hash(case) == known


@given(episodes, st.text())
def test_content_hash_ignores_the_origin(case, origin):
    fields = {name: getattr(case, name) for name in case.__dataclass_fields__}
    assert content_hash(EpisodeCase(**fields | {"origin": origin})) == content_hash(case)
    assert content_hash(EpisodeCase(**fields | {"seed": (case.seed + 1) % 50})) != content_hash(case)


@pytest.mark.parametrize(
    "case, change, message",
    [
        (BASE, {"seed": True}, "`seed` is not a whole number"),
        (BASE, {"seed": None}, "`seed`"),
        (BASE, {"least_return": None}, "requires nothing"),
        (BASE, {"least_retrun": 3}, "unknown field `least_retrun`"),
        (BASE, {"least_return": "9"}, "`least_return` is not a number"),
        (BASE, {"window": {"start": 1}}, "`window`"),
        (BASE, {"window": {"start": 0, "ticks": 0}}, "`window`"),
        (BASE, {"max_steps": 0}, "`max_steps`"),
        (BASE, {"schema": "x/1"}, "schema"),
        (BASE, {"kind": "trace"}, "`kind` must be one of: episode, counterexample"),
        (COUNTEREXAMPLE, {"ticks": []}, "`ticks` is not a list of ticks"),
        (COUNTEREXAMPLE, {"ticks": [{"inputs": {"a": "b"}}]}, "`ticks` is not a list of ticks"),
        (COUNTEREXAMPLE, {"parameters": {"a": None}}, "`parameters` is not an object of numbers"),
        (COUNTEREXAMPLE, {"property": {"kind": "invariant"}}, "`property` is not an object"),
    ],
)
def test_invalid_fields_are_reported_with_the_path(tmp_path, case, change, message):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(case_document(case) | change))
    with pytest.raises(InvalidCase, match=message) as caught:
        read_case(path)
    assert str(path) in caught.value.message and caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "[" * 100_000,
        '{"schema": "hl.case/1"}',
        '{"schema": "hl.case/2"}',
        '{"schema": "hl.regression/1"}',
        "\x00",
    ],
)
def test_files_that_are_not_cases_are_reported(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InvalidCase, match="bad.json"):
        read_case(path)


def test_read_counterexample_rejects_episodes(tmp_path):
    with pytest.raises(InvalidCase, match="a case of an episode"):
        read_counterexample(add_case(tmp_path, BASE))
    assert read_counterexample(add_case(tmp_path / "other", COUNTEREXAMPLE)) == COUNTEREXAMPLE


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 200])
def test_names_cannot_leave_the_folder(tmp_path, name):
    fields = {field: getattr(BASE, field) for field in BASE.__dataclass_fields__}
    with pytest.raises(InvalidCase, match="cannot be the name of a case"):
        add_case(tmp_path / "regressions", EpisodeCase(**fields | {"name": name}))
    (tmp_path / "up.json").write_text(json.dumps(case_document(BASE)))
    with pytest.raises(InvalidCase, match="no case"):
        remove_case(tmp_path / "regressions", "../up")
    assert (tmp_path / "up.json").exists()


def test_remove_case_keeps_files_that_are_not_cases(tmp_path):
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(InvalidCase, match="is not a case"):
        remove_case(tmp_path, "notes")
    assert (tmp_path / "notes.json").exists()


def test_nearest_folder_is_in_the_folder_or_its_nearest_parent(tmp_path):
    task = tmp_path / "task"
    (task / "regressions").mkdir(parents=True)
    (task / "runs" / "one").mkdir(parents=True)
    assert nearest_cases_folder(task / "runs" / "one") == task / "regressions" == nearest_cases_folder(task)
    assert nearest_cases_folder(tmp_path) is None
