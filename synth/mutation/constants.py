"""Mutations of numbers: moved, made tunable, added."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Name, Number, Param, Previous, Range, children, walk
from hl_dsl.language.types import BOOL, INT, REAL
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.number_literals import quantile, round_range, short
from hl_dsl.synth.mutation.random_expressions import RandomExpressions
from hl_dsl.synth.mutation.tree_paths import TreePath, at, describe, with_declaration

_NUMBERS = (INT, REAL)


def move_literal(draft: Draft) -> str | None:
    """Moves a literal by a random distance."""
    choices = [
        (place, node) for place, node, type_ in draft.scope.places if isinstance(node, Number) and _free(draft, place)
    ]
    if not choices:
        return None
    place, node = draft.random.choice(choices)
    size = max(abs(node.value), 1 if type(node.value) is int else 0.1)
    moved = node.value + draft.random.gauss(0, 1) * size * draft.random.choice((0.1, 0.5, 2.0))
    base = "int" if type(node.value) is int else "real"
    new = Number(short(moved, *round_range(min(moved, 0), max(moved, 0), base), base))
    if new == node:
        new = Number(node.value + draft.random.choice((-1, 1)))
    draft.put(place, new)
    return f"{node.value:g} moved to {new.value:g} in {describe(draft.policy, place)}"


def literal_to_param(draft: Draft) -> str | None:
    """Makes a literal a parameter with a range around it."""
    choices = [
        (place, node) for place, node, type_ in draft.scope.places if isinstance(node, Number) and _free(draft, place)
    ]
    if not choices:
        return None
    place, node = draft.random.choice(choices)
    base = "int" if type(node.value) is int else "real"
    reach = max(abs(node.value), 2 if base == "int" else 1.0)
    draft.put(place, draft.new_param("level", base, node.value - reach, node.value + reach, node.value))
    return f"{node.value:g} made a parameter in {describe(draft.policy, place)}"


def _free(draft: Draft, place: TreePath) -> bool:
    """Returns whether another literal is valid here: an index must fit its vector, a start must be a literal."""
    if not place.path:
        return True
    parent = at(draft.subject.program.syntax, TreePath(place.declaration, place.slot, place.path[:-1]))
    return isinstance(parent, Apply)


def offset_one(draft: Draft) -> str | None:
    """Adds a new parameter to a number."""
    choices = [
        one
        for one in draft.scope.places
        if one[2] in _NUMBERS and not isinstance(one[1], Number) and _free(draft, one[0])
    ]
    if not choices:
        return None
    place, node, type_ = draft.random.choice(choices)
    reach = _reach(draft, [node])
    draft.put_alike(place, node, Apply("add", (node, draft.new_param("offset", type_.base, -reach, reach, 0))), "moved")
    return f"new param in {describe(draft.policy, place)}"


def offset_comparisons(draft: Draft) -> str | None:
    """Adds a parameter to every comparison of numbers that has none, so that its threshold becomes tunable."""
    choices = bare_comparisons(draft)
    if not choices:
        return None
    for place, node in choices:
        draft.put(place, shifted(draft, node))
    if len(choices) == 1:
        return f"new param in {describe(draft.policy, choices[0][0])}"
    return f"a new param in each of {len(choices)} comparisons"


def bare_comparisons(draft: Draft) -> list[tuple[TreePath, Apply]]:
    """Comparisons of two numbers without a parameter or a literal in them, none inside another."""
    found: list[tuple[TreePath, Apply]] = []
    for place, node, type_ in draft.scope.places:
        if type_ is not BOOL or not isinstance(node, Apply) or len(node.operands) != 2:
            continue
        if all(draft.scope.types[id(one)] in _NUMBERS for one in node.operands) and not _has_constant(draft, node):
            found.append((place, node))
    return found


def _has_constant(draft: Draft, node: Expression) -> bool:
    """Returns whether the threshold of a comparison is already tunable, by a parameter or a literal."""
    if any(isinstance(one, Number) for one in children(node)):
        return True
    params = {item.name for item in draft.policy.of(Param)}
    names = {one.name for one in walk(node) if isinstance(one, Name)}
    lets = {name for name in names if name in draft.scope.uses}
    return bool(names & params) or any(draft.scope.uses[name] & params for name in lets)


def shifted(draft: Draft, node: Apply) -> Apply:
    """Adds a new parameter to the second operand of a comparison.

    The parameter's range is the difference of the two sides on recorded ticks.
    """
    types = [draft.scope.types[id(one)] for one in node.operands]
    base = "int" if types[0] is INT and types[1] is INT else "real"
    reach = _reach(draft, list(node.operands))
    moved = Apply("add", (node.operands[1], draft.new_param("offset", base, -reach, reach, 0)))
    return Apply(node.operator, (node.operands[0], moved))


def _reach(draft: Draft, sides: list[Expression]) -> float:
    """Largest useful shift: the usual distance between two sides, or an eighth of the range of one."""
    given = [values for side in sides if (values := draft.values(side))]
    if len(given) == len(sides) == 2:
        distance = quantile([abs(a - b) for a, b in zip(*given)], 0.75)
    elif given:
        distance = (max(given[0]) - min(given[0])) / 8
    else:
        distance = 0
    if not distance > 0:
        known = [pair for side in sides if (pair := draft.subject.ranges.of(side))]
        distance = max((high - low for low, high in known), default=8.0) / 8
    whole = all(draft.scope.types[id(side)] is INT for side in sides)
    return max(2 * distance, 2.0 if whole else 0.0) or 1.0


def move_param(draft: Draft) -> str | None:
    """Moves a parameter's default inside its range."""
    choices = [
        (position, item)
        for position, item in enumerate(draft.policy.declarations)
        if isinstance(item, Param)
        and isinstance(item.default, Number)
        and _has_one_range(item)
        and item.name not in draft.scope.frozen
    ]
    if not choices:
        return None
    position, item = draft.random.choice(choices)
    low, high = _ends(item)
    default = item.default
    assert type(default) is Number
    moved = default.value + draft.random.gauss(0, 1) * (high - low) * draft.random.choice((0.03, 0.1, 0.3))
    new = short(moved, low, high, item.type.base)
    if new == default.value:
        return None
    _put_param(draft, position, replace(item, default=Number(new)))
    return f"`{item.name}` moved from {default.value:g} to {new:g}"


