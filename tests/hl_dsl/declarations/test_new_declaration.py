"""A new declaration is one file and one registration: with it, `latch` works in every part of HL.

The file is `tests/hl_dsl/declarations/latch.py`; the registration is the fixture below.
"""

from __future__ import annotations

import ast
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hl_dsl.base.declaration_table import declaration_table, registered, standard_table
from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.cards import load_card
from hl_dsl.compiler.policy import Policy
from hl_dsl.grammar.formatter.format import format_text
from hl_dsl.grammar.parser import parse
from hl_dsl.grammar.tree.keywords import grammar_text
from hl_dsl.language.environment_grammar import card_grammar
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.mutation import Subject, cross, mutate
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.rollouts.rollout import evaluate
from tests.hl_dsl.declarations import latch as latch_file
from tests.hl_dsl.declarations.latch import Latch, LatchForm
from tests.support.generators import constrained
from tests.support.generators.agreement import disagreements
from tests.support.generators.inputs import interpret, runs

TEXT = """\
policy catch for "CartPole-v1" {
  observe cart.position, pole.angle

  param edge: real = 0.1 in [0.05, 1.5]

  # Where the cart went too far.
  latch far: set cart.position > edge reset cart.position < 0.0
  latch tilted: set pole.angle > 0.1 reset far

  act {
    when far          => LEFT
    when pole.angle > 0.0 => RIGHT
    otherwise         => LEFT
  }

  invariant goes_back: far implies action == LEFT
  invariant never_both: not (far and action == RIGHT)
  monitor straight: not tilted
  reachable can_be_far: far
}
"""
# The same program in the language as it is.
WRITTEN_OUT = TEXT.replace(
    "latch far: set cart.position > edge reset cart.position < 0.0",
    "memory far: bool = false { next = (far or cart.position > edge) and not (cart.position < 0.0) }",
).replace(
    "latch tilted: set pole.angle > 0.1 reset far",
    "memory tilted: bool = false { next = (tilted or pole.angle > 0.1) and not far }",
)
# Without properties, everything in it may be changed.
WITHOUT_PROPERTIES = f"""{TEXT.partition("  act {")[0]}  act {{
    when far and tilted   => LEFT
    when pole.angle > 0.0 => RIGHT
    otherwise             => LEFT
  }}
}}
"""


@pytest.fixture(autouse=True)
def latch():
    with registered(LatchForm()):
        yield


def findings(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ProgramError) as error:
        Program.parse(text)
    return [(item.code, item.repair.text if item.repair else "") for item in error.value.diagnostics]


def test_it_is_parsed_and_typed():
    program = Program.parse(TEXT)
    far, tilted = program.syntax.of(Latch)
    assert (far.name, tilted.name) == ("far", "tilted")
    assert str(program.checked.symbols["far"].type) == "bool"
    assert TEXT[far.span.start : far.span.end] == "latch far: set cart.position > edge reset cart.position < 0.0"


def test_mistakes_in_it_are_reported():
    assert findings(TEXT.replace("set pole.angle > 0.1", "set pole.angle")) == [("HL317", " != 0")]
    assert findings(TEXT.replace("set pole.angle > 0.1", "set pole.angel > 0.1")) == [("HL204", "pole.angle")]
    assert findings(TEXT.replace("latch tilted", "latch edge")) == [("HL201", "edge_2"), ("HL204", "")]
    assert findings(TEXT.replace("latch tilted", "latch set"))[0][0] in ("HL107", "HL117")
    assert findings(TEXT.replace("reset far", ""))[0][0].startswith("HL1")


def test_it_is_formatted():
    text = format_text(TEXT)
    assert "  latch far: set cart.position > edge reset cart.position < 0.0\n" in text
    assert "# Where the cart went too far." in text and format_text(text) == text
    assert parse(SourceText(text)).declarations == parse(SourceText(TEXT)).declarations
    long = TEXT.replace("cart.position > edge", " and ".join(["cart.position > edge"] * 5))
    assert max(map(len, format_text(long).splitlines())) <= 100


def test_it_lowers_to_the_memory_it_means():
    program, other = Program.parse(TEXT), Program.parse(WRITTEN_OUT)
    assert [cell.name for cell in program.flow.memories] == ["far", "tilted"]
    assert program.hash == other.hash


def test_its_name_is_a_definition_that_something_must_use():
    unused = Program.parse(TEXT.replace("monitor straight: not tilted", ""))
    assert [(item.code, item.message) for item in unused.warnings] == [("HL502", "the latch `tilted` is not used")]


