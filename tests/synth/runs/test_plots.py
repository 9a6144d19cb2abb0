"""The sample-efficiency picture: what is drawn is what the ledger says."""

from __future__ import annotations

import io
import math
import random

import matplotlib.image
import numpy as np
import pytest

from hl_dsl.base.files import FileUnwritable
from hl_dsl.synth.runs.plots import Reference, plot_sample_efficiency, sample_efficiency_figure, short_number
from hl_dsl.synth.runs.statuses import Gate, TrialKind
from hl_dsl.synth.runs.trial import Trial


def scored(
    score: float, gate: str = "accepted", episodes: int = 2, steps: int = 1000, protocol: str = "sticky"
) -> Trial:
    return Trial(
        kind=TrialKind("search"),
        gate=Gate(gate),
        accepted=gate == "accepted",
        environment="Breakout-v5",
        protocol=protocol,
        seeds=tuple(range(episodes)),
        returns=(score,) * episodes,
        lengths=(5,) * episodes,
        environment_steps=steps,
    )


TRIALS = [
    Trial(kind=TrialKind("probe"), environment_steps=500),
    scored(100),
    scored(50, gate="quick_seeds", episodes=1, steps=200),
    Trial(kind=TrialKind("search"), gate=Gate("prove")),
    scored(300),
    scored(250),
    scored(math.nan, gate="all_seeds"),
    scored(900, protocol="noop", gate=Gate.NONE),
]


def parts(figure, panel: int):
    axes = figure.axes[panel]
    dots = {group.get_label(): group.get_offsets().tolist() for group in axes.collections}
    lines = {line.get_label(): np.column_stack(line.get_data()).tolist() for line in axes.lines}
    return axes, dots, lines


def test_both_panels_draw_every_comparable_score_at_its_cumulative_cost():
    figure = sample_efficiency_figure(TRIALS)
    _, dots, lines = parts(figure, 0)
    assert dots == {"rejected trial": [[1700, 50]], "accepted trial": [[1500, 100], [2700, 300], [3700, 250]]}
    assert lines["best so far"] == [[1500, 100], [1700, 100], [2700, 300], [3700, 300], [5700, 300]]
    _, dots, lines = parts(figure, 1)
    assert dots == {"rejected trial": [[3, 50]], "accepted trial": [[2, 100], [5, 300], [7, 250]]}
    assert lines["best so far"][-1] == [11, 300]


def test_the_best_is_a_step_line_and_rejected_trials_are_faint():
    axes, _, _ = parts(sample_efficiency_figure(TRIALS), 0)
    (best,) = axes.lines
    assert best.get_drawstyle() == "steps-post"
    faint = {group.get_label(): group.get_alpha() or 1 for group in axes.collections}
    assert faint["rejected trial"] < 0.5 < faint["accepted trial"]


def test_title_labels_and_legend():
    figure = sample_efficiency_figure(TRIALS, references=[Reference("null", score=325)])
    assert figure.get_suptitle() == "Sample efficiency on Breakout-v5 (sticky)"
    assert sample_efficiency_figure(TRIALS, title="Mine").get_suptitle() == "Mine"
    assert [axes.get_xlabel() for axes in figure.axes] == ["cumulative environment steps", "cumulative episodes"]
    assert figure.axes[0].get_ylabel() == "mean return of a trial"
    assert figure.axes[0].get_title(loc="left").startswith("8 trials: 3 accepted")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "rejected trial",
        "accepted trial",
        "best so far",
        "null",
    ]


def test_a_level_is_drawn_in_both_panels_and_a_curve_against_steps():
    figure = sample_efficiency_figure(
        TRIALS, references=[Reference("level", score=325), Reference("curve", steps=[0, 9], scores=[1, 2])]
    )
    _, _, left = parts(figure, 0)
    _, _, right = parts(figure, 1)
    assert {y for _, y in left["level"]} == {y for _, y in right["level"]} == {325}
    assert left["curve"] == [[0, 1], [9, 2]] and "curve" not in right


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [Trial(kind=TrialKind("probe"), environment_steps=9)],
        [scored(math.inf)],
        [scored(5, gate="quick_seeds")],
        [scored(0.0)],
    ],
)
def test_a_plot_with_few_or_no_scores_is_drawn(tmp_path, trials):
    path = plot_sample_efficiency(trials, tmp_path / "plot.png")
    picture = matplotlib.image.imread(path)
    assert picture.shape[:2] == (704, 1600) and picture[..., :3].std() > 0.01


def test_the_same_trials_give_the_same_bytes_and_a_long_run_is_drawn(tmp_path):
    chance = random.Random(0)
    trials = [
        scored(chance.gauss(200, 60), gate=chance.choice(["quick_seeds", "all_seeds", "accepted"])) for _ in range(3000)
    ]
    first = plot_sample_efficiency(trials, tmp_path / "one.png").read_bytes()
    assert first == plot_sample_efficiency(trials, tmp_path / "two.png").read_bytes()
    assert matplotlib.image.imread(io.BytesIO(first)).shape[1] == 1600


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileUnwritable, match="folder does not exist"):
        plot_sample_efficiency(TRIALS, tmp_path / "missing" / "plot.png")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (12, "12"), (999, "999"), (250_000, "250 k"), (1_500_000, "1.5 M"), (2e9, "2 G")]
)
def test_short_numbers(value, text):
    assert short_number(value) == text
