"""Recorded episodes of a study's generations, as `.npz` files in its run folder."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hl_dsl.base.errors import HLError
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.picture import Picture
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.search.completed_trial import CompletedTrial

EPISODES = "episodes"
TrialEpisodes = tuple[dict[int | str, Recording], dict[int | str, EpisodeStatus]]
"""Recordings of a trial and how they ended, by seed or, for golden cases, by `recording_key`."""


def write_episodes(folder: RunFolder, generation: int, trials: Sequence[CompletedTrial]) -> None:
    """Writes the episodes of some trials of a generation into a new file. Raises FileUnwritable."""
    arrays: dict[str, Any] = {}
    for trial in trials:
        for seed, recording in trial.recordings.items():
            key = f"{trial.index}/{seed}/{trial.statuses[seed]}"
            arrays[f"{key}/actions"] = recording.actions
            arrays.update({f"{key}/shown_{name}": values for name, values in recording.shown.items()})
            arrays.update(
                {
                    f"{key}/picture_{number}_{picture.says}": np.frombuffer(picture.png, np.uint8)
                    for number, picture in enumerate(recording.pictures)
                }
            )
    path = folder.path / EPISODES
    path.mkdir(exist_ok=True)
    part = len(list(path.glob(f"{generation}-*.npz")))  # an interrupted generation has several files
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    folder.write(f"{EPISODES}/{generation}-{part}.npz", file.getvalue())


def read_episodes(folder: Path, generation: int) -> dict[int, TrialEpisodes]:
    """The episodes of a generation by the number of their trial. Raises HLError if a file cannot be read."""
    episodes: dict[int, TrialEpisodes] = {}
    for path in sorted((folder / EPISODES).glob(f"{generation}-*.npz")):
        parts: dict[tuple[int, int | str, str], dict[str, np.ndarray]] = {}
        try:
            with np.load(path, allow_pickle=False) as file:
                for name in file.files:
                    index, seed, status, item = name.split("/")
                    key = (int(index), int(seed) if seed.isdigit() else seed, status)
                    parts.setdefault(key, {})[item] = file[name]
        except (OSError, ValueError, EOFError) as error:
            raise HLError(f"cannot read {path}: {error}", "restore it from a copy, or start a new run") from None
        for (trial, seed_or_case, ended), values in parts.items():
            recordings, statuses = episodes.setdefault(trial, ({}, {}))
            shown = {name.removeprefix("shown_"): array for name, array in values.items() if name.startswith("shown_")}
            pictures = tuple(
                Picture(array.tobytes(), name.split("_", 2)[2])
                for name, array in values.items()
                if name.startswith("picture_")
            )
            recordings[seed_or_case] = Recording(shown, values["actions"], pictures)
            statuses[seed_or_case] = EpisodeStatus(ended)
    return episodes
