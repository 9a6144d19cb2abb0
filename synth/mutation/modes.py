"""Mutations of the state machine: modes and transitions added, deleted, redirected."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.grammar.tree.syntax_tree import Act, Boolean, Mode, Modes, Name, Transition
from hl_dsl.language.types import BOOL
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.random_expressions import RandomExpressions
from hl_dsl.synth.mutation.tree_paths import TreePath, exchanged, with_declaration


def split_into_modes(draft: Draft) -> str | None:
    """Splits the decision list into two modes with fresh transitions; later mutations make them differ."""
    if any(True for _ in draft.policy.of(Modes)):
        return None
    position, act = next(
        (position, item) for position, item in enumerate(draft.policy.declarations) if isinstance(item, Act)
    )
    place = TreePath(position, ("rule", 0, "value"))
    there, back = _condition(draft, place), _condition(draft, place)
    if there is None or back is None:
        return None
    first, second = draft.fresh_name("first"), draft.fresh_name("second")
    varied = _varied(draft, act)
    if varied is None:
        return None
    modes = (
        Mode(first, True, act, (Transition(there, second),)),
        Mode(second, False, varied, (Transition(back, first),)),
    )
    draft.policy = with_declaration(draft.policy, position, Modes(modes))
    return "two modes"


def _varied(draft: Draft, act: Act) -> Act | None:
    """The decision list with the action of one rule changed."""
    values = [rule.value for rule in act.rules]
    names = draft.scope.constants["action"]
    if not names:
        return None
    number = draft.random.randrange(len(act.rules))
    others = [Name(name) for name in names if Name(name) != values[number]]
    if not others:
        return None
    return replace(
        act, rules=exchanged(act.rules, number, replace(act.rules[number], value=draft.random.choice(others)))
    )


def _condition(draft: Draft, place: TreePath):
    condition = RandomExpressions(draft, place).expression(BOOL, 2)
    return None if isinstance(condition, Boolean) else condition


def _machine(draft: Draft) -> tuple[int, Modes] | None:
    return next(
        ((position, item) for position, item in enumerate(draft.policy.declarations) if isinstance(item, Modes)), None
    )


def new_mode(draft: Draft) -> str | None:
    """Adds a copy of a mode, with fresh transitions between the two."""
    found = _machine(draft)
    if found is None:
        return None
    position, machine = found
    number = draft.random.randrange(len(machine.modes))
    place = TreePath(position, ("mode", number, "transition", 0))
    there, back = _condition(draft, place), _condition(draft, place)
    if there is None or back is None:
        return None
    origin, name = machine.modes[number], draft.fresh_name(f"{machine.modes[number].name}_too")
    act = None if origin.act is None else _varied(draft, origin.act) or origin.act
    left = replace(origin, transitions=(*origin.transitions, Transition(there, name)))
    new = Mode(name, False, act, (Transition(back, origin.name), *origin.transitions))
    draft.policy = with_declaration(
        draft.policy, position, replace(machine, modes=(*exchanged(machine.modes, number, left), new))
    )
    return f"new mode `{name}`"


def delete_mode(draft: Draft) -> str | None:
    """Removes a mode; transitions to it lead to its first target."""
    found = _machine(draft)
    if found is None or len(found[1].modes) < 2:
        return None
    position, machine = found
    gone = draft.random.choice([mode for mode in machine.modes if not mode.is_start])
    target = next((one.target for one in gone.transitions if one.target != gone.name), None)
    kept = []
    for mode in machine.modes:
        if mode is gone:
            continue
        moved = (replace(one, target=target) if one.target == gone.name and target else one for one in mode.transitions)
        transitions = tuple(one for one in moved if one.target not in (gone.name, mode.name))
        kept.append(replace(mode, transitions=transitions))
    draft.policy = with_declaration(draft.policy, position, replace(machine, modes=tuple(kept)))
    return f"without mode `{gone.name}`"


def new_transition(draft: Draft) -> str | None:
    """Adds a transition between two modes."""
    found = _machine(draft)
    if found is None or len(found[1].modes) < 2:
        return None
    position, machine = found
    number = draft.random.randrange(len(machine.modes))
    mode = machine.modes[number]
    condition = _condition(draft, TreePath(position, ("mode", number, "transition", 0)))
    if condition is None:
        return None
    target = draft.random.choice([other.name for other in machine.modes if other is not mode])
    here = draft.random.randint(0, len(mode.transitions))
    transitions = mode.transitions[:here] + (Transition(condition, target),) + mode.transitions[here:]
    changed = replace(machine, modes=exchanged(machine.modes, number, replace(mode, transitions=transitions)))
    draft.policy = with_declaration(draft.policy, position, changed)
    return f"new transition from `{mode.name}` to `{target}`"


def delete_transition(draft: Draft) -> str | None:
    """Removes a transition."""
    found = _machine(draft)
    if found is None:
        return None
    position, machine = found
    choices = [(number, one) for number, mode in enumerate(machine.modes) for one in range(len(mode.transitions))]
    if not choices:
        return None
    number, gone = draft.random.choice(choices)
    mode = machine.modes[number]
    changed = replace(mode, transitions=mode.transitions[:gone] + mode.transitions[gone + 1 :])
    draft.policy = with_declaration(
        draft.policy, position, replace(machine, modes=exchanged(machine.modes, number, changed))
    )
    return f"without the transition from `{mode.name}` to `{mode.transitions[gone].target}`"


def redirect_transition(draft: Draft) -> str | None:
    """Redirects a transition."""
    found = _machine(draft)
    if found is None:
        return None
    position, machine = found
    choices = [(number, one) for number, mode in enumerate(machine.modes) for one in range(len(mode.transitions))]
    if not choices or len(machine.modes) < 3:
        return None
    number, one = draft.random.choice(choices)
    mode = machine.modes[number]
    old = mode.transitions[one]
    target = draft.random.choice([other.name for other in machine.modes if other.name not in (old.target, mode.name)])
    changed = replace(mode, transitions=exchanged(mode.transitions, one, replace(old, target=target)))
    draft.policy = with_declaration(
        draft.policy, position, replace(machine, modes=exchanged(machine.modes, number, changed))
    )
    return f"the transition from `{mode.name}` leads to `{target}`, not `{old.target}`"
