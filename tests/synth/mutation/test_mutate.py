"""Mutants are well typed, described in words, determined by the random numbers, and keep every property."""

from random import Random

import pytest
from hl_dsl.grammar.tree.syntax_tree import (
    Apply,
    Let,
    Memory,
    Name,
    Param,
    PlanDeclaration,
    PropertyDeclaration,
    expressions,
    walk,
)
from hl_dsl.synth.mutation import MUTATIONS, Subject, cross, mutate
from hl_dsl.synth.mutation.forecast import Forecast
from hl_dsl.synth.mutation.mutate import apply
from hl_dsl.synth.mutation.signal_terms import CompanionSignal, LeadSignal, RateSignal, Signal

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.operators import OPERATORS, Operator, registered
from hl_dsl.program import Program
from tests.support.paths import BENCHMARKS

START = Program.parse("""
policy follow for "Breakout-v5" {
  observe ram
  act { when ram[99] > ram[72] => RIGHT  when ram[99] < ram[72] => LEFT  otherwise => FIRE }
}
""")
BALANCE = Program.parse("""
policy balance for "CartPole-v1" { observe pole.angle  act { when pole.angle > 0 => RIGHT  otherwise => LEFT } }
""")
RICH = Program.parse("""
# Everything at once.
policy rich for "Breakout-v5" {
  observe ram, reward, lives

  param reach: real = 3 in [0, 8]
  param slow: bool = false
  param weights: vec[2] = [1, 2] in [-3, 3]

  let ball = 0.5 * ram[99] + 3
  let pair = [ball, 0.25 * ram[72]]
  let lost = ram[101] == 0
  let command = 234 - ram[70]
  let aim = clamp(sum(weights * pair), 20, 200)
  let unused_but_watched = ram[5] + 1

  memory dry: int in [0, 5000] = 0 { next = if reward > 0 then 0 else min(dry + 1, 5000) }
  memory held: real in [0, 255] = 0 { next = if lost then held else clamp(ball, 0, 255) }

  modes {
    start serve {
      act { when aim > held => RIGHT  when slow and not lost => NOOP  otherwise => FIRE }
      when not lost -> rally
    }
    rally {
      act { when aim > ram[72] + reach => RIGHT  when aim < ram[72] - reach => LEFT  otherwise => NOOP }
      when lost -> serve
      when dry > 1000 -> shake
    }
    shake { act { when rising(dry > 2000) => LEFT  otherwise => NOOP }  when lost -> serve }
  }

  assume command_follows: abs(command - previous(command, 0)) <= 255
  invariant aim_in_field: aim in [20, 200]
  invariant serves_when_lost: action == FIRE implies lost or mode == serve
  invariant serves_at_once: within 0 of lost and previous(lost, true):
    action == RIGHT or action == NOOP or action == FIRE
  monitor watched: unused_but_watched >= 0
  monitor shaken: after dry > 1000 and held < 9000 until lost: never_met or aim > 0
  reachable fires: action == FIRE
  let never_met = ram[6] == 300
}
""")
RAM = {number: Signal("ram", number, "int") for number in (70, 72, 99, 101, 103, 104, 105)}
ARRIVES = Forecast(
    RAM[99],
    RAM[101],
    True,
    177,
    57,
    198,
    4,
    0.5,
    0.1,
    RateSignal(RAM[105], None, True, 0.1),
    RateSignal(RAM[103], RAM[104], False, 0.0),
    (CompanionSignal(RAM[72], 55.0, 191.0, -3.0, 5.0, 9.0, LeadSignal(RAM[70], True, 234, 2, 0.6)),),
)
PLANNED = Program.load(BENCHMARKS / "planned_gait.hl")
PROGRAMS = {"start": START, "balance": BALANCE, "rich": RICH, "planned": PLANNED}


def mutants(program, count, first=0):
    subject = Subject(program)
    return [mutate(subject, Random(number)) for number in range(first, first + count)]


def checked(program, mutant):
    try:
        return Program.from_syntax(mutant.policy, card=program.card)
    except ProgramError:
        return None


