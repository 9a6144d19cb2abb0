"""Mutations of one expression: replace, wrap, delete, exchange."""

from __future__ import annotations

from hl_dsl.grammar.tree.syntax_tree import Apply, Boolean, Index, Name, Number, Previous, children, walk, with_children
from hl_dsl.language.types import INT, REAL
from hl_dsl.operators import OPERATORS
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.number_literals import weighted
from hl_dsl.synth.mutation.operator_signatures import alike, keeping
from hl_dsl.synth.mutation.random_expressions import RandomExpressions
from hl_dsl.synth.mutation.tree_paths import describe

_DEEPEST_NEW = 2


def replace_expression(draft: Draft) -> str | None:
    """Any expression by a fresh one of its type."""
    place, node, type_ = draft.random.choice(draft.scope.places)
    new = RandomExpressions(draft, place).expression(type_, draft.random.randint(0, _DEEPEST_NEW))
    if new == node:
        return None
    draft.put(place, new)
    return f"new expression in {describe(draft.policy, place)}"


def wrap_expression(draft: Draft) -> str | None:
    """An operator around an expression, its other operands fresh."""
    place, node, type_ = draft.random.choice(draft.scope.places)
    grower = RandomExpressions(draft, place)
    choices = [one for one in keeping(type_) if grower.possible(one[0])]
    if not choices or type(node) is Boolean:
        return None
    signature, operand = weighted(draft.random, choices, [signature.weight for signature, _ in choices])
    draft.put(place, grower.apply(signature, type_, draft.random.randint(1, _DEEPEST_NEW), (operand, node)))
    return f"`{signature.row.name}` around a part of {describe(draft.policy, place)}"


def other_component(draft: Draft) -> str | None:
    """Another component of a vector, in one place or wherever the old one is read."""
    if not draft.scope.components:
        return None
    place, node = draft.random.choice(draft.scope.components)
    grower = RandomExpressions(draft, place)
    size, old = draft.scope.types[id(node.vector)].size or 1, node.index
    assert type(old) is Number
    index = grower.component(node.vector.name, size) if type(node.vector) is Name else draft.random.randrange(size)
    if index == old.value:
        return None
    new = Index(node.vector, Number(index))
    draft.put_alike(place, node, new, "component")
    return f"component {index} for {old.value} in {describe(draft.policy, place)}"


def delay_expression(draft: Draft) -> str | None:
    """An expression by its value at the tick before."""
    choices = [
        one
        for one in draft.scope.places
        if type(one[1]) not in (Number, Boolean, Previous)
        and not (
            type(one[1]) is Name
            and one[1].name in draft.scope.symbols
            and draft.scope.symbols[one[1].name].kind.endswith("name")
        )
    ]
    if not choices:
        return None
    place, node, type_ = draft.random.choice(choices)
    draft.put(place, Previous(node, RandomExpressions(draft, place).start(type_)))
    return f"the tick before in {describe(draft.policy, place)}"


def delete_operator(draft: Draft) -> str | None:
    """An operator by one of its own operands."""
    choices = [
        (place, child)
        for place, node, type_ in draft.scope.places
        for child in children(node)
        if draft.scope.types[id(child)] is type_ or (type_ is REAL and draft.scope.types[id(child)] is INT)
    ]
    if not choices:
        return None
    place, child = draft.random.choice(choices)
    draft.put(place, child)
    return f"less in {describe(draft.policy, place)}"


def swap_operands(draft: Draft) -> str | None:
    """Two operands of one type exchanged."""
    choices = []
    for place, node, _ in draft.scope.places:
        if type(node) is not Apply or OPERATORS[node.operator].commutative:
            continue
        below = node.operands
        choices += [
            (place, node, first, second)
            for second in range(len(below))
            for first in range(second)
            if draft.scope.types[id(below[first])] is draft.scope.types[id(below[second])]
            and below[first] != below[second]
        ]
    if not choices:
        return None
    place, node, first, second = draft.random.choice(choices)
    operands = list(node.operands)
    operands[first], operands[second] = operands[second], operands[first]
    draft.put(place, with_children(node, tuple(operands)))
    return f"operands of `{node.operator}` exchanged in {describe(draft.policy, place)}"


def change_operator(draft: Draft) -> str | None:
    """An operator by another that takes and gives the same types."""
    choices = []
    for place, node, type_ in draft.scope.places:
        if type(node) is Apply:
            others = alike(node.operator, tuple(draft.scope.types[id(one)] for one in node.operands), type_)
            if others:
                choices.append((place, node, others))
    if not choices:
        return None
    place, node, others = draft.random.choice(choices)
    row = weighted(draft.random, others, [one.weight for one in others]).row
    draft.put(place, Apply(row.name, node.operands))
    return f"`{row.name}` for `{node.operator}` in {describe(draft.policy, place)}"


def copy_expression(draft: Draft) -> str | None:
    """An expression by another one of its type from elsewhere in the program."""
    place, node, type_ = draft.random.choice(draft.scope.places)
    usable = {*draft.scope.names(place), *(name for names in draft.scope.constants.values() for name in names)}
    others = [
        other for _, other, held in draft.scope.places if held is type_ and other != node and _names(other) <= usable
    ]
    if not others:
        return None
    draft.put(place, draft.random.choice(others))
    return f"a copy from elsewhere in {describe(draft.policy, place)}"


def _names(expression) -> set[str]:
    return {node.name for node in walk(expression) if type(node) is Name}
