"""The decoder grammar: what it may be made of, what it lets through, and that all it lets through parses."""

from __future__ import annotations

import re
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lark import Lark

from hl_dsl.base.source import SourceText
from hl_dsl.cards import known_environments, load_card
from hl_dsl.grammar.decoder.grammar_for_decoding import decoder_grammar
from hl_dsl.grammar.decoder.regular_expressions import LONGEST_NAME, names_but, numbers_below
from hl_dsl.grammar.formatter.format import format_text
from hl_dsl.grammar.parser import parse
from hl_dsl.grammar.tree.keywords import grammar_text, reserved_words
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    After,
    Apply,
    Index,
    Modes,
    Name,
    Never,
    Number,
    Previous,
    PropertyDeclaration,
    Within,
    expressions,
    walk,
)
from hl_dsl.language.environment_grammar import card_grammar, card_words
from tests.support.generators.programs import GeneratedProgram, programs
from tests.support.generators.walks import Walker
from tests.support.paths import POLICIES, VERDICTS

# llguidance comes with the extra `test`.
constrained = pytest.importorskip("tests.support.generators.constrained", exc_type=ImportError)

LIBRARY = sorted(POLICIES.rglob("*.hl")) + sorted(VERDICTS.rglob("*.hl"))
SOME = ("Breakout-v5", "CartPole-v1", "Pendulum-v1", "LunarLander-v3", "HalfCheetah-v5")
FORBIDDEN = {
    "looking around": r"\(\?",
    "a lazy repetition": r"[*+?}]\?",
    "a directive": r"^\s*%",
    "a priority": r"^[A-Za-z_]+\.-?\d",
    "a template": r"^[a-z_]+\{|\b[a-z_]+\{[a-z]",
    "an end without bound": r"[*+]",
}


@cache
def grammar_of(environment: str) -> str:
    return card_grammar(load_card(environment))


def forbidden(grammar: str) -> set[str]:
    """The forbidden features of a grammar. A quoted sign is not a feature."""
    plain = re.sub(r'"(\\.|[^"\\])*"|\\.', "a", grammar)
    return {name for name, pattern in FORBIDDEN.items() if re.search(pattern, plain, re.MULTILINE)}


@pytest.mark.parametrize("environment", SOME)
def test_it_has_no_forbidden_feature(environment):
    assert forbidden(grammar_of(environment)) == set()


@pytest.mark.parametrize(
    "line, feature",
    [
        ("A: /a*?/", "a lazy repetition"),
        ("A: /a{1,2}?/", "a lazy repetition"),
        ("A: /(?=a)/", "looking around"),
        ("A: /(?<!a)/", "looking around"),
        ("A.2: /a/", "a priority"),
        ("%import common.WS", "a directive"),
        ("%ignore A", "a directive"),
        ("list{item}: item", "a template"),
        ("a: list{b}", "a template"),
        ("a: b*", "an end without bound"),
        ("A: /a+/", "an end without bound"),
    ],
)
def test_a_forbidden_feature_is_found(line, feature):
    assert feature in forbidden(grammar_of("CartPole-v1") + line)


def test_every_environment_has_one():
    assert {name: found for name in known_environments() if (found := constrained.complaints(grammar_of(name)))} == {}
    assert constrained.complaints("start: missing") != []


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_library_is_accepted(path):
    text = path.read_text(encoding="utf-8")
    environment = parse(SourceText(text)).environment
    assert constrained.accepted(text, grammar_of(environment)) == text
    assert constrained.accepted(format_text(text), grammar_of(environment)) == format_text(text)


def is_plain(program: GeneratedProgram) -> bool:
    """Whether the grammar is as wide as the language here.

    Actions are named, chosen, remembered or taken from a list, and no observation is indexed by arithmetic on literals.
    """

    def plain(node) -> bool:
        if type(node) is Apply and node.operator == "if":
            return all(map(plain, node.operands[1:]))
        return (
            type(node) is Name
            or type(node) is Index
            and type(node.vector) is Name
            or type(node) is Previous
            and plain(node.expression)
        )

    acts = [
        *program.policy.of(Act),
        *(mode.act for modes in program.policy.of(Modes) for mode in modes.modes if mode.act is not None),
    ]
    if program.card.action.is_discrete and not all(plain(rule.value) for act in acts for rule in act.rules):
        return False
    indices = [
        node.index
        for declaration in program.policy.declarations
        for top in expressions(declaration)
        for node in walk(top)
        if type(node) is Index and type(node.vector) is Name and node.vector.name in program.card.fields
    ]
    return all(type(index) in (Number, Name) for index in indices)


@given(programs().filter(is_plain))
@settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
def test_generated_programs_are_accepted(program):
    taken = constrained.accepted(program.text, card_grammar(program.card))
    assert taken == program.text, taken[-300:] + "<HERE>" + program.text[len(taken) :][:80]


