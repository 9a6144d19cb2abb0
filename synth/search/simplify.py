"""A smaller program that does the same, found without a single environment step.

First goes what the verifier proves to make no difference for any input: that needs no episode. Then what is left out is
kept out only where the program then plays, to the last action, the very episodes its score comes from: known episodes are
recalled, not played again. So the score stands; what that smaller program does elsewhere may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration, children
from hl_dsl.synth.candidates.gates import CheckedCandidate, Gates, Rejection
from hl_dsl.synth.mutation import Subject
from hl_dsl.synth.mutation.draft import tidied
from hl_dsl.synth.mutation.tree_paths import put, with_declaration
from hl_dsl.verify.equivalence.equivalence import same_actions

from hl_dsl.base.declaration_table import form_of
from hl_dsl.language.types import INT, REAL


def simplified(start: CheckedCandidate, gates: Gates, same: Callable[[CheckedCandidate], bool]) -> CheckedCandidate:
    """The program with all left out that can be, one thing after another; `same` says whether its score stands."""
    best = without_what_is_proved_idle(start, gates, same)
    while (smaller := _one_step(best, gates, same)) is not None:
        best = smaller
    return best


def without_what_is_proved_idle(
    start: CheckedCandidate, gates: Gates, same: Callable[[CheckedCandidate], bool]
) -> CheckedCandidate:
    """The program without what is proved to make no difference to any action. The same on every machine: only counted
    resources end a proof. `same` is quicker and necessary, so it is asked first."""
    best = start
    while (
        smaller := _one_step(best, gates, lambda candidate: same(candidate) and same_actions(best.flow, candidate.flow))
    ) is not None:
        best = smaller
    return best


def _one_step(
    best: CheckedCandidate, gates: Gates, same: Callable[[CheckedCandidate], bool]
) -> CheckedCandidate | None:
    subject = Subject(best.program)
    for policy in _smaller(subject):
        candidate = gates.check(tidied(policy, subject.scope))
        if isinstance(candidate, Rejection) or len(candidate.flow.nodes) >= len(best.flow.nodes):
            continue
        if same(candidate) and not isinstance(gates.prove(candidate), Rejection):
            return candidate
    return None


def _smaller(subject: Subject) -> Iterator[PolicyDeclaration]:
    """The program without a rule, without a transition, or with an operator's operand in its place; the larger losses first."""
    yield from _without_rules(subject.policy)
    places = sorted(subject.scope.places, key=lambda one: len(one[0].path))
    for place, node, type_ in places:
        for child in children(node):
            held = subject.scope.types[id(child)]
            if held is type_ or (type_ is REAL and held is INT):
                yield put(subject.policy, place, child)


def _without_rules(policy: PolicyDeclaration) -> Iterator[PolicyDeclaration]:
    for position, item in enumerate(policy.declarations):
        for smaller in form_of(item).without_a_part(item):
            yield with_declaration(policy, position, smaller)
