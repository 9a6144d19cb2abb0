"""Probabilities of the mutations."""

from __future__ import annotations

from random import Random

from hl_dsl.synth.candidates.archive import Structure
from hl_dsl.synth.candidates.proposer import SearchContext
from hl_dsl.synth.mutation import MUTATIONS
from hl_dsl.synth.mutation.constants import bare_comparisons
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.mutate import LINEAR

_OFFSETS = "offset-comparisons"
_OFFSETS_SHARE = 0.6  # of the mutations of a program that compares without constants


def mutation_weights(
    context: SearchContext, parent: Structure, random: Random, has_few_numbers: bool
) -> dict[str, float]:
    """Weights of the mutations of a structure, by name.

    A mutation's own weight is multiplied by its success in this study, and by its factor for a program whose episode
    ended without reward.

    Args:
        context: What the proposer knows.
        parent: The structure.
        random: Random numbers.
        has_few_numbers: Whether the environment shows few numbers.
    """
    is_stuck = context.ended_without_reward(parent)
    weights = {
        name: mutation.weight * _success(context, name) * (mutation.when_stuck if is_stuck else 1.0)
        for name, mutation in MUTATIONS.items()
    }
    if bare_comparisons(Draft(context.subject(parent), random)):
        rest = sum(weights.values()) - weights[_OFFSETS]
        weights[_OFFSETS] = rest * _OFFSETS_SHARE / (1 - _OFFSETS_SHARE)
    else:
        weights[_OFFSETS] = 0.0
    return weights | (LINEAR if has_few_numbers else {})


def _success(context: SearchContext, name: str) -> float:
    """Rate of accepted candidates, smoothed; 1 for an operator that was not tried."""
    tried, accepted = context.operator_stats.get(name, (0, 0))
    return (accepted + 1) / (tried + 4) * 4
