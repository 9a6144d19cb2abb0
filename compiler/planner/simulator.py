"""Batched simulation of an environment's MuJoCo model, without environment steps.

A state is MuJoCo's full physics state: time, coordinates, velocities. The card's `[model]` names the observation
columns that show the coordinates and velocities.
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
from hl_dsl.cards.model import Model

# A state with a larger number has diverged. The robots stay below a tenth of it; MuJoCo itself stops at 1e10.
_DIVERGED = 1e6
_MOST_BUFFERS = 64  # kept for different batch sizes


class Simulator:
    """Simulator of the model that an environment's card names.

    The contact solver is started cold at each environment step. A warm start changes a step by less than 1e-10.

    Attributes:
        model: MuJoCo's own model.
        size: Numbers of a state.
        steps: Steps of the model taken so far, `card.model.substeps` for each environment step.
        timestep: Seconds of one step of the model.
        unpredicted: Observation columns that `observations` leaves at 0.

    Raises:
        HLError: The card names no model, the file is missing or invalid, or its sizes differ from the card's.
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

        self._card, self._described, self._mujoco = card, card.model, mujoco
        with self._silent():
            self.model = _loaded(card, card.model, mujoco)
        self._substeps = card.model.substeps
        self._columns = max(max(field.index) for field in card.fields.values() if field.source == "observation") + 1
        self.size = mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_FULLPHYSICS.value)
        self._check_sizes()
        # A diverged state then stays as it is and can be detected; by default MuJoCo resets the model.
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
        threads = num_threads if num_threads > 1 else 0  # 0: the calling thread does the work
        self._rollout = rollout.Rollout(nthread=threads)
        self._data = [mujoco.MjData(self.model) for _ in range(max(threads, 1))]
        self._buffers: dict[int, tuple[list, np.ndarray, np.ndarray]] = {}

    @property
    def is_clipped(self) -> bool:
        """Whether an observation shows velocities only up to a limit."""
        return len(self._clipped) > 0

    def states(self, observations: np.ndarray, predicted: np.ndarray | None = None) -> np.ndarray:
        """The states that observations show, at time 0. Numbers that are not shown have the model's initial values.

        A velocity that is shown at its limit and was predicted beyond it is replaced by the prediction.

        Args:
            observations: (n, d).
            predicted: (n, s) predictions of these states, NaN if there is none.

        Returns:
            (n, s).
        """
        states = np.repeat(self._start[None], len(observations), axis=0)
        states[:, self._places] = observations[:, self._shown]
        limit = self._described.velocity_limit
        if predicted is not None and limit is not None and self.is_clipped:
            own, beyond = states[:, self._hidden], predicted[:, self._hidden]
            states[:, self._hidden] = np.where(
                (np.abs(own) >= limit) & (np.abs(beyond) > limit) & (np.sign(beyond) == np.sign(own)), beyond, own
            )
        return states

    def step(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """One environment step: states (n, s) and actions (n, k) to states (n, s). Rows that diverged are NaN."""
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
        # When MuJoCo stops, it repeats the last state, so its clock does not advance.
        has_advanced = after[:, 0] - states[:, 0] > (self._substeps - 0.5) * self.timestep
        is_valid = has_advanced & (np.abs(after).max(axis=1) < _DIVERGED) & np.isfinite(control[:, 0].sum(axis=1))
        if not is_valid.all():
            after[~is_valid] = np.nan
        return after

    def observations(self, states: np.ndarray) -> np.ndarray:
        """The observations of states: (n, s) to (n, d) float64, 0 in the columns of `unpredicted`."""
        shown = np.zeros((len(states), self._columns))
        shown[:, self._shown] = states[:, self._places]
        limit = self._described.velocity_limit
        if limit is not None and self.is_clipped:
            shown[:, self._clipped] = np.clip(shown[:, self._clipped], -limit, limit)
        return shown

    def _buffer(self, count: int) -> tuple[list, np.ndarray, np.ndarray]:
        buffer = self._buffers.get(count)
        if buffer is None:
            if len(self._buffers) > _MOST_BUFFERS:
                self._buffers.clear()
            buffer = self._buffers[count] = (
                [self.model] * count,
                np.empty((count, self._substeps, self.model.nu)),
                np.empty((count, self._substeps, self.size)),
            )
        return buffer

    @contextmanager
    def _silent(self) -> Iterator[None]:
        """Discards MuJoCo's warnings, which it would print and append to a file in the working folder."""
        before = self._mujoco.get_mju_user_warning()
        self._mujoco.set_mju_user_warning(_nowhere)
        try:
            yield
        finally:
            self._mujoco.set_mju_user_warning(before)

    def _check_sizes(self) -> None:
        problem = self._size_problem()
        if problem is not None:
            card = self._card
            raise HLError(
                f"the model {self._described.file} {problem}: the card of `{card.environment}` ({card.origin}) does "
                "not fit it",
                "fix the card's `[model]`",
            )

    def _size_problem(self) -> str | None:
        model, described, action = self.model, self._described, self._card.action
        shown = len(described.qpos), len(described.qvel)
        if self.size != 1 + model.nq + model.nv:
            return "keeps more state than coordinates and velocities"
        if shown != (model.nq, model.nv):
            sizes = f"has {model.nq} coordinates and {model.nv} velocities"
            return f"{sizes}; `qpos` and `qvel` list {shown[0]} and {shown[1]}"
        if model.nu != action.size or action.is_discrete:
            known = "names" if action.is_discrete else action.size
            return f"takes {model.nu} numbers as an action; `[action]` has {known}"
        columns = [column for column in (*described.qpos, *described.qvel) if column is not None]
        beyond = [column for column in columns if column >= self._columns]
        if beyond:
            return (
                f"is said to be shown in column {beyond[0]}, but the fields read {self._columns} columns of the "
                "observation"
            )
        return None


def _loaded(card: Card, described: Model, mujoco: Any) -> Any:
    path = _model_file(card, described)
    try:
        return mujoco.MjModel.from_xml_path(str(path))
    except (ValueError, OSError) as error:
        hint = f"fix `file` in the `[model]` of {card.origin}"
        raise HLError(f"MuJoCo cannot read {path}, the model of `{card.environment}`: {error}", hint) from error


def _model_file(card: Card, described: Model) -> Path:
    spec = find_spec("envpool_assets")
    packages = (spec.submodule_search_locations or ()) if spec else ()
    assets = [Path(folder) / "mujoco" / "assets_gym" for folder in packages]
    card_folders = [Path(card.origin).parent] if "/" in card.origin else []
    for folder in (*assets, *card_folders):
        if (folder / described.file).is_file():
            return folder / described.file
    raise HLError(
        f"the model {described.file} of `{card.environment}` is not among EnvPool's assets"
        + (", nor next to its card" if card_folders else ""),
        f"fix `file` in the `[model]` of {card.origin}, or install the assets: `pip install envpool-assets`",
    )


def _nowhere(_: str) -> None:
    """Discards a warning. Rows of NaN report the failure."""
