"""Checks with the cache of declarations equal checks without it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.compiler.lowering.expressions import Expressions
from hl_dsl.grammar.tree.syntax_tree import expressions, walk
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.language.type_inference import Inference
from hl_dsl.program import Program
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.verify import SearchCache, screen
from tests.support.generators.programs import programs
from tests.support.paths import POLICIES
from tests.synth.mutation.test_mutate import RICH

KNOWN = [RICH, *map(Program.load, sorted(POLICIES.glob("*/*.hl")))]


def outcome(policy, card, reuse=None, memo=None):
    """Results of checking, lowering, hashing and screening; the diagnostics of an invalid program."""
    try:
        program = Program.from_syntax(policy, card=card, reuse=reuse)
    except ProgramError as error:
        return None, repr(error.diagnostics)
    nodes = [node for item in policy.declarations for top in expressions(item) for node in walk(top)]
    flow = program.flow
    return program, [
        program.warnings,
        program.checked.order,
        [program.checked.types.get(id(node)) for node in nodes],
        # As text, because 0.0 and -0.0 are equal.
        repr(
            (
                flow.nodes,
                flow.inputs,
                flow.parameters,
                flow.memories,
                flow.action,
                flow.lets,
                flow.modes,
                flow.properties,
            )
        ),
        flow.values,
        flow.obligations,
        program.hash,
        [(one.id, one.status) for one in screen(flow, memo).results],
    ]


def follow(program: Program, seed: int, steps: int) -> int:
    """Goes along a chain of mutants, each made of the one before or of an earlier one. Gives how many were programs."""
    reuse, memo, draw = DeclarationCache(), SearchCache(), Random(seed)
    line = [program]
    for _ in range(steps):
        made = mutate(Subject(draw.choice(line[-3:])), draw)
        if made is None:
            continue
        found, cached = outcome(made.policy, program.card, reuse, memo)
        assert cached == outcome(made.policy, program.card)[1], made.change
        if found is not None:
            line.append(found)
    return len(line) - 1


@pytest.mark.parametrize("program", KNOWN, ids=lambda program: program.name)
def test_cached_checks_of_a_mutant_chain_equal_fresh_ones(program):
    assert follow(program, 0, 40) >= 20


@settings(max_examples=16, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(programs(), st.integers(0, 1000))
def test_cached_checks_of_generated_programs_equal_fresh_ones(program, seed):
    follow(Program(program.checked), seed, 8)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(programs(), min_size=2, max_size=4))
def test_cache_serves_several_environments(sequence):
    reuse = DeclarationCache()
    for program in [*sequence, *reversed(sequence)]:
        assert (
            outcome(program.policy, program.checked.card, reuse)[1] == outcome(program.policy, program.checked.card)[1]
        )


def test_known_declarations_are_not_checked_again(monkeypatch):
    program = Program.load(POLICIES / "breakout" / "ram.hl")
    reuse = DeclarationCache()
    first = outcome(program.syntax, program.card, reuse)[1]
    monkeypatch.setattr(Inference, "of", None)
    monkeypatch.setattr(Expressions, "_lower", None)
    assert outcome(program.syntax, program.card, reuse)[1] == first


def test_program_can_be_lowered_after_the_cache_served_another_environment():
    programs = [Program.load(POLICIES / name) for name in ("breakout/start.hl", "cartpole/lean.hl")]
    reuse = DeclarationCache()
    first, second = (Program.from_syntax(program.syntax, card=program.card, reuse=reuse) for program in programs)
    assert repr(first.flow.nodes) == repr(programs[0].flow.nodes) and first.hash == programs[0].hash
    assert second.hash == programs[1].hash