@pytest.mark.parametrize("name", PROGRAMS)
def test_most_mutants_are_well_typed_and_distinct(name):
    program = PROGRAMS[name]
    made = mutants(program, 300)
    good = [found for mutant in made if (found := checked(program, mutant)) is not None]
    assert len(good) >= 0.9 * len(made), "the issue asks for 60 %"
    assert len({found.hash for found in good} - {program.hash}) >= 100


def test_every_mutation_makes_well_typed_programs():
    split = MUTATIONS["split-into-modes"]
    for mutation in MUTATIONS.values():
        program = START if mutation is split else RICH
        subject = Subject(program, find_forecasts=lambda: (ARRIVES,))
        made = [found for number in range(60) if (found := apply(subject, Random(number), mutation)) is not None]
        if mutation.name in ("offset-comparisons", "interception-rule") and not made:
            made = [apply(Subject(START, find_forecasts=lambda: (ARRIVES,)), Random(0), mutation)]
        assert made, f"{mutation.name} never applied"
        assert any(checked(program, one) is not None for one in made), f"{mutation.name} never gave a program"
        assert all(one.change and one.mutation == mutation.name for one in made)


def test_mutations_do_not_change_plans():
    for mutant in mutants(PLANNED, 100):
        assert tuple(mutant.policy.of(PlanDeclaration)) == tuple(PLANNED.syntax.of(PlanDeclaration)), mutant.change


@pytest.mark.parametrize("parent", [RICH, PLANNED], ids=lambda program: program.name)
def test_mutant_text_parses_to_the_same_program(parent):
    for mutant in mutants(parent, 80):
        program = checked(parent, mutant)
        if program is not None:
            assert Program.parse(program.text).hash == program.hash, program.text


def test_same_random_numbers_make_the_same_mutants():
    first, second = mutants(RICH, 60), mutants(RICH, 60)
    assert [(one.policy, one.change) for one in first] == [(two.policy, two.change) for two in second]
    assert [one.policy for one in mutants(RICH, 60, first=1000)] != [one.policy for one in first]


def test_mutations_do_not_change_properties():
    subject = Subject(RICH)
    frozen = subject.scope.frozen
    assert {"command", "lost", "unused_but_watched"} <= frozen, (
        "what assume speaks of, truths, and what only a property uses"
    )
    assert not frozen & {"aim", "ball", "held", "dry"}, "a number that an invariant bounds may change"
    before = definitions(RICH.syntax)
    for mutant in mutants(RICH, 400):
        assert tuple(mutant.policy.of(PropertyDeclaration)) == tuple(RICH.syntax.of(PropertyDeclaration)), mutant.change
        after = definitions(mutant.policy)
        for name in frozen & set(before):
            assert after.get(name) == before[name], f"{mutant.change} changed `{name}`"


def definitions(policy):
    return {item.name: item for item in policy.declarations if type(item) in (Let, Memory, Param)}


def test_every_operator_is_proposed():
    wanted = {row.name for row in OPERATORS.values() if not row.internal}
    seen = operators_in(mutants(RICH, 1500)) | operators_in(mutants(BALANCE, 3000))
    assert wanted <= seen, f"never proposed: {wanted - seen}"


def test_operator_added_at_run_time_is_proposed():
    double = Operator("twice_as_far", "twice {0}", parameters=("x",), formula="x + x")
    with registered(double):
        assert "twice_as_far" in operators_in(mutants(BALANCE, 1500))
    assert "twice_as_far" not in operators_in(mutants(BALANCE, 300))


def operators_in(made):
    return {
        node.operator
        for mutant in made
        if mutant
        for item in mutant.policy.declarations
        for top in expressions(item)
        for node in walk(top)
        if type(node) is Apply
    }


def test_newly_used_fields_are_observed():
    fields = set(START.card.fields) - {"ram", "step"}
    found = [mutant for mutant in mutants(START, 300) if names_in(mutant.policy) & fields]
    assert len(found) >= 20
    assert all(checked(START, mutant) is not None for mutant in found)


def names_in(policy):
    return {
        node.name
        for item in policy.declarations
        for top in expressions(item)
        for node in walk(top)
        if type(node) is Name
    }


