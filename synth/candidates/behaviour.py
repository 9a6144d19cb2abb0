"""What an episode was like, in a few whole numbers: programs that differ in it are kept side by side, however they score."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from hl_dsl.synth.rollouts.episode import Recording

_PARTS = 4


def behaviour(recording: Recording) -> Hashable:
    """How often each action was chosen, in quarters (of a vector of numbers: the mean of each, in quarters of the largest),
    and the octave of the episode's length."""
    actions = np.asarray(recording.actions)
    octave = len(actions).bit_length()
    if not len(actions):
        return octave, ()
    if np.issubdtype(actions.dtype, np.integer) and actions.ndim == 1:
        shares = np.bincount(actions) / len(actions)
    else:
        shares = actions.mean(axis=0) / max(float(np.abs(actions).max()), 1e-9)
    return octave, tuple(np.trim_zeros(np.rint(np.atleast_1d(shares) * _PARTS).astype(int), "b").tolist())
