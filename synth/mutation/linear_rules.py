"""Mutations with weighted sums: rules that apply if a weighted sum of observations is positive.

A weighted sum is the smallest expression over all observations, and its weights are parameters that are tuned together.
If an environment shows a whole memory instead of a few numbers, only the components that the program already reads have
a weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hl_dsl.cards import Field
from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Index, Name, Number, Rule
from hl_dsl.language.types import BOOL, REAL
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.rules import acts, put_act
from hl_dsl.synth.mutation.tree_paths import ordinal

MOST_FEATURES = 16
_ALL, _BAND, _STOP, _VOTE = 0.75, 0.2, 0.2, 0.7
_REACH = 3.0  # how far a weight may go, where 1 makes a term of a usual size 1
_NOT_WEIGHED = ("reward", "lives", "step")
_WIDEST = 10.0  # a declared range beyond this says what is possible, not what is usual


@dataclass(frozen=True)
class Feature:
    """Something to weigh. `size`: how large it usually is."""

    expression: Expression
    size: float
    truth: bool


def features(draft: Draft) -> list[Feature]:
    """Terms of a weighted sum: scalar observations, and components of vectors that are short or that the program reads.

    The reward is omitted: it is the result of the last action.
    """
    scope = draft.scope
    shown = {name: field for name, field in _shown(draft).items() if name in scope.values}
    single = [name for name, field in shown.items() if field.size is None]
    if single:
        return [_feature(draft, Name(name), scope.values[name] is BOOL) for name in single[:MOST_FEATURES]]
    found = [
        Index(Name(name), Number(place))
        for name, field in shown.items()
        if field.size is not None and field.size <= MOST_FEATURES
        for place in range(field.size)
    ]
    read = {
        (node.vector.name, node.index.value): node
        for _, node in scope.components
        if type(node.vector) is Name and type(node.index) is Number and node.vector.name in shown
    }
    return [_feature(draft, one, False) for one in found or read.values()][:MOST_FEATURES]


def shows_few_numbers(draft: Draft) -> bool:
    """Returns whether the observations are few enough for one weighted sum, and the actions are named."""
    sizes = [field.size for field in _shown(draft).values()]
    return (
        0 < (sizes.count(None) or sum(size or 0 for size in sizes)) <= MOST_FEATURES
        and len(draft.scope.constants["action"]) > 1
    )


def _shown(draft: Draft) -> dict[str, Field]:
    return {name: field for name, field in draft.scope.program.card.fields.items() if field.source not in _NOT_WEIGHED}


def _feature(draft: Draft, expression: Expression, truth: bool) -> Feature:
    if truth:
        return Feature(expression, 1.0, True)
    known = None
    if type(expression) is Name:
        known = draft.subject.sizes.get((expression.name, None))
    elif type(expression) is Index and type(expression.vector) is Name and type(expression.index) is Number:
        known = draft.subject.sizes.get((expression.vector.name, int(expression.index.value)))
    if known is not None:
        return Feature(expression, known, False)
    low, high = draft.subject.ranges.of(expression) or (-1.0, 1.0)
    size = max(abs(low), abs(high))
    return Feature(expression, size if 0 < size <= _WIDEST else 1.0, False)


def _some(draft: Draft, whole: bool) -> list[Feature]:
    """All features, or a few."""
    every = features(draft)
    if not every or whole:
        return every
    return draft.random.sample(every, min(len(every), draft.random.choice((1, 2, 2, 3, 3, 4, 4, 5, 6))))


def _term(draft: Draft, feature: Feature) -> Expression:
    reach = _REACH / feature.size
    weight = draft.new_param("weight", "real", -reach, reach, 0.0)
    if feature.truth:
        return Apply("if", (feature.expression, weight, Number(0.0)))
    return Apply("multiply", (weight, feature.expression))


def weighted_sum(draft: Draft, chosen: list[Feature]) -> Name:
    """A name for the sum of the features, each times a new parameter, and one more parameter."""
    total = _term(draft, chosen[0])
    for feature in chosen[1:]:
        total = Apply("add", (total, _term(draft, feature)))
    return draft.new_let("lean", Apply("add", (total, draft.new_param("bias", "real", -_REACH, _REACH, 0.0))))


def linear_rules(draft: Draft) -> str | None:
    """Replaces all rules of a decision list by rules on weighted sums.

    Each action applies if its own sum is positive, or the action with the greatest sum applies, or one action above and
    another below a band around zero.
    """
    names = list(draft.scope.constants["action"])
    if len(names) < 2 or not features(draft):
        return None
    draft.random.shuffle(names)
    position, before, act = acts(draft)[0]
    rules: list[Rule] = []
    whole = draft.random.random() < _ALL
    if len(names) > 2 and draft.random.random() < _VOTE:
        rules = _vote(draft, names, whole)
    while len(names) > 1 and not (rules and draft.random.random() < _STOP):
        rules += _rules_on_one_sum(draft, names, whole)
    put_act(draft, position, before, replace(act, rules=(*rules, Rule(None, Name(names[0])))))
    return f"{len(rules)} rules on weighted sums"


def _vote(draft: Draft, names: list[str], whole: bool) -> list[Rule]:
    """Takes all actions but one from `names`; that one has a sum of zero."""
    greatest: Expression = Number(0.0)
    rules: list[Rule] = []
    while len(names) > 1:
        total = weighted_sum(draft, _some(draft, whole))
        rules.insert(0, Rule(Apply("greater", (total, greatest)), Name(names.pop())))
        greatest = Apply("max", (total, greatest))
    return rules


def _rules_on_one_sum(draft: Draft, names: list[str], whole: bool) -> list[Rule]:
    """Takes one action from `names`, or two for a band."""
    total = weighted_sum(draft, _some(draft, whole))
    if len(names) > 2 and draft.random.random() < _BAND:
        width = draft.new_param("width", "real", 0.0, 1.0, 0.1)
        return [
            Rule(Apply("greater", (total, width)), Name(names.pop())),
            Rule(Apply("less", (total, Apply("negate", (width,)))), Name(names.pop())),
        ]
    return [Rule(Apply("greater", (total, Number(0.0))), Name(names.pop()))]


def linear_rule(draft: Draft) -> str | None:
    """A fresh rule on a weighted sum somewhere in a decision list."""
    names = draft.scope.constants["action"]
    if len(names) < 2 or not features(draft):
        return None
    position, before, act = draft.random.choice(acts(draft))
    number = draft.random.randrange(len(act.rules))
    new = Rule(
        Apply("greater", (weighted_sum(draft, _some(draft, draft.random.random() < _ALL)), Number(0.0))),
        Name(draft.random.choice(names)),
    )
    put_act(draft, position, before, replace(act, rules=act.rules[:number] + (new,) + act.rules[number:]))
    return f"new {ordinal(number)} rule on a weighted sum"


def another_term(draft: Draft) -> str | None:
    """A further observation, or the product of two, with a weight of its own, added to a number that has a name."""
    every = features(draft)
    sums = [
        (place, node)
        for place, node, type_ in draft.scope.places
        if type_ is REAL and place.slot == ("let",) and not place.path
    ]
    if not every or not sums:
        return None
    place, node = draft.random.choice(sums)
    first = draft.random.choice(every)
    term = _term(draft, first)
    if draft.random.random() < 0.3 and not first.truth:
        second = draft.random.choice(every)
        term = (
            Apply("if", (second.expression, term, Number(0.0)))
            if second.truth
            else Apply("multiply", (term, second.expression))
        )
    draft.put(place, Apply("add", (node, term)))
    return "another term in a weighted sum"