def test_new_parameters_are_named_and_declared():
    found = [mutant for mutant in mutants(START, 200) if mutant.new_params]
    assert len(found) >= 50
    for mutant in found:
        assert set(mutant.new_params) <= {item.name for item in mutant.policy.of(Param)}


def test_crossover_copies_the_definitions_of_a_rule():
    donor = Program.parse("""
    policy donor for "Breakout-v5" {
      observe ram, reward
      param reach: real = 5 in [0, 9]
      let ball = ram[99] - 1
      memory dry: int in [0, 99] = 0 { next = if reward > 0 then 0 else min(dry + 1, 99) }
      act { when ball > reach and dry > 3 => LEFT  otherwise => RIGHT }
    }
    """)
    subject, other = Subject(RICH), Subject(donor)
    made = [found for number in range(80) if (found := cross(subject, other, Random(number))) is not None]
    good = [found for mutant in made if (found := checked(RICH, mutant)) is not None]
    assert len(good) >= 0.9 * len(made) >= 30
    with_rule = [program for program in good if "dry_2" in program.text]
    assert with_rule, "a memory of the same name and another meaning comes under a new name"
    assert all("99" in program.text and Program.parse(program.text).hash == program.hash for program in with_rule)
    for mutant in made:
        assert tuple(mutant.policy.of(PropertyDeclaration)) == tuple(RICH.syntax.of(PropertyDeclaration))


def test_mirrored_comparison_holds_on_the_other_side():
    subject = Subject(BALANCE)
    made = [apply(subject, Random(number), MUTATIONS["mirror-rule"]) for number in range(30)]
    conditions = {
        rule.condition.operator
        for mutant in made
        for item in mutant.policy.declarations
        if hasattr(item, "rules")
        for rule in item.rules
        if rule.condition is not None
    }
    assert conditions == {"greater", "less_equal"}
    assert all(checked(BALANCE, mutant) is not None for mutant in made)


def test_rule_for_times_without_reward_starts_after_the_longest_one():
    subject = Subject(START, no_reward_steps=(300, 1080))
    made = [apply(subject, Random(number), MUTATIONS["late-shift"]) for number in range(40)]
    limits = [item for mutant in made for item in mutant.policy.of(Param) if item.name == "patience"]
    assert len(limits) == len(made)
    assert (
        sum(
            item.range.low.value >= 300 and item.default.value > 300 and item.range.high.value <= 800 for item in limits
        )
        >= 25
    )


def test_equalities_and_ranges_have_no_mirror():
    for condition in ("ram[99] == ram[72]", "ram[99] != ram[72]", "ram[99] in [3, 9]"):
        subject = Subject(
            Program.parse(
                f'policy p for "Breakout-v5" {{ observe ram  act {{ when {condition} => RIGHT  otherwise => LEFT }} }}'
            )
        )
        assert all(apply(subject, Random(number), MUTATIONS["mirror-rule"]) is None for number in range(10))


def test_interception_rule_is_proved_and_steers_both_ways():
    follow = Program.parse(
        'policy follow for "Breakout-v5" { observe ram  act { when ram[99] > ram[72] => RIGHT  otherwise => LEFT } }'
    )
    for program in (START, follow):
        texts = set()
        for number in range(40):
            mutant = apply(
                Subject(program, find_forecasts=lambda: (ARRIVES,)), Random(number), MUTATIONS["interception-rule"]
            )
            made = checked(program, mutant)
            assert made is not None and made.prove().passed
            assert "reflect(" in made.text and {"RIGHT", "LEFT"} <= set(made.text.split())
            texts.add(made.text)
        assert len(texts) > 3 and any("234 - ram[70]" in text and "ram[103] - 256" in text for text in texts)


def test_no_interception_rule_without_a_forecast_or_a_comparison():
    assert apply(Subject(START), Random(0), MUTATIONS["interception-rule"]) is None
    assert apply(Subject(BALANCE, find_forecasts=lambda: (ARRIVES,)), Random(0), MUTATIONS["interception-rule"]) is None
