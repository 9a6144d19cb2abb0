"""Registry of simulator back ends."""

from __future__ import annotations

from hl_dsl.synth.environments.backends.backend import EnvironmentBackend
from hl_dsl.synth.environments.backends.envpool_backend import EnvPoolBackend
from hl_dsl.synth.environments.backends.gymnasium_backend import GymnasiumBackend

# The first that owns an id serves it. EnvPool's ids have no form of their own, so it is last.
BACKENDS: tuple[type[EnvironmentBackend], ...] = (GymnasiumBackend, EnvPoolBackend)
