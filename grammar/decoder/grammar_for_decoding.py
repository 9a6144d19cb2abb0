"""Grammar for constrained decoding, made from the parser's grammar, for one environment.

Language models that are held to a grammar while they write (OpenAI's custom tools, llguidance) take a part of Lark's
notation: no lookaround, no lazy repetition, no priorities, templates or imports. They also write better programs when
white space is explicit and repetition is bounded. So the parser's grammar is read as a tree and changed: ignored text
becomes gaps between tokens, left recursion becomes a chain, and some rules become narrower (`_edits`, and the
`decoder_edits` of each declaration). A rule becomes narrower where the parser's grammar accepts what the tree builder
refuses, and where a name occurs: a name here is one of the environment's, one of the language's, or a new one that
collides with neither. Rules without an edit are unchanged. Every text of the decoder grammar parses, unless its
expressions are nested deeper than the language allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hl_dsl.base.declaration_table import DeclarationTable, declaration_table
from hl_dsl.grammar.decoder.ebnf import (
    Choice,
    GrammarNode,
    Literal,
    RegexTerminal,
    Repeat,
    RuleReference,
    read_expansion,
    read_grammar,
    sequence,
    walk,
    write_node,
)
from hl_dsl.grammar.decoder.regular_expressions import names_but, numbers_below
from hl_dsl.grammar.decoder.rule_transforms import bounded, chained, inlined, reached, renamed, replaced, without
from hl_dsl.grammar.decoder.whitespace import GAP, with_gaps
from hl_dsl.grammar.tree.keywords import grammar_text, reserved_words

MOST_IN_A_LIST = 128  # declarations, rules, components
MOST_IN_A_CHAIN = 24  # operands of one operator's strength; they nest, and nesting has a limit
_START = "start"
_VALUES = ("signed", "atom")  # the rules where a NUMBER is a value; elsewhere it is a count, and whole

_ONE_SPACE, _COMMENT = " {0,80}", "#[^\\x00-\\x1f\\x7f]{0,200}"
_LINE = f"({_COMMENT})?\\n{_ONE_SPACE}"
_TERMINALS = {
    "NUMBER": r"[0-9]{1,16}(\.[0-9]{1,20})?([eE](-[0-9]{1,3}|\+?[0-9]{1,2}|\+?[12][0-8][0-9]))?",
    "WHOLE": r"0|[1-9][0-9]{0,14}",
    "SIZE": r"[1-9][0-9]{0,2}",
    GAP.name: f" {{1,80}}({_LINE}){{0,60}}|({_LINE}){{1,60}}",
}
_WORDLIKE = frozenset(("NAME", "LABEL", "NUMBER", "WHOLE", "SIZE"))


@dataclass(frozen=True)
class Words:
    """The names that a program may use without defining them.

    Attributes:
        environment: Id of the environment.
        observations: Each observation with its length; None for a single value.
        actions: Names of actions; empty if an action is a number.
        values: Names that have a value in every program.
        types: Names of types, except `vec`.
        functions: Each function with its number of arguments.
        settings: Names of a plan's settings; empty if the environment has no model.
        previous: Name of the function whose second argument is a literal.
    """

    environment: str
    observations: Mapping[str, int | None]
    actions: tuple[str, ...]
    values: tuple[str, ...]
    types: tuple[str, ...]
    functions: Mapping[str, int]
    settings: tuple[str, ...] = ()
    previous: str = "previous"

    @property
    def taken(self) -> frozenset[str]:
        """Names that no definition may have."""
        return reserved_words() | {
            *self.observations,
            *self.actions,
            *self.values,
            *self.types,
            *self.functions,
            self.previous,
            "vec",
        }


def decoder_grammar(words: Words, text: str | None = None) -> str:
    """The grammar in Lark's notation; its first rule is `start`.

    `text` is the parser's grammar, by default that of the table of declarations. Raises ValueError if it is not as the
    edits expect.
    """
    grammar = read_grammar(text or grammar_text())
    rules = {name: inlined(node, grammar.terminals) for name, node in grammar.rules.items()}
    table = declaration_table()
    for alternative in (name for form in table.forms if not form.is_offered(words) for name in form.alternatives):
        del rules[alternative]
        rules = {name: without(node, RuleReference(alternative)) for name, node in rules.items()}
    for rule, old, new in _edits(words, table):
        if rule not in rules:
            raise ValueError(f"`hl.lark` has no rule `{rule}`")
        rules[rule] = replaced(
            rule, rules[rule], *(inlined(read_expansion(part), grammar.terminals) for part in (old, new))
        )
    for name, part in _own_rules(words, table).items():
        if name in rules:
            raise ValueError(f"`hl.lark` has a rule `{name}` of its own")
        rules[name] = inlined(read_expansion(part), grammar.terminals)
    for name, node in rules.items():
        node = bounded(chained(name, node, MOST_IN_A_CHAIN), MOST_IN_A_LIST)
        rules[name] = node if name in _VALUES else renamed(node, "NUMBER", "WHOLE")
    return _text(reached(with_gaps(rules, _WORDLIKE), "policy"), words)


def _edits(words: Words, table: DeclarationTable) -> Iterable[tuple[str, str, str]]:
    """Changes of rules: (rule, the part that is replaced, its replacement)."""
    yield "implication", "(IMPLIES logic)*", "(IMPLIES logic)?"
    yield (
        "logic",
        "((AND | OR) negation)*",
        f"((AND negation)~1..{MOST_IN_A_CHAIN} | (OR negation)~1..{MOST_IN_A_CHAIN})?",
    )
    yield "comparison", "comparator*", "comparator?"
    yield "policy", "NAME", "LABEL"
    yield "policy", "STRING", _quoted(f'"{words.environment}"')
    yield "type", 'NAME ["[" NUMBER RSQB]', "type_name"
    yield "literal", "NAME", "constant"
    yield "atom", "NAME LPAR [arguments] RPAR", "call"
    yield "atom", "NAME", "value | piece" if _vectors(words) else "value"
    if _vectors(words):
        yield "unary", "postfix", "(part | postfix)"
    for form in table.forms:
        if form.is_offered(words):
            yield from ((rule, "NAME", "LABEL") for rule in form.labelled_rules)
            yield from form.decoder_edits(words)


def _own_rules(words: Words, table: DeclarationTable) -> dict[str, str]:
    """Rules in addition to the parser's, before gaps are added."""
    scalars = [name for name, size in words.observations.items() if size is None]
    by_arity: dict[int, list[str]] = {}
    for name, arity in words.functions.items():
        by_arity.setdefault(arity, []).append(name)
    calls = [
        f"({_any(name + '(' for name in names)}) {_listed('expression', arity)} RPAR"
        for arity, names in sorted(by_arity.items())
    ]
    calls.append(f'{_quoted(words.previous + "(")} expression "," literal RPAR')
    observed = [*scalars, *(shape for name, size in _vectors(words).items() for shape in (name, f"{name}[{size}]"))]
    rules = {
        "observation": _any(observed),
        "type_name": f'{_any(words.types)} | "vec[" SIZE RSQB',
        "constant": _any(words.actions, "NAME"),
        "value": _any([*scalars, *words.values, *words.actions], "NAME"),
        "call": " | ".join(calls),
    }
    for form in table.forms:
        if form.is_offered(words):
            rules |= form.decoder_rules(words)
    if words.actions:
        previous = f'{_quoted(words.previous + "(")} ("action" | action) "," constant RPAR'
        rules["action"] = (
            f'IF expression "then" action "else" action | {previous} | constant | NAME LSQB expression RSQB'
        )
    vectors = _vectors(words)
    for number, (name, size) in enumerate(vectors.items()):
        opened, index = _quoted(name + "["), f"INDEX_{size}"
        rules[f"part_{number}"] = f"{_quoted(name)} | {opened} ({index} | computed) RSQB"
        rules[f"piece_{number}"] = f'{opened} ({index} ":" END_{size} | LSQB {index} ("," {index})* RSQB) RSQB'
    if vectors:
        rules["part"], rules["piece"] = (
            " | ".join(f"{kind}_{number}" for number in range(len(vectors))) for kind in ("part", "piece")
        )
        # A computed index starts with a name, so that it is not a literal outside the range.
        rules["computed"] = (
            f"(value | call) (LSQB expression RSQB)? ((PLUS | MINUS | STAR | DOUBLE_SLASH) unary)~0..{MOST_IN_A_CHAIN}"
        )
    return rules