def widen_param(draft: Draft) -> str | None:
    """Doubles a parameter's range."""
    choices = [
        (position, item)
        for position, item in enumerate(draft.policy.declarations)
        if isinstance(item, Param) and _has_one_range(item) and item.name not in draft.scope.frozen
    ]
    if not choices:
        return None
    position, item = draft.random.choice(choices)
    low, high = _ends(item)
    if high - low > 1e6:
        return None
    middle, reach = (low + high) / 2, high - low
    low, high = round_range(middle - reach, middle + reach, item.type.base)
    _put_param(draft, position, replace(item, range=Range(Number(low), Number(high))))
    draft.new_params.append(item.name)
    return f"wider range for `{item.name}`"


def _ends(item: Param) -> tuple[int | float, int | float]:
    """The ends of a range that is one for all components."""
    assert item.range is not None and type(item.range.low) is Number and type(item.range.high) is Number
    return item.range.low.value, item.range.high.value


def _has_one_range(item: Param) -> bool:
    return item.range is not None and item.range.is_alike


def _put_param(draft: Draft, position: int, item: Param) -> None:
    draft.policy = with_declaration(draft.policy, position, item)


def extrapolate(draft: Draft) -> str | None:
    """Extrapolates a number: adds a new parameter times its change since the last tick."""
    choices = [
        one
        for one in draft.scope.places
        if one[2] in _NUMBERS
        and not isinstance(one[1], Number)
        and _free(draft, one[0])
        and not any(isinstance(inner, Previous) for inner in walk(one[1]))
    ]
    if not choices:
        return None
    place, node, type_ = draft.random.choice(choices)
    change = Apply("subtract", (node, Previous(node, RandomExpressions(draft, place).start(type_))))
    ahead = draft.new_param("ahead", "real", -5.0, 20.0, 0.0)
    draft.put_alike(place, node, Apply("add", (node, Apply("multiply", (ahead, change)))), "heading")
    return f"where a number is heading, in {describe(draft.policy, place)}"
