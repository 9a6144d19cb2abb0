"""Table of mutations, and the random choice of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration
from hl_dsl.synth.mutation import (
    constants,
    crossover,
    definitions,
    expressions,
    forecast_terms,
    interception_rule,
    linear_rules,
    modes,
    rules,
)
from hl_dsl.synth.mutation.draft import Draft, Subject
from hl_dsl.synth.mutation.number_literals import weighted

_TRIES = 12


@dataclass(frozen=True)
class Mutation:
    """A way to change a program. `apply` edits a draft and returns a description, or None if it does not apply.

    `weight`: relative frequency; `when_stuck`: factor for a program whose episode was truncated without reward.
    `fitted`: its new parameters start at values that were fitted to recorded frames.
    """

    name: str
    apply: Callable[[Draft], str | None]
    weight: float
    when_stuck: float = 1.0
    fitted: bool = False


@dataclass(frozen=True)
class Mutant:
    """A changed program, not yet checked. `new_params` are parameters that have not been tuned."""

    policy: PolicyDeclaration
    change: str
    mutation: str
    new_params: tuple[str, ...]


MUTATIONS: dict[str, Mutation] = {
    one.name: one
    for one in (
        Mutation("offset-comparisons", constants.offset_comparisons, 0.3),
        Mutation("offset", constants.offset_one, 1.0),
        Mutation("extrapolate", constants.extrapolate, 1.5),
        Mutation("literal-to-param", constants.literal_to_param, 1.0),
        Mutation("move-literal", constants.move_literal, 1.0),
        Mutation("move-param", constants.move_param, 1.0),
        Mutation("widen-param", constants.widen_param, 0.3),
        Mutation("replace", expressions.replace_expression, 1.5),
        Mutation("wrap", expressions.wrap_expression, 1.5),
        Mutation("component", expressions.other_component, 0.7),
        Mutation("delay", expressions.delay_expression, 0.5),
        Mutation("delete", expressions.delete_operator, 1.0),
        Mutation("swap", expressions.swap_operands, 0.3),
        Mutation("operator", expressions.change_operator, 0.7),
        Mutation("copy", expressions.copy_expression, 0.7),
        Mutation("let", definitions.new_let, 0.3),
        Mutation("change", definitions.inline_change, 1.0),
        Mutation("counter", definitions.new_counter, 0.7, 3.0),
        Mutation("late-shift", definitions.change_when_late, 1.0, 6.0),
        Mutation("memory", definitions.new_memory, 0.7),
        Mutation("new-rule", rules.new_rule, 1.5),
        Mutation("delete-rule", rules.delete_rule, 0.5),
        Mutation("move-rule", rules.move_rule, 0.3),
        Mutation("exchange-actions", rules.exchange_actions, 0.5),
        Mutation("mirror-rule", rules.mirror_rule, 2.5),
        Mutation("narrow-rule", rules.narrow_rule, 1.0),
        Mutation("intercept", forecast_terms.intercept, 2.0),
        Mutation("interception-rule", interception_rule.add_interception_rule, 20.0, fitted=True),
        Mutation("heading-shift", forecast_terms.shift_by_heading, 1.0, 2.0),
        Mutation("linear-rules", linear_rules.linear_rules, 0.0),
        Mutation("linear-rule", linear_rules.linear_rule, 0.0),
        Mutation("another-term", linear_rules.another_term, 0.0),
        Mutation("split-into-modes", modes.split_into_modes, 0.3),
        Mutation("new-mode", modes.new_mode, 0.3),
        Mutation("delete-mode", modes.delete_mode, 0.2),
        Mutation("new-transition", modes.new_transition, 0.2),
        Mutation("delete-transition", modes.delete_transition, 0.2),
        Mutation("redirect-transition", modes.redirect_transition, 0.2),
    )
}

# Weights for an environment with few enough observations to use all of them.
LINEAR = {"linear-rules": 1.0, "linear-rule": 2.0, "another-term": 4.0}

# The mutations whose parameters are fitted to recorded frames.
FITTED = {name: one.weight for name, one in MUTATIONS.items() if one.fitted}

CROSSOVERS: dict[str, Callable[[Draft, Subject], str | None]] = {
    "cross-rule": crossover.cross_rule,
    "cross-expression": crossover.cross_expression,
}


def mutate(subject: Subject, random: Random, weights: Mapping[str, float] | None = None) -> Mutant | None:
    """A mutant of a program: one mutation, drawn by weight (`weights`: other ones by name, a missing one being 0).

    Returns None if no drawn mutation applies; a caller that gives weights draws again. Without weights, each remaining
    mutation is then tried once.
    """
    table, drawn = (
        [(one, one.weight if weights is None else weights.get(one.name, 0.0)) for one in MUTATIONS.values()],
        set(),
    )
    for number in range(_TRIES + len(table)):
        if not any(weight for _, weight in table):
            return None
        chosen = weighted(random, [one for one, _ in table], [weight for _, weight in table])
        mutant = apply(subject, random, chosen)
        if mutant is not None:
            return mutant
        drawn.add(chosen.name)
        if number >= _TRIES - 1:
            if weights is not None:
                return None
            table = [(one, weight) for one, weight in table if one.name not in drawn]
    return None


def apply(subject: Subject, random: Random, mutation: Mutation) -> Mutant | None:
    """Applies one mutation once. Returns None if it does not apply or changes nothing."""
    draft = Draft(subject, random)
    return _finished(draft, mutation.name, mutation.apply(draft))


def cross(subject: Subject, other: Subject, random: Random) -> Mutant | None:
    """A mutant with a rule or a part of another program."""
    name = random.choice(list(CROSSOVERS))
    draft = Draft(subject, random)
    return _finished(draft, name, CROSSOVERS[name](draft, other))


def _finished(draft: Draft, name: str, change: str | None) -> Mutant | None:
    if change is None:
        return None
    policy = draft.finish()
    if policy == draft.subject.program.syntax:
        return None
    declared = {item.name for item in policy.declarations if hasattr(item, "name")}
    return Mutant(policy, change, name, tuple(name for name in draft.new_params if name in declared))