def _vectors(words: Words) -> dict[str, int]:
    return {name: size for name, size in words.observations.items() if size is not None}


def _listed(symbol: str, count: int) -> str:
    return ' "," '.join([symbol] * count)


def _any(texts: Iterable[str], *more: str) -> str:
    return " | ".join([*map(_quoted, texts), *more])


def _quoted(text: str) -> str:
    return write_node(Literal(text))


def _text(rules: Mapping[str, GrammarNode], words: Words) -> str:
    patterns = {"NAME": names_but(words.taken), "LABEL": names_but(reserved_words()), **_TERMINALS}
    terminals = {name: RegexTerminal(f"/{text}/") for name, text in patterns.items()}
    for size in sorted(set(_vectors(words).values())):
        terminals[f"INDEX_{size}"] = RegexTerminal(f"/{numbers_below(size)}/")
        terminals[f"END_{size}"] = RegexTerminal(f"/{numbers_below(size + 1)}/")
    lines = [f"{_START}: {write_node(sequence(Repeat(GAP, 0, 1), RuleReference('policy'), Repeat(GAP, 0, 1)))}"]
    lines += [f"{name}: {_rule_text(node)}" for name, node in rules.items()]
    used = {part.name for node in rules.values() for part in walk(node) if type(part) is RuleReference}
    lines += [
        f"{name}: {write_node(pattern)}" for name, pattern in terminals.items() if name in used or name == GAP.name
    ]
    missing = used - set(rules) - set(terminals)
    if missing:
        raise ValueError(f"`hl.lark` has terminals the decoder grammar does not know: {', '.join(sorted(missing))}")
    return "\n".join(lines) + "\n"


def _rule_text(node: GrammarNode) -> str:
    return (
        "\n    | ".join(write_node(option, False) for option in node.options)
        if type(node) is Choice
        else write_node(node)
    )
