"""Mutations that define something new: a name for a part, a memory."""

from __future__ import annotations

from hl_dsl.grammar.tree.syntax_tree import Apply, Expression, Name, Number, Previous
from hl_dsl.language.types import BOOL, INT, REAL, Type
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.number_literals import round_range
from hl_dsl.synth.mutation.random_expressions import RandomExpressions
from hl_dsl.synth.mutation.tree_paths import TreePath, describe

_LONGEST_COUNT = 10000
_DECISIVE = 0.5  # probability that the shifted number is in a condition of a rule
_SWINGING = 0.6  # probability that a shift alternates


def new_let(draft: Draft) -> str | None:
    """A part of the program named, and the name used in a second place too."""
    choices = [one for one in draft.scope.places if isinstance(one[1], (Apply, Previous)) and one[0].path]
    if not choices:
        return None
    place, node, type_ = draft.random.choice(choices)
    others = [
        other
        for other, _, held in draft.scope.places
        if held is type_ and other != place and not _nested(place, other) and draft.fits(node, other)
    ]
    name = draft.new_let("part", node)
    draft.put(place, name)
    if not others:
        return None
    second = draft.random.choice(others)
    draft.put(second, name)
    return f"a part of {describe(draft.policy, place)} named, and used in {describe(draft.policy, second)}"


def inline_change(draft: Draft) -> str | None:
    """How fast a number changes, named, and used in a condition or in a sum."""
    changing = [one for one in draft.scope.places if one[2] in (INT, REAL) and not isinstance(one[1], Number)]
    if not changing:
        return None
    _, node, type_ = draft.random.choice(changing)
    targets = [one for one in draft.scope.places if one[2] in (INT, REAL, BOOL) and draft.fits(node, one[0])]
    if not targets:
        return None
    place, target, wanted = draft.random.choice(targets)
    grower = RandomExpressions(draft, place)
    change = draft.new_let("change", Apply("subtract", (node, Previous(node, grower.start(type_)))))
    if wanted is BOOL:
        test = Apply(draft.random.choice(("greater", "less")), (change, Number(0 if type_ is INT else 0.0)))
        draft.put(place, Apply(draft.random.choice(("and", "or")), (target, test)))
    else:
        factor = draft.new_param("gain", "real", -10.0, 10.0, 0.0)
        draft.put(place, Apply("add", (target, Apply("multiply", (factor, change)))))
    return f"how fast a number changes, in {describe(draft.policy, place)}"


def new_counter(draft: Draft) -> str | None:
    """Ticks since something was true, held against a new parameter in a condition."""
    conditions = [one for one in draft.scope.places if one[2] is BOOL]
    if not conditions:
        return None
    place, node, _ = draft.random.choice(conditions)
    late = _late(draft, RandomExpressions(draft, place), draft.random.choice((8, 32, 128, 512)))
    draft.put(place, Apply(draft.random.choice(("and", "or")), (node, late)))
    return f"ticks since an event, in {describe(draft.policy, place)}"


def change_when_late(draft: Draft) -> str | None:
    """Shifts a number by a new parameter if an event has not occurred for a long time.

    Or it alternates: to one side, to the other, and not, for the same time each. A program whose episode repeats a
    cycle is moved out of it one way or another.
    """
    choices = [one for one in draft.scope.places if one[2] in (INT, REAL) and not isinstance(one[1], Number)]
    decisive = [one for one in choices if one[0].slot[-1] == "condition" and one[0].path]
    if not choices:
        return None
    place, node, type_ = draft.random.choice(decisive if decisive and draft.random.random() < _DECISIVE else choices)
    grower = RandomExpressions(draft, place)
    ticks, limit = _waited(draft, grower, draft.random.choice((64, 256, 512)))
    low, high, _ = grower.likely(node)
    reach = max((high - low) / 8, 1.0)
    shift = draft.new_param("shift", type_.base, -reach, reach, 0)
    if draft.random.random() < _SWINGING:
        turns = Apply("floor", (Apply("divide", (ticks, limit)),))
        side = Apply("subtract", (Apply("mod", (Apply("add", (turns, Number(1))), Number(3))), Number(1)))
        draft.put_alike(place, node, Apply("add", (node, Apply("multiply", (shift, side)))), "swung")
        return f"a shift to and fro when an event is long past, in {describe(draft.policy, place)}"
    draft.put_alike(
        place, node, Apply("if", (Apply("greater", (ticks, limit)), Apply("add", (node, shift)), node)), "shifted"
    )
    return f"a shift when an event is long past, in {describe(draft.policy, place)}"