def test_properties_of_it_are_proved():
    proof = Program.parse(TEXT).prove()
    assert proof.passed, proof.summary
    wrong = Program.parse(TEXT.replace("far implies action == LEFT", "far implies action == RIGHT")).prove()
    statuses = {result.id: str(result.status) for result in wrong.results if result.kind == "invariant"}
    assert statuses == {"invariant:goes_back": "violated", "invariant:never_both": "proved"}


@pytest.mark.parametrize("back_end", ["numpy", "tape", "interpreter"])
def test_it_runs_in_every_back_end(back_end):
    program = Program.parse(TEXT)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(st.data())
    def agree(data):
        run = data.draw(runs(program.flow))
        assert disagreements(run, interpret(run), back_end) == []

    agree()


def test_it_is_kept_from_tick_to_tick():
    policy = Policy(Program.parse(TEXT).flow)
    policy.reset(1)
    positions = [0.0, 0.2, 0.05, 0.05, -0.01, 0.05]
    actions = [int(policy.act({"observation": np.array([[x, 0, 0.05, 0]])})[0]) for x in positions]
    assert actions == [1, 1, 0, 0, 0, 1]  # the memory of the tick before decides


def test_the_decoder_grammar_has_it():
    grammar = card_grammar(load_card("CartPole-v1"))
    assert constrained.complaints(grammar) == []
    text = format_text(TEXT).replace("# Where the cart went too far.\n", "")
    assert constrained.accepted(text, grammar) == text
    assert constrained.accepted(text.replace("reset far", "reset 1 +"), grammar) != text


def test_mutants_of_it_are_programs():
    # A truth value that a property names is left as it is, so the program here has no properties.
    subject, draw, cache = Subject(Program.parse(WITHOUT_PROPERTIES)), Random(3), DeclarationCache()
    changed = set()
    for _ in range(150):
        mutant = mutate(subject, draw)
        if mutant is None:
            continue
        program = Program.from_syntax(mutant.policy, card=subject.program.card, reuse=cache)
        assert program.hash == Program.from_syntax(mutant.policy, card=subject.program.card).hash
        assert Program.parse(program.text).hash == program.hash
        before = {item.name: item for item in subject.policy.of(Latch)}
        changed |= {item.name for item in mutant.policy.of(Latch) if item != before.get(item.name)}
    assert changed == {"far", "tilted"}


def test_a_crossover_brings_it_along():
    other = Subject(
        Program.parse(
            'policy p for "CartPole-v1" { observe pole.angle act { when pole.angle > 0.0 => LEFT otherwise => RIGHT } }'
        )
    )
    mutants = [cross(other, Subject(Program.parse(WITHOUT_PROPERTIES)), Random(seed)) for seed in range(40)]
    policies = [mutant.policy for mutant in mutants if mutant is not None]
    taken = [Program.from_syntax(policy) for policy in policies if any(policy.of(Latch))]
    assert taken and all(program.flow.memories for program in taken)


def test_it_is_explained():
    text = Program.parse(TEXT).explain()
    assert "far, at first false" in text and "(Where the cart went too far.)" in text
    assert "true from where cart.position is above edge until cart.position is below 0" in text


def test_it_is_exported():
    module = {}
    exec(Program.parse(TEXT).export(), module)
    policy = module["Policy"](1)
    actions = [int(policy.act({"observation": np.array([[x, 0, 0.05, 0]])})[0]) for x in (0.2, 0.2, 0.05, -1.0, 0.0)]
    assert actions == [1, 0, 0, 0, 1]


def test_it_plays_in_the_environment():
    program, other = Program.parse(TEXT), Program.parse(WRITTEN_OUT)
    played = [
        evaluate(
            item.compile(),
            item.card,
            EpisodeSettings("standard", (0, 1, 2)),
            Resources(num_threads=1),
        )
        for item in (program, other)
    ]
    assert played[0].returns == played[1].returns
    assert min(played[0].returns) > 5


def test_it_is_one_file_that_imports_no_stage():
    tree = ast.parse(Path(latch_file.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    stages = ("grammar.parser", "language.checker", "compiler", "verify", "synth", "program")
    assert [module for module in modules if module.removeprefix("hl_dsl.").startswith(stages)] == []


def test_it_is_gone_afterwards():
    assert "latch" in grammar_text() and "latch" in declaration_table().words
    assert "latch" not in standard_table().words
