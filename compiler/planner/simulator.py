"""The environment's own MuJoCo model, stepped in a batch: what would happen, at no step of the environment.

A state is what MuJoCo calls full physics: time, then the coordinates, then the velocities. An observation is turned
into a state by the columns that the card's `[model]` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card

# No machine here moves at a tenth of this; MuJoCo itself gives up at 1e10.
_DIVERGED = 1e6


class Simulator:
    """The model that the card of an environment names.

    `steps` counts the steps of the model taken so far, `card.model.substeps` for each step of the environment; one lasts
    `timestep` seconds. `model` is MuJoCo's own, and `size` how many numbers a state has.
    `unpredicted` are the columns that `observations` leaves at 0. The solver of contacts is started cold on each step of the
    environment: starting it from where it was changes a step by less than 1e-10. Raises HLError where the card names no
    model, its file is missing or not a model, or its sizes are not those of the card.
    """

    def __init__(self, card: Card, num_threads: int = 1):
        if card.model is None:
            raise HLError(
                f"`{card.environment}` cannot be planned: its card ({card.origin}) has no `[model]`",
                "an observation must show every joint's angle and speed in columns of its own; cards with a model: "
                "HalfCheetah-v5, Ant-v5, Hopper-v5, Walker2d-v5, Swimmer-v5, Humanoid-v5, InvertedPendulum-v5",
            )
        import mujoco
        from mujoco import rollout

        self._card, self._mujoco = card, mujoco
        with self._silent():
            self.model = _loaded(card, mujoco)
        self._substeps = card.model.substeps
        self._columns = max(max(field.index) for field in card.fields.values() if field.source == "observation") + 1
        self.size = mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_FULLPHYSICS.value)
        self._check_sizes()
        # A state that cannot go on stays as it is and can be told, where MuJoCo would start the model anew.
        self.model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET.value
        self._start = np.concatenate([[0.0], self.model.qpos0, np.zeros(self.model.nv)])
        shown = [*card.model.qpos, *card.model.qvel]
        self._places = np.array([1 + place for place, column in enumerate(shown) if column is not None], np.intp)
        self._shown = np.array([column for column in shown if column is not None], np.intp)
        limit = card.model.velocity_limit
        self._clipped = np.array(
            [column for column in card.model.qvel if column is not None and limit is not None], np.intp
        )
        self._hidden = self._places[np.isin(self._shown, self._clipped)]
        self.steps = 0
        self.timestep = float(self.model.opt.timestep)
        self.unpredicted = frozenset(range(self._columns)) - set(self._shown.tolist())
        threads = num_threads if num_threads > 1 else 0  # none of its own: the calling thread then does the work
        self._rollout = rollout.Rollout(nthread=threads)
        self._data = [mujoco.MjData(self.model) for _ in range(max(threads, 1))]
        self._buffers: dict[int, tuple[list, np.ndarray, np.ndarray]] = {}

    @property
    def is_clipped(self) -> bool:
        """Whether an observation shows velocities only up to a limit."""
        return len(self._clipped) > 0

    def states(self, observations: np.ndarray, foreseen: np.ndarray | None = None) -> np.ndarray:
        """(n, d) -> (n, s): the states that `observations` show, at time 0; what is not shown is as the model starts.

        `foreseen`, (n, s): what the model made of the tick before, NaN where there was none. Where a velocity is shown at its
        limit and was foreseen beyond it, it is taken to be what was foreseen.
        """
        states = np.repeat(self._start[None], len(observations), axis=0)
        states[:, self._places] = observations[:, self._shown]
        if foreseen is not None and self.is_clipped:
            own, limit = states[:, self._hidden], self._card.model.velocity_limit
            beyond = foreseen[:, self._hidden]
            states[:, self._hidden] = np.where(
                (np.abs(own) >= limit) & (np.abs(beyond) > limit) & (np.sign(beyond) == np.sign(own)), beyond, own
            )
        return states

    def step(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """(n, s), (n, k) -> (n, s): one step of the environment. A row that diverged, or was not finite, is NaN."""
        count = len(states)
        if not count:
            return np.empty((0, self.size))
        models, control, path = self._buffer(count)
        control[:] = actions[:, None, :]
        states = np.ascontiguousarray(states, np.float64)
        with self._silent():
            self._rollout.rollout(
                models, self._data, states, control, skip_checks=True, nstep=self._substeps, state=path
            )
        self.steps += count * self._substeps
        after = path[:, -1].copy()
        # Where MuJoCo gives up it repeats the last state, so that the clock stands still.
        arrived = after[:, 0] - states[:, 0] > (self._substeps - 0.5) * self.timestep
        sound = arrived & (np.abs(after).max(axis=1) < _DIVERGED) & np.isfinite(control[:, 0].sum(axis=1))
        if not sound.all():
            after[~sound] = np.nan
        return after

    def observations(self, states: np.ndarray) -> np.ndarray:
        """(n, s) -> (n, d) float64: what the environment would show, 0 in the columns of `unpredicted`."""
        shown = np.zeros((len(states), self._columns))
        shown[:, self._shown] = states[:, self._places]
        if len(self._clipped):
            limit = self._card.model.velocity_limit
            shown[:, self._clipped] = np.clip(shown[:, self._clipped], -limit, limit)
        return shown

    def _buffer(self, count: int) -> tuple[list, np.ndarray, np.ndarray]:
        found = self._buffers.get(count)
        if found is None:
            if len(self._buffers) > 64:
                self._buffers.clear()
            found = self._buffers[count] = (
                [self.model] * count,
                np.empty((count, self._substeps, self.model.nu)),
                np.empty((count, self._substeps, self.size)),
            )
        return found

    @contextmanager
    def _silent(self) -> Iterator[None]:
        """MuJoCo prints its warnings and appends them to a file in the working folder, unless they go elsewhere."""
        before = self._mujoco.get_mju_user_warning()
        self._mujoco.set_mju_user_warning(_nowhere)
        try:
            yield
        finally:
            self._mujoco.set_mju_user_warning(before)

    def _check_sizes(self) -> None:
        model, says = self.model, self._card.model
        wrong = None
        if self.size != 1 + model.nq + model.nv:
            wrong = "keeps more state than coordinates and velocities"
        elif (len(says.qpos), len(says.qvel)) != (model.nq, model.nv):
            wrong = f"has {model.nq} coordinates and {model.nv} velocities; `qpos` and `qvel` list {len(says.qpos)} and {len(says.qvel)}"
        elif model.nu != self._card.action.size or self._card.action.is_discrete:
            wrong = f"takes {model.nu} numbers as an action; `[action]` has {'names' if self._card.action.is_discrete else self._card.action.size}"
        else:
            beyond = [one for one in (*says.qpos, *says.qvel) if one is not None and one >= self._columns]
            if beyond:
                wrong = f"is said to be shown in column {beyond[0]}, but the fields read {self._columns} columns of the observation"
        if wrong is not None:
            card = self._card
            raise HLError(
                f"the model {says.file} {wrong}: the card of `{card.environment}` ({card.origin}) does not fit it",
                "mend the card's `[model]`",
            )


def _loaded(card: Card, mujoco: Any) -> Any:
    path = _model_file(card)
    try:
        return mujoco.MjModel.from_xml_path(str(path))
    except (ValueError, OSError) as error:
        hint = f"mend `file` in the `[model]` of {card.origin}"
        raise HLError(f"MuJoCo cannot read {path}, the model of `{card.environment}`: {error}", hint) from error


def _model_file(card: Card) -> Path:
    spec = find_spec("envpool_assets")
    assets = (
        [Path(folder) / "mujoco" / "assets_gym" for folder in (spec.submodule_search_locations or ())] if spec else []
    )
    beside = [Path(card.origin).parent] if "/" in card.origin else []
    for folder in (*assets, *beside):
        if (folder / card.model.file).is_file():
            return folder / card.model.file
    raise HLError(
        f"the model {card.model.file} of `{card.environment}` is not among EnvPool's assets"
        + (", nor beside its card" if beside else ""),
        f"mend `file` in the `[model]` of {card.origin}, or install the assets: `pip install envpool-assets`",
    )


def _nowhere(_: str) -> None:
    """Takes a warning; what went wrong is told by the rows that come back as NaN."""
