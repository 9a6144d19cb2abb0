"""Records of an evaluation: counts add up, and records survive JSON and pickling."""

import json
import pickle
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.backends.episode_counts import EpisodeCounts, PlanningCounts
from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.rollouts.episode_status import EpisodeStatus
from hl_dsl.synth.rollouts.executor import InProcessExecutor
from hl_dsl.synth.rollouts.resources import Resources

numbers = st.integers(0, 10**9)
tuples = st.lists(numbers, max_size=4).map(tuple)
counts = st.builds(
    EpisodeCounts, numbers, tuples, tuples, st.none() | st.builds(PlanningCounts, numbers, numbers, numbers)
)
settings = st.builds(
    EpisodeSettings, st.text(), st.lists(numbers, max_size=5), st.none() | numbers, st.none() | numbers
)


def through_json(record):
    return type(record).from_json(json.loads(json.dumps(record.to_json())))


@given(counts | settings)
def test_record_is_the_same_after_json_and_pickling(record):
    assert through_json(record) == record == pickle.loads(pickle.dumps(record))


@given(counts, counts, counts)
def test_counts_are_added_in_any_order(first, second, third):
    assert first + second == second + first
    assert (first + second) + third == first + (second + third) == EpisodeCounts.total([first, second, third])


def test_property_that_a_count_lacks_counts_zero():
    flow = Program.parse(
        'policy p for "CartPole-v1" { observe pole.angle  act LEFT  assume small: pole.angle < 1'
        "  assume large: pole.angle > -1  monitor tilted: pole.angle < 0 }"
    ).flow
    fields = (EpisodeCounts(2, (3,)) + EpisodeCounts(1, (1, 1), (5,), PlanningCounts(7))).trial_fields(flow)
    assert fields == {
        "out_of_range": {"all": 3},
        "assumption_violations": {"small": 4, "large": 1},
        "monitor_violations": {"tilted": 5},
        "planning": {"steps": 7, "diverged": 0, "blind": 0},
    }


def test_pickled_resources_keep_their_numbers_and_no_process():
    resources = Resources(2, 5, InProcessExecutor())
    again = pickle.loads(pickle.dumps(resources))
    assert again == resources == Resources(**resources.to_json()) and again.executor is not resources.executor


def test_resources_need_an_environment():
    with pytest.raises(HLError, match="too few"):
        Resources(num_envs=0)


def test_status_left_of_old_recordings_means_pruned():
    assert EpisodeStatus("left") is EpisodeStatus.PRUNED
    for make in (partial(EpisodeStatus, "lost"), partial(EpisodeStatus, "")):
        with pytest.raises(ValueError, match="EpisodeStatus"):
            make()
