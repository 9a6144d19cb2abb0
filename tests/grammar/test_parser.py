"""Parser: the tree of each notation, and the place of each node."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import NOWHERE, SourceText
from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.grammar.parser import parse
from hl_dsl.grammar.tree.input_limits import DEEPEST_NESTING
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    After,
    Apply,
    Boolean,
    Comment,
    Index,
    Let,
    Memory,
    Modes,
    Name,
    Never,
    Number,
    Observe,
    Observed,
    Param,
    Permute,
    PolicyDeclaration,
    Previous,
    PropertyDeclaration,
    Range,
    Rule,
    Slice,
    TypeName,
    Vector,
    Within,
    expressions,
    walk,
)
from tests.support.generators.syntax_trees import policies

X, Y, Z = Name("x"), Name("y"), Name("z")


def read(text: str) -> PolicyDeclaration:
    return parse(SourceText(text))


def expression(text: str):
    (let,) = read(f'policy p for "E" {{ let it = {text} }}').of(Let)
    return let.expression


@pytest.mark.parametrize(
    "text, tree",
    [
        ("1", Number(1)),
        ("-1", Number(-1)),
        ("1.0", Number(1.0)),
        ("-0.0", Number(-0.0)),
        ("2e3", Number(2000.0)),
        ("- - 1", Number(1)),
        ("-x", Apply("negate", (X,))),
        ("x - 1", Apply("subtract", (X, Number(1)))),
        ("x -1", Apply("subtract", (X, Number(1)))),
        ("true", Boolean(True)),
        ("truex", Name("truex")),
        ("torso.z", Name("torso.z")),
        ("x + y * z", Apply("add", (X, Apply("multiply", (Y, Z))))),
        ("x - y - z", Apply("subtract", (Apply("subtract", (X, Y)), Z))),
        ("x / y // z", Apply("floor_divide", (Apply("divide", (X, Y)), Z))),
        ("-x * y", Apply("multiply", (Apply("negate", (X,)), Y))),
        ("not x < y", Apply("not", (Apply("less", (X, Y)),))),
        ("not x and y", Apply("and", (Apply("not", (X,)), Y))),
        ("x and y and z", Apply("and", (Apply("and", (X, Y)), Z))),
        ("x and y implies z", Apply("implies", (Apply("and", (X, Y)), Z))),
        ("x in [0, y + 1]", Apply("in", (X, Number(0), Apply("add", (Y, Number(1)))))),
        ("if x then y else z", Apply("if", (X, Y, Z))),
        ("if x then y else z + 1", Apply("if", (X, Y, Apply("add", (Z, Number(1)))))),
        ("clamp(x, y, z)", Apply("clamp", (X, Y, Z))),
        ("previous(x, 0)", Previous(X, Number(0))),
        ("x[0]", Index(X, Number(0))),
        ("x[y][z]", Index(Index(X, Y), Z)),
        ("-x[0]", Apply("negate", (Index(X, Number(0)),))),
        ("x[0:3]", Slice(X, 0, 3)),
        ("x[[2, 0]]", Permute(X, (2, 0))),
        ("x[[y, 0]]", Index(X, Vector((Y, Number(0))))),
        ("[x, 1]", Vector((X, Number(1)))),
        ("((x))", X),
    ],
)
def test_expression(text, tree):
    assert expression(text) == tree


def test_int_and_real_literals_differ():
    assert expression("1") != expression("1.0")
    assert expression("0.0") != expression("-0.0")


def test_declarations():
    policy = read("""policy p for "E" {
        observe ram[128] in [0, 255], reward
        param gain: real = -3 in [-8, 8.5]
        param fast: bool = true
        memory pair: vec[2] in [0, 1] = [0, 1] { next = pair }
        modes { start a { act LEFT when true -> b } b { } }
        act { when x => LEFT otherwise => RIGHT }
        invariant i: x monitor m: y assume s: z
    }""")
    assert policy.name == "p" and policy.environment == "E"
    observe, gain, fast, pair, modes, act, *properties = policy.declarations
    assert observe == Observe((Observed("ram", 128, Range(Number(0), Number(255))), Observed("reward", None, None)))
    assert gain == Param("gain", TypeName("real", None), Number(-3), Range(Number(-8), Number(8.5)))
    assert fast == Param("fast", TypeName("bool", None), Boolean(True), None)
    assert pair == Memory(
        "pair", TypeName("vec", 2), Range(Number(0), Number(1)), Vector((Number(0), Number(1))), Name("pair")
    )
    assert type(modes) is Modes and [(mode.name, mode.is_start, len(mode.transitions)) for mode in modes.modes] == [
        ("a", True, 1),
        ("b", False, 0),
    ]
    assert act == Act((Rule(X, Name("LEFT")), Rule(None, Name("RIGHT"))))
    assert [(item.kind, item.name) for item in properties] == [("invariant", "i"), ("monitor", "m"), ("assume", "s")]
    assert all(type(item) is PropertyDeclaration for item in properties)


def test_properties_over_several_ticks():
    policy = read("""policy p for "E" {
        invariant n: never x
        monitor w: within 3 of x: y
        assume a: after x until y: never_met
        reachable r: x
        invariant i: x in [0, 1] implies y monitor plain: y
    }""")
    assert [(item.kind, item.name, item.expression, item.pattern) for item in policy.declarations[:4]] == [
        ("invariant", "n", X, Never()),
        ("monitor", "w", Name("y"), Within(3, X)),
        ("assume", "a", Name("never_met"), After(X, Name("y"))),
        ("reachable", "r", X, None),
    ]
    assert [item.pattern for item in policy.declarations[4:]] == [None, None]
    assert list(expressions(policy.declarations[2])) == [X, Name("y"), Name("never_met")]


@pytest.mark.parametrize("word", ["never", "within", "of", "after", "until", "reachable"])
def test_keywords_of_properties_are_rejected_as_names(word):
    with pytest.raises(ProgramError, match=f"`{word}` is a word of the language, not a name"):
        read(f'policy p for "E" {{ let {word} = 1 }}')


@settings(deadline=None, max_examples=60)
@given(policies)
def test_the_span_of_an_expression_is_its_place_in_the_text(policy):
    source = SourceText(format_policy(policy))
    for declaration in parse(source).declarations:
        assert source.text[declaration.span.start : declaration.span.end].strip()
        for top in expressions(declaration):
            for node in walk(top):
                assert node.span != NOWHERE
                start, end = source.balanced(node.span)
                assert expression(source.text[start:end]) == node


def test_layout_does_not_matter():
    text = 'policy p for "E" { let x = if a then [1, 2][0] else -b act LEFT }'
    spread = text.replace(" ", "\r\n\t ")
    assert read(spread) == read(text)


def test_comments_and_empty_lines_are_kept_with_their_places():
    text = '# one\n\npolicy p for "a # b" { # two  \n\n  # three\n  let x = 1\n} # four'
    policy = read(text)
    assert policy.environment == "a # b"
    assert [(comment.text, comment.own_line) for comment in policy.comments] == [
        ("# one", True),
        ("# two", False),
        ("# three", True),
        ("# four", False),
    ]
    for comment in policy.comments:
        assert type(comment) is Comment and text[comment.span.start :].startswith(comment.text)
    assert policy.after_blank == {text.index("policy"), text.index("# three")}
    assert text[policy.end_span.start] == "}"


def test_brackets_in_comments_do_not_count():
    assert read('policy p for "E" {\n' + "# ((((((((((\n" * 50 + "let x = 1 }").declarations


def test_the_deepest_expression_there_may_be():
    def nested(depth: int) -> str:
        return "not (" * depth + "x" + ")" * depth

    assert read(f'policy p for "E" {{ let x = {nested(DEEPEST_NESTING - 1)} }}')
    with pytest.raises(ProgramError) as raised:
        read(f'policy p for "E" {{ let x = {nested(DEEPEST_NESTING)} }}')
    assert raised.value.diagnostics[0].code == "HL111"


def test_what_the_formatter_makes_of_the_deepest_expression_is_read_again():
    text = "if " * (DEEPEST_NESTING - 1) + "x" + " then x else x" * (DEEPEST_NESTING - 1)
    policy = read(f'policy p for "E" {{ let x = {text} }}')
    assert read(format_policy(policy)) == policy


def test_parses_in_several_threads_do_not_mix():
    texts = [f'policy p{number} for "E" {{ let x = {number} # comment {number}\n }}' for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        for number, policy in enumerate(pool.map(read, texts)):
            assert policy.name == f"p{number}" and [comment.text for comment in policy.comments] == [
                f"# comment {number}"
            ]
