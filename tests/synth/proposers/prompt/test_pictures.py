"""Frames of the worst episode: recorded during the evaluation, sent to models that accept them."""

import base64
import io

import imageio.v3
import pytest

from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.proposers.agents.scratch_folder import FEEDBACK, ScratchFolder
from hl_dsl.synth.proposers.llm.openai_writer import OpenAIWriter
from hl_dsl.synth.proposers.llm.response_formats import RESPONSE_FORMATS
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.writer import Prompt
from hl_dsl.synth.rollouts.candidate_batch import play
from hl_dsl.synth.rollouts.episode import RecordingDetail
from hl_dsl.synth.rollouts.executor import ExecutionHooks
from hl_dsl.synth.rollouts.last_frames import EVERY, MOST
from hl_dsl.synth.rollouts.picture import Picture
from hl_dsl.synth.rollouts.resources import Resources
from hl_dsl.synth.search.episode_files import read_episodes
from tests.support.model_server import ModelServer, good
from tests.support.model_studies import BEST_HASH, only_chat, study
from tests.support.step_counter import steps_taken
from tests.support.study_runs import LEAN
from tests.synth.proposers.conftest import BEST, BETTER, Run

BREAKOUT = """policy p for "Breakout-v5" {
  observe ram

  act {
    when ram[101] == 0     => FIRE
    when ram[99] > ram[72] => RIGHT
    otherwise              => LEFT
  }
}
"""


def sent(body) -> list[bytes]:
    """The PNG files in a request."""
    parts = body["input"][0]["content"] if "input" in body else body["messages"][1]["content"]
    urls = [
        one["image_url"] if type(one["image_url"]) is str else one["image_url"]["url"]
        for one in parts
        if type(one) is dict and "image_url" in one
    ]
    assert all(url.startswith("data:image/png;base64,") for url in urls)
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


def words(body) -> str:
    parts = body["input"][0]["content"] if "input" in body else body["messages"][1]["content"]
    return parts if type(parts) is str else parts[0]["text"]


@pytest.mark.parametrize(
    "text, protocol, most", [(BREAKOUT, "deterministic", 150), (LEAN, "standard", None)], ids=["pixels", "drawn"]
)
def test_recording_frames_does_not_change_the_episodes(text, protocol, most):
    program = Program.parse(text)
    given = ([program.flow] * 2, program.card, EpisodeSettings(protocol, (0, 1), most))
    limits = {"hooks": ExecutionHooks(), "resources": Resources()}
    before = steps_taken()
    without = play(*given, **limits)
    between = steps_taken()
    having = play(*given, **limits, detail=RecordingDetail.PICTURES)
    assert steps_taken() - between == between - before == without.rollout.env_steps
    assert having.rollout.digests == without.rollout.digests and having.rollout.returns == without.rollout.returns
    for every in having.episodes:
        worst = min(every, key=lambda one: (one.value, one.seed))
        assert [bool(one.recording.pictures) for one in every] == [one is worst for one in every]
        shown = worst.recording.pictures
        last = (worst.length - 1) // EVERY * EVERY
        assert [one.says for one in shown] == [
            f"tick {tick}" for tick in (*range(last - (MOST - 2) * EVERY, last + 1, EVERY), worst.length) if tick >= 0
        ][-MOST:]
        assert all(imageio.v3.imread(io.BytesIO(one.png)).shape[1] <= 320 for one in shown)


@pytest.mark.parametrize("knows", [lambda path, body: None, only_chat], ids=["responses", "chat"])
def test_the_prompt_holds_the_last_frames_of_the_worst_episode(tmp_path, knows):
    with ModelServer([good(BETTER), good(BEST)], knows) as server:
        result = study(tmp_path / "run", server, programs=3).run()
    assert result.program_hash == BEST_HASH
    asked = [body for path, body, _ in server.requests if knows(path, body) is None]
    assert [0 < len(sent(body)) <= MOST for body in asked] == [True, True]
    assert all(f"Picture {number}: tick" in words(body) for body in asked for number in range(1, len(sent(body)) + 1))
    # The sent frames are recorded, so a resumed study sends the same.
    kept, _ = read_episodes(tmp_path / "run", 0)[0]
    assert [one.png for recording in kept.values() for one in recording.pictures] == sent(asked[0])
    assert [one["pictures"] for one in Run(tmp_path / "run").settled if one["outcome"] == "answered"] == [
        len(sent(body)) for body in asked
    ]


def test_no_frames_are_recorded_without_a_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "hl_dsl.synth.search.program_search.can_be_drawn", lambda card: pytest.fail("no proposer uses pictures")
    )
    with ModelServer([good(BEST)]) as server:
        result = study(tmp_path / "run", server, programs=2, images=False).run()
    assert result.score == 500 and not sent(server.requests[0][1]) and "Picture" not in words(server.requests[0][1])


REFUSALS = {
    "said": (400, "this model does not support image input"),
    "said by 500": (500, "image input is not supported - hint: provide the mmproj"),
    "not said": (400, "invalid request"),
    "unprocessable": (422, "Input should be a valid string"),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_server_that_rejects_pictures_never_gets_them_again(tmp_path, how):
    with ModelServer([good(BETTER), good(BEST)], lambda path, body: REFUSALS[how] if sent(body) else None) as server:
        result = study(tmp_path / "run", server, programs=3).run()
    run = Run(tmp_path / "run")
    assert result.program_hash == BEST_HASH and len(run.reserved) == len(run.settled) == len(server.requests)
    refused = [one for one in run.settled if one["outcome"] == "failed"]
    assert [one.get("pictures_refused", False) for one in refused] == [False] * (len(refused) - 1) + [True]
    assert all(one["tokens"] == 0 for one in refused) and (len(refused) == 1 or "not" in how or how == "unprocessable")
    with_pictures = [bool(sent(body)) for _, body, _ in server.requests]
    assert with_pictures == [True] * len(refused) + [False] * 2
    assert "Picture 1" not in words(server.requests[-1][1]) and "## Worst seed" in words(server.requests[-1][1])
    # A resumed study does not send pictures either, and starts with the most constrained format.
    writer = OpenAIWriter(ProposerOptions(model="m", base_url=server.url, api_key="k"))
    writer.learn(run.settled)
    prompt = Prompt("a", "b, see Picture 1", (Picture(b"png", "tick 0"),), None, "b")
    assert writer.request_for(prompt)[0].prompt.pictures == () and writer.request_for(prompt)[0].prompt.variable == "b"
    assert run.settled[-1]["response_format"] == RESPONSE_FORMATS[0].name


def test_an_agent_gets_pictures_as_files():
    prompt = Prompt("task", "words", (Picture(b"one", "tick 8"), Picture(b"two", "tick 16")))
    with ScratchFolder(prompt) as workspace:
        feedback = (workspace.path / FEEDBACK).read_text()
        assert [(workspace.path / f"picture-{number}.png").read_bytes() for number in (1, 2)] == [b"one", b"two"]
    assert "Picture 1 is `picture-1.png`: tick 8" in feedback and "Picture 2 is `picture-2.png`: tick 16" in feedback
