"""The prompt: its sections, their order, and their size limits."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from types import SimpleNamespace

import imageio.v3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.cards import load_card
from hl_dsl.cards.text import card_lines
from hl_dsl.grammar.decoder.ebnf import Literal, read_grammar, walk
from hl_dsl.grammar.tree.keywords import grammar_text
from hl_dsl.operators import OPERATORS
from hl_dsl.synth.environments.environments import Environments
from hl_dsl.synth.proposers.prompt.language_summary import MOST_CHARACTERS as LONGEST_CARD
from hl_dsl.synth.proposers.prompt.language_summary import language_summary
from hl_dsl.synth.proposers.prompt.prompt import LIMITS, MOST_BEST, MOST_CHARACTERS, MOST_PICTURES, build_prompt
from hl_dsl.synth.proposers.prompt.prompt_parts import BudgetLeft, FailedDirection, PromptParts, ShownProgram, Table
from hl_dsl.synth.proposers.prompt.truncation import table_text, truncate_middle
from hl_dsl.synth.rollouts.last_frames import LastFrames, png
from hl_dsl.synth.rollouts.picture import MOST_PICTURE_BYTES, Picture

CARD = load_card("CartPole-v1")
PARENT = 'policy a for "CartPole-v1" {\n  observe pole.angle\n  act LEFT\n}\n'
TRACE = Table(
    "seed 3: return 9",
    ("tick", "pole.angle", "kept", "action"),
    tuple((str(tick), f"0.0{tick}", "7", "LEFT") for tick in range(9)),
)
FULL = PromptParts(
    CARD,
    "standard",
    ShownProgram(PARENT, 9.5, "trial 4"),
    best=(ShownProgram("# best one", 30.0), ShownProgram("# best two", 20.0), ShownProgram("# best three", 10.0)),
    different=ShownProgram("# another kind"),
    worst=replace(TRACE, pictures=(Picture(b"png", "tick 8"),)),
    counterexample=Table("violated: invariant:upright", ("tick", "x"), (("0", "1"), ("1", "2"))),
    rejection="stopped at the gate `prove`",
    failed=(FailedDirection("moved\nless", "all_seeds: 8 is not better"),),
    budget=BudgetLeft(1000, 20, 30_000, 1.5, 60.0),
)


def headings(text: str) -> list[str]:
    return [re.split(r"[:,]", line[3:])[0] for line in text.split("\n") if line.startswith("## ")]


def test_the_stable_part_is_first_and_does_not_change():
    prompt = build_prompt(FULL)
    assert headings(prompt.text) == [
        "Task",
        "Language",
        "Environment",
        "Rules",
        "Program to improve",
        "Best program",
        "Best program",
        "Different program",
        "Worst seed",
        "Last proposal",
        "Counterexample",
        "Failed directions",
        "Budget left",
        "Answer",
    ]
    assert prompt.text.startswith(prompt.stable) and headings(prompt.stable)[-1] == "Rules"
    later = build_prompt(PromptParts(CARD, "standard", ShownProgram("# something else")))
    assert later.stable == prompt.stable and later.variable != prompt.variable
    assert headings(later.variable) == ["Program to improve", "Answer"]
    assert build_prompt(FULL) == prompt


def test_the_prompt_holds_all_parts():
    text = build_prompt(FULL).text
    for part in (
        PARENT.strip(),
        "mean return 9.5, trial 4",
        "# best one",
        "# best two",
        "# another kind",
        "seed 3: return 9",
        "Picture 1: tick 8",
        "kept = 7",
        "violated: invariant:upright",
        "stopped at the gate `prove`",
        "- moved less: all_seeds: 8 is not better",
        "1,000 environment steps",
        "20 programs",
        "30,000 tokens",
        "1.50",
        "60 seconds",
        language_summary(),
        "\n".join(card_lines(CARD)),
    ):
        assert part in text, part
    assert "# best three" not in text
    assert "card of my own" in build_prompt(replace(FULL, language="card of my own")).stable


def test_each_program_is_shown_once():
    text = build_prompt(
        replace(FULL, best=(ShownProgram(PARENT, 9.5), ShownProgram("# best", 9.0)), different=ShownProgram("# best"))
    ).text
    assert text.count("observe pole.angle") == 1 and text.count("# best") == 1


def test_scores_on_held_out_seeds_are_not_shown():
    header = "# What it does.\n#: program 12ab; well defined\n#: standard, seeds 50..99: mean 480\n"
    text = build_prompt(replace(FULL, parent=ShownProgram(header + PARENT), best=(ShownProgram(header + "# b"),))).text
    assert "480" not in text and "50..99" not in text and "# What it does." in text


TEXTS = st.text(st.sampled_from("ab \n#é"), max_size=60).flatmap(
    lambda text: st.sampled_from([text, text * 500, (text or "x") * 3000])
)
CELLS = st.text(st.sampled_from("0123456789.ab"), max_size=40)


@st.composite
def tables(draw):
    columns = draw(st.lists(CELLS, min_size=1, max_size=12)) * draw(st.sampled_from([1, 1, 9]))
    row = st.tuples(*[CELLS] * len(columns))
    return Table(
        draw(TEXTS), tuple(columns), tuple(draw(st.lists(row, max_size=5)) * draw(st.sampled_from([1, 2, 300])))
    )


SHOWN = st.builds(ShownProgram, TEXTS, st.none() | st.floats(allow_nan=False), TEXTS)
PICTURES = st.lists(
    st.builds(Picture, st.sampled_from([b"", b"x", b"x" * (MOST_PICTURE_BYTES + 1)]), TEXTS), max_size=9
).map(tuple)
ANY_PARTS = st.builds(
    PromptParts,
    st.just(CARD),
    st.just("standard"),
    SHOWN,
    TEXTS,
    st.none() | TEXTS,
    st.lists(SHOWN, max_size=4).map(tuple),
    st.none() | SHOWN,
    st.none() | st.builds(replace, tables(), pictures=PICTURES),
    st.none() | tables(),
    TEXTS,
    st.lists(st.builds(FailedDirection, TEXTS, TEXTS), max_size=40).map(tuple),
    st.builds(BudgetLeft, st.none() | st.integers(0)),
)


@given(ANY_PARTS)
@settings(max_examples=60, deadline=None)
def test_the_size_is_bounded_for_all_parts(parts):
    prompt = build_prompt(parts)
    assert len(prompt.text) <= MOST_CHARACTERS
    assert len(prompt.pictures) <= MOST_PICTURES and all(len(one.png) <= MOST_PICTURE_BYTES for one in prompt.pictures)
    assert prompt.text.count("\nPicture ") >= len(prompt.pictures)
    assert build_prompt(parts) == prompt


def test_card_and_summary_fit_their_sections():
    for environment in ("Breakout-v5", "LunarLander-v3", "Pendulum-v1"):
        assert len("\n".join(card_lines(load_card(environment)))) <= LIMITS["Environment"]
    assert len(language_summary()) <= LONGEST_CARD <= LIMITS["Language"]
    assert len(language_summary(brief=True)) < len(language_summary()) - 500


@given(TEXTS, st.integers(60, 3000))
def test_truncated_text_keeps_first_and_last_lines(text, most):
    short = truncate_middle(text, most)
    assert len(short) <= most
    if len(text.rstrip()) <= most:
        assert short == text.rstrip()
    else:
        assert "omitted" in short or "…" in short


def test_omitted_lines_are_counted():
    text = "\n".join(f"line {number}" for number in range(1000))
    first, counted, last = re.split(r"\n… ([\d,]+) lines omitted …\n", truncate_middle(text, 500))
    assert first.startswith("line 0") and last.endswith("line 999")
    assert int(counted) == 1000 - len(first.split("\n")) - len(last.split("\n"))


@given(tables(), st.integers(200, 4000))
@settings(max_examples=60, deadline=None)
def test_the_size_of_a_table_is_bounded(table, most):
    assert len(table_text(table, most)) <= most


def test_truncated_table_keeps_first_and_last_ticks():
    rows = tuple((str(tick), "7", str(tick * tick)) for tick in range(500))
    lines = table_text(Table("t", ("tick", "kept", "square"), rows), 600).split("\n")
    assert lines[1] == "the same at every tick: kept = 7" and lines[2].split() == ["tick", "square"]
    assert lines[3].split() == ["0", "0"] and lines[-1].split() == ["499", "249001"]
    omitted = next(int(line.split()[1]) for line in lines if "omitted" in line)
    assert omitted == 500 - (len(lines) - 4)


def test_language_summary_names_every_keyword_and_function():
    grammar, card = read_grammar(grammar_text()), language_summary()
    nodes = [part for node in [*grammar.rules.values(), *grammar.terminals.values()] for part in walk(node)]
    words = {part.text for part in nodes if type(part) is Literal and part.text.isalpha()}
    assert {"memory", "implies", "then"} <= words
    assert {word for word in words if not re.search(rf"\b{word}\b", card)} == set()
    for brief in (False, True):
        assert [
            row.name
            for row in OPERATORS.values()
            if row.syntax.kind == "call"
            and not row.internal
            and f"  {row.name}(" not in " " + language_summary(brief).replace(", ", "  ")
        ] == []


@pytest.mark.parametrize("environment, ticks", [("Breakout-v5", 17)])
def test_frames_become_pictures(environment, ticks):
    card = load_card(environment)
    frames = LastFrames(card, most=2, every=8)
    environments = Environments(card, "deterministic", [0])
    shown = environments.reset()
    for _ in range(ticks):
        actions = np.zeros(1, np.int32)
        frames(environments, shown, actions)
        shown = environments.step(actions)
    frames(environments, shown, None)
    last = shown.observation[0].copy()
    environments.close()
    pictures = frames.pictures()
    assert [one.says for one in pictures] == ["tick 16", "tick 17"]
    assert np.array_equal(imageio.v3.imread(io.BytesIO(pictures[-1].png)), last.transpose(1, 2, 0))
    assert all(len(one.png) < MOST_PICTURE_BYTES for one in pictures)


def test_a_failure_to_draw_does_not_end_the_episode():
    class Failing:
        def render(self, lane):
            if lane:
                raise HLError("cannot draw")
            return np.zeros((4, 6, 3), np.uint8)

    frames, shown = LastFrames(load_card("CartPole-v1"), lanes=2), SimpleNamespace(lanes=np.arange(2))
    frames(Failing(), shown, np.zeros(2))
    assert [len(frames.pictures(lane)) for lane in (0, 1)] == [1, 0]


def test_pictures_are_png():
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    assert png(picture).startswith(b"\x89PNG") and np.array_equal(imageio.v3.imread(io.BytesIO(png(picture))), picture)


def test_first_and_last_of_many_pictures_are_kept():
    pictures = tuple(Picture(bytes([number]), f"tick {number}") for number in range(10))
    kept = build_prompt(replace(FULL, worst=replace(TRACE, pictures=pictures))).pictures
    assert len(kept) == MOST_PICTURES and kept[0] == pictures[0] and kept[-1] == pictures[-1]


def test_number_of_best_programs_is_limited():
    assert headings(build_prompt(FULL).text).count("Best program") == MOST_BEST