PROGRAM = """policy p for "Breakout-v5" {
  observe ram, reward

  param far: real = 3 in [0, 9]
  let x = ram[99] + far
  let lane = ram[clamp(x, 0, 127)] + sum(ram[90:128])
  memory last: action = NOOP { next = action }

  act {
    when x < 3 and last != FIRE => if x in [0, 1] then LEFT else last
    otherwise => NOOP
  }

  invariant near: x <= 300
  invariant serves: after reward > 0 until x < 3: action != FIRE
  monitor returns: within 240 of x < 3: x > 2
  assume calm: never reward < 0
  reachable left: action == LEFT
}
"""


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("=> NOOP", "=> JUMP"),
        ("=> NOOP", "=> 3"),
        ("= NOOP {", "= JUMP {"),
        ("observe ram, reward", "observe ram, sonar"),
        ("Breakout-v5", "Pong-v5"),
        ("ram[99]", "ram[128]"),
        ("ram[99]", "ram[-1]"),
        ("ram[99]", "ram[099]"),
        ("90:128", "90:129"),
        ("ram[99]", "ram[ram]["),
        ("clamp(x,", "clmp(x,"),
        ("0, 127)", "0)"),
        ("let x", "let let"),
        ("let x", "let plan"),
        ("let x", "let ram"),
        ("let x", "let clamp"),
        ("let x", "let FIRE"),
        ("policy p", "policy when"),
        ("near:", "if:"),
        ("x < 3 and", "x < 3 < 4 and"),
        ("far: real", "far: float"),
        ("x < 3 and last != FIRE", "x < 3 and x < 2 or x > 4"),
        ("ram[99] + far", "rom[99] + ball.x"),
        ("within 240", "within 2.5"),
        ("within 240", "within -1"),
        ("within 240", "within far"),
        ("of x < 3:", "of x < 3"),
        ("of x < 3:", "x < 3:"),
        ("until x < 3:", "until x < 3"),
        ("until x < 3: ", ": "),
        ("until x < 3: ", "until x < 3: never "),
        ("never reward", "never never reward"),
        ("never reward", "seldom reward"),
        ("left: action", "left: never action"),
        ("never reward < 0", "never never: reward < 0"),
        ("near:", "within:"),
    ],
)
def test_what_is_not_there_cannot_be_named(right, wrong):
    assert constrained.accepted(PROGRAM, grammar_of("Breakout-v5")) == PROGRAM and right in PROGRAM
    assert constrained.accepted(PROGRAM.replace(right, wrong, 1), grammar_of("Breakout-v5")) != PROGRAM.replace(
        right, wrong, 1
    )


@pytest.mark.parametrize("environment", SOME)
def test_every_walk_parses(environment):
    walker = Walker(grammar_of(environment))
    seen = set()
    for number in range(150):
        text = walker.walk(Random(number), 60)
        seen |= {
            one.kind if one.pattern is None else type(one.pattern)
            for one in parse(SourceText(text)).of(PropertyDeclaration)
        }
        if number < 10:
            assert constrained.accepted(text, grammar_of(environment)) == text
    assert seen == {"assume", "invariant", "monitor", "reachable", Never, Within, After}


@pytest.mark.parametrize("environment", SOME)
def test_what_is_written_under_its_masks_parses(environment):
    ended = 0
    for number in range(8):
        text = constrained.drawn(grammar_of(environment), Random(number))
        if constrained.accepted(text, grammar_of(environment)) == text:
            parse(SourceText(text))
            ended += 1
    assert ended


def test_new_forms_come_along():
    claim = 'claim: expression\n     | "seldom" expression\n     | "every" NUMBER "ticks" expression ":" expression\n'
    grammar = grammar_text().replace('REACHABLE NAME ":" expression\n', f'REACHABLE NAME ":" claim\n{claim}')
    made = decoder_grammar(card_words(load_card("CartPole-v1")), grammar)
    assert '"every" GAP WHOLE GAP "ticks" GAP expression ":" GAP? expression' in made
    assert constrained.complaints(made) == [] and forbidden(made) == set()
    parser, walker = Lark(grammar, parser="lalr", lexer="basic", start="policy"), Walker(made)
    texts = [walker.walk(Random(number), 60) for number in range(40)]
    for text in texts:
        parser.parse(text)
    assert any("every" in text for text in texts)


@pytest.mark.parametrize(
    "old, new",
    [
        ("(IMPLIES logic)*", "(IMPLIES logic)+"),
        ("atom\n        |", "primary\n        |"),
        ("NUMBER: /", "DIGITS: /"),
        ("rule: WHEN", "value: WHEN"),
    ],
)
def test_a_grammar_it_does_not_fit_is_refused(old, new):
    assert old in grammar_text()
    changed = grammar_text().replace(old, new, 1).replace(" NUMBER", " DIGITS" if "DIGITS" in new else " NUMBER")
    with pytest.raises(ValueError, match="hl.lark"):
        decoder_grammar(card_words(load_card("CartPole-v1")), changed)


NAMES = st.from_regex(r"\A[a-z_][a-z0-9_]{0,12}\Z")


@given(st.sets(NAMES | st.sampled_from(sorted(reserved_words())), max_size=12), NAMES, st.integers(0, 20))
@settings(max_examples=50, deadline=None)
def test_names_but_some(words, name, taken):
    pattern = re.compile(names_but(words))
    for one in [name, *words, *(word[:taken] for word in words), *(word + name for word in words)]:
        assert bool(pattern.fullmatch(one)) == (0 < len(one) <= LONGEST_NAME and one not in words), one


@given(st.integers(1, 5000))
def test_numbers_below(end):
    pattern = re.compile(numbers_below(end))
    near = {0, 1, 9, 10, 99, 100, end // 2, end - 2, end - 1, end, end + 1, 10 * end}
    assert {number for number in near if number >= 0 and pattern.fullmatch(str(number))} == {
        number for number in near if 0 <= number < end
    }
    assert not pattern.fullmatch("00") and not pattern.fullmatch("01")
