"""Simplification of the best program, without an environment step.

First it removes what the verifier proves to have no effect on any action, which needs no episode. Then it removes a
part if the program without it repeats, to the last action, the episodes of its score; these episodes are cached. So
the score does not change, but the smaller program may act differently elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hl_dsl.base.declaration_table import form_of
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration, children
from hl_dsl.language.types import INT, REAL
from hl_dsl.synth.candidates.gates import CheckedCandidate, Gates, Rejection
from hl_dsl.synth.mutation import Subject
from hl_dsl.synth.mutation.draft import tidied
from hl_dsl.synth.mutation.tree_paths import put, with_declaration
from hl_dsl.verify.equivalence.equivalence import same_actions


def simplified(
    start: CheckedCandidate, gates: Gates, keeps_score: Callable[[CheckedCandidate], bool]
) -> CheckedCandidate:
    """The program without all parts that can be removed, one after the other.

    Args:
        start: The program.
        gates: The gates of the search.
        keeps_score: Whether a candidate is known to have the same score.
    """
    best = without_provably_unused_parts(start, gates, keeps_score)
    while (smaller := _one_step(best, gates, keeps_score)) is not None:
        best = smaller
    return best


def without_provably_unused_parts(
    start: CheckedCandidate, gates: Gates, keeps_score: Callable[[CheckedCandidate], bool]
) -> CheckedCandidate:
    """The program without parts that provably have no effect on any action.

    The result is the same on every machine, because only counted resources end a proof. `keeps_score` is necessary and
    faster, so it is tested first.
    """
    best = start

    def acts_the_same(candidate: CheckedCandidate) -> bool:
        return keeps_score(candidate) and same_actions(best.flow, candidate.flow)

    while (smaller := _one_step(best, gates, acts_the_same)) is not None:
        best = smaller
    return best


def _one_step(
    best: CheckedCandidate, gates: Gates, is_equal: Callable[[CheckedCandidate], bool]
) -> CheckedCandidate | None:
    subject = Subject(best.program)
    for policy in _smaller(subject):
        candidate = gates.check(tidied(policy, subject.scope))
        if isinstance(candidate, Rejection) or len(candidate.flow.nodes) >= len(best.flow.nodes):
            continue
        if is_equal(candidate) and not isinstance(gates.prove(candidate), Rejection):
            return candidate
    return None


def _smaller(subject: Subject) -> Iterator[PolicyDeclaration]:
    """Programs without one part: a rule, a transition, or an operator that one operand replaces.

    The larger removals are first.
    """
    yield from _without_rules(subject.policy)
    places = sorted(subject.scope.places, key=lambda row: len(row[0].path))
    for place, node, type_ in places:
        for child in children(node):
            held = subject.scope.types[id(child)]
            if held is type_ or (type_ is REAL and held is INT):
                yield put(subject.policy, place, child)


def _without_rules(policy: PolicyDeclaration) -> Iterator[PolicyDeclaration]:
    for position, item in enumerate(policy.declarations):
        for smaller in form_of(item).without_a_part(item):
            yield with_declaration(policy, position, smaller)
