"""Mutations of decision lists: rules added, deleted, moved, joined."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from hl_dsl.base.declaration_table import form_of
from hl_dsl.grammar.tree.syntax_tree import Act, Apply, Boolean, Modes, Name, Rule
from hl_dsl.language.types import BOOL, INT, REAL
from hl_dsl.operators import OPERATORS, Operator
from hl_dsl.synth.mutation.constants import shifted
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.operator_signatures import alike
from hl_dsl.synth.mutation.random_expressions import RandomExpressions
from hl_dsl.synth.mutation.recorded_values import Columns, RecordedValues
from hl_dsl.synth.mutation.tree_paths import TreePath, exchanged, ordinal, with_declaration


def acts(draft: Draft) -> list[tuple[int, tuple, Act]]:
    """Every decision list: its declaration's position, the slot before it, and itself."""
    return [
        (position, before, act)
        for position, item in enumerate(draft.policy.declarations)
        for before, act in form_of(item).decision_lists(item)
    ]


def put_act(draft: Draft, position: int, before: tuple, act: Act) -> None:
    """Replaces a decision list."""
    item = draft.policy.declarations[position]
    draft.policy = with_declaration(draft.policy, position, form_of(item).put_decision_list(item, before, act))


def _where(draft: Draft, position: int, before: tuple) -> str:
    declaration = draft.policy.declarations[position]
    return f" in mode `{declaration.modes[before[1]].name}`" if before and type(declaration) is Modes else ""


def new_rule(draft: Draft) -> str | None:
    """A fresh rule somewhere in a decision list."""
    position, before, act = draft.random.choice(acts(draft))
    place = TreePath(position, (*before, "rule", 0, "value"))
    grower = RandomExpressions(draft, place)
    number = draft.random.randrange(len(act.rules))
    wanted = draft.scope.symbols["action"].type
    assert wanted is not None
    values = [rule.value for rule in act.rules]
    value = draft.random.choice(values) if draft.random.random() < 0.3 else grower.expression(wanted, 1)
    condition = grower.expression(BOOL, 2)
    if isinstance(condition, Boolean):
        return None
    put_act(
        draft, position, before, replace(act, rules=act.rules[:number] + (Rule(condition, value),) + act.rules[number:])
    )
    return f"new {ordinal(number)} rule{_where(draft, position, before)}"


def delete_rule(draft: Draft) -> str | None:
    """Removes a rule."""
    choices = [
        (position, before, act, number) for position, before, act in acts(draft) for number in range(len(act.rules) - 1)
    ]
    if not choices:
        return None
    position, before, act, number = draft.random.choice(choices)
    put_act(draft, position, before, replace(act, rules=act.rules[:number] + act.rules[number + 1 :]))
    return f"without the {ordinal(number)} rule{_where(draft, position, before)}"


def move_rule(draft: Draft) -> str | None:
    """Two neighbouring rules exchanged."""
    choices = [
        (position, before, act, number) for position, before, act in acts(draft) for number in range(len(act.rules) - 2)
    ]
    if not choices:
        return None
    position, before, act, number = draft.random.choice(choices)
    rules = list(act.rules)
    rules[number], rules[number + 1] = rules[number + 1], rules[number]
    put_act(draft, position, before, replace(act, rules=tuple(rules)))
    return f"the {ordinal(number)} rule after the {ordinal(number + 1)}{_where(draft, position, before)}"


def exchange_actions(draft: Draft) -> str | None:
    """The actions of two rules exchanged."""
    choices = [(position, before, act) for position, before, act in acts(draft) if len(act.rules) > 1]
    if not choices:
        return None
    position, before, act = draft.random.choice(choices)
    first, second = draft.random.sample(range(len(act.rules)), 2)
    rules = list(act.rules)
    rules[first] = replace(rules[first], value=act.rules[second].value)
    rules[second] = replace(rules[second], value=act.rules[first].value)
    if tuple(rules) == act.rules:
        return None
    put_act(draft, position, before, replace(act, rules=tuple(rules)))
    return f"actions of the {ordinal(first)} and {ordinal(second)} rule exchanged{_where(draft, position, before)}"


def mirror_rule(draft: Draft) -> str | None:
    """Adds a rule for the other side of a comparison, with its own distance; `otherwise` covers the interval between.

    The new rule takes the action of the last one, which gets another, or has a fresh action itself.
    """
    names = draft.scope.constants["action"]
    choices = [
        (position, before, act, number)
        for position, before, act in acts(draft)
        for number, rule in enumerate(act.rules[:-1])
        if isinstance(rule.condition, Apply) and mirrors(draft, rule.condition)
    ]
    if not choices or not names:
        return None
    position, before, act, number = draft.random.choice(choices)
    condition = act.rules[number].condition
    assert type(condition) is Apply
    row = draft.random.choice(mirrors(draft, condition))
    last = act.rules[-1]
    others = [Name(name) for name in names if Name(name) not in (last.value, act.rules[number].value)] or [
        Name(names[0])
    ]
    if draft.random.random() < 0.9:
        value, last = last.value, replace(last, value=draft.random.choice(others))
    else:
        value = draft.random.choice(others)
    new = Rule(shifted(draft, Apply(row, condition.operands)), value)
    put_act(
        draft, position, before, replace(act, rules=(*act.rules[: number + 1], new, *act.rules[number + 1 : -1], last))
    )
    return f"a rule for the other side of the {ordinal(number)}{_where(draft, position, before)}"


def mirrors(draft: Draft, condition: Apply) -> list[str]:
    """The comparisons of such operands that never hold together with this one, and of those the ones that hold most."""
    types = tuple(draft.scope.types[id(one)] for one in condition.operands)
    if len(types) != 2 or any(type_ not in (INT, REAL) for type_ in types):
        return []
    here = truths_of(OPERATORS[condition.operator])
    if here is None or not len(here) / 3 < sum(here) < len(here) * 2 / 3:
        return []  # an equality, or a range: it has no other side
    shares = {}
    for one in alike(condition.operator, types, BOOL):
        there = truths_of(one.row)
        if there is not None and not any(a and b for a, b in zip(here, there)):
            shares[one.row.name] = sum(there)
    return [name for name, share in shares.items() if share and share == max(shares.values())]


@cache
def truths_of(row: Operator) -> list | None:
    """Where a comparison holds, on pairs of small numbers."""
    numbers = range(5)
    pairs = Columns(
        {
            "a": RecordedValues("int", ([a for a in numbers for _ in numbers],)),
            "b": RecordedValues("int", ([*numbers] * 5,)),
        },
        (),
        25,
    )
    return pairs.of(Apply(row.name, (Name("a"), Name("b"))))


def narrow_rule(draft: Draft) -> str | None:
    """A further condition for a rule, or another way for it to hold."""
    choices = [
        (position, before, act, number) for position, before, act in acts(draft) for number in range(len(act.rules) - 1)
    ]
    if not choices:
        return None
    position, before, act, number = draft.random.choice(choices)
    condition = RandomExpressions(draft, TreePath(position, (*before, "rule", number, "condition"))).expression(BOOL, 2)
    if isinstance(condition, Boolean):
        return None
    operator = draft.random.choice(("and", "or"))
    present = act.rules[number].condition
    assert present is not None
    rule = replace(act.rules[number], condition=Apply(operator, (present, condition)))
    put_act(draft, position, before, replace(act, rules=exchanged(act.rules, number, rule)))
    return f"a second condition (`{operator}`) in the {ordinal(number)} rule{_where(draft, position, before)}"