def _late(draft: Draft, grower: RandomExpressions, usual: int) -> Expression:
    """Whether an event is longer past than a new parameter says."""
    return Apply("greater", _waited(draft, grower, usual))


def _waited(draft: Draft, grower: RandomExpressions, usual: int) -> tuple[Name, Name]:
    """The ticks since an event, and a new parameter for how many of them are long.

    If the program's episode was truncated without reward, the event is usually a reward. The parameter then starts
    above the longest time without reward before, or at half of the truncation if that is less, so that the program
    changes only when there is little to lose.
    """
    name = draft.fresh_name("ticks")
    no_reward_steps = draft.subject.no_reward_steps
    rewarded = grower.names.get("reward") is REAL
    if no_reward_steps is not None and rewarded and draft.random.random() < 0.8:
        event = _rewarded()
        longest_gap, ended = no_reward_steps
        longest = max(1, min(longest_gap, ended // 2))
        room = (ended - longest) // 2  # the other half is for what it leads to
        usual = longest + 1 + draft.random.randint(0, room)
        limit = draft.new_param("patience", "int", longest, longest + room, usual)
    else:
        event = _event(draft, grower, rewarded)
        limit = draft.new_param("patience", "int", 1, 2 * usual, usual)
    counted = Apply("min", (Apply("add", (Name(name), Number(1))), Number(_LONGEST_COUNT)))
    draft.new_memory("", INT, (0, _LONGEST_COUNT), Number(0), Apply("if", (event, Number(0), counted)), name)
    return Name(name), limit


def _rewarded() -> Expression:
    return Apply("not_equal", (Name("reward"), Number(0)))


def _event(draft: Draft, grower: RandomExpressions, rewarded: bool) -> Expression:
    """A condition worth counting from: a reward, a change of something, or any fresh one."""
    way = draft.random.random()
    if way < 0.5 and rewarded:
        return _rewarded()
    if way < 0.8:
        number = grower.leaf(INT if draft.random.random() < 0.5 and INT in grower.names.values() else REAL)
        if not isinstance(number, Number):
            return Apply("not_equal", (number, Previous(number, Number(0))))
    return grower.expression(BOOL, 2)


def new_memory(draft: Draft) -> str | None:
    """A value kept: the last one seen while something held, or a running mean; used in place of a number."""
    choices = [one for one in draft.scope.places if one[2] in (INT, REAL) and not isinstance(one[1], Number)]
    if not choices:
        return None
    place, node, type_ = draft.random.choice(choices)
    grower = RandomExpressions(draft, place)
    range_ = _held_range(draft, node, type_)
    if range_ is None:
        return None
    name = draft.fresh_name("held")
    start = Number(min(max(range_[0], 0 if type_ is INT else 0.0), range_[1]))
    if type_ is REAL and draft.random.random() < 0.5:
        weight = draft.new_param("weight", "real", 0.0, 1.0, 0.5)
        kept = Apply("clamp", (Apply("lerp", (Name(name), node, weight)), Number(range_[0]), Number(range_[1])))
        says = "a running mean"
    else:
        kept = Apply("if", (grower.expression(BOOL, 2), node, Name(name)))
        says = "a value held"
    draft.new_memory("", type_, range_, start, kept, name)
    draft.put_alike(place, node, Name(name), "kept")
    return f"{says}, in {describe(draft.policy, place)}"


def _held_range(draft: Draft, node: Expression, type_: Type) -> tuple | None:
    known = draft.subject.ranges.of(node)
    if known is None:
        return None
    low, high = known
    if type_ is INT:
        return int(low), int(high)
    return tuple(map(float, round_range(low, high, "real")))


def _nested(one: TreePath, other: TreePath) -> bool:
    """Returns whether one expression is inside the other."""
    if one.top != other.top:
        return False
    short = min(len(one.path), len(other.path))
    return one.path[:short] == other.path[:short]
