"""Behaviour of an episode: a few whole numbers. Programs of different behaviour are archived in different niches."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from hl_dsl.synth.rollouts.episode import Recording

_PARTS = 4  # steps of a share


def behaviour(recording: Recording) -> Hashable:
    """The share of each action in quarters, and the octave of the episode's length.

    For actions that are vectors: the mean of each component, in quarters of the largest absolute value.
    """
    actions = np.asarray(recording.actions)
    octave = len(actions).bit_length()
    if not len(actions):
        return octave, ()
    if np.issubdtype(actions.dtype, np.integer) and actions.ndim == 1:
        shares = np.bincount(actions) / len(actions)
    else:
        shares = actions.mean(axis=0) / max(float(np.abs(actions).max()), 1e-9)
    return octave, tuple(np.trim_zeros(np.rint(np.atleast_1d(shares) * _PARTS).astype(int), "b").tolist())
