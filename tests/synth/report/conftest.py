import json
import shutil

import pytest

from hl_dsl.program import Program
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.runs import plots
from hl_dsl.synth.runs.budget import Budget
from tests.support.model_server import ModelServer, good
from tests.support.study_runs import LEAN, search_study
from tests.synth.proposers.conftest import BEST, BETTER, BROKEN, SAME, UNPROVED

EVIL = "</pre></details><script>alert('1')</script><img src=http://x.example/y onerror=alert(2)>&amp; \u202e]]>"
"""Texts with which a model could try to break out of its place in the page."""


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    """A whole run with a model's proposals, made once: two rejected, a duplicate, two accepted."""
    place = tmp_path_factory.mktemp("runs") / "model"
    evil = BETTER.replace("# look ahead a little", f"# look ahead {EVIL}")
    script = [
        good(BROKEN),
        good(json.dumps({"change": f"I hope {EVIL}", "program": evil}), words=True),
        good(UNPROVED),
        good(BEST),
        good(SAME),
    ]
    options = {"model": f"m<b>{EVIL}", "api_key": "key", "grammar": lambda card: "start: /a/", "repairs": 0}
    with pytest.MonkeyPatch.context() as patch, ModelServer(script) as server:
        patch.setattr(plots, "plot_sample_efficiency", lambda *rest, **more: None)
        search_study(
            Program.parse(LEAN),
            "standard",
            place,
            Budget(steps=20_000, programs=6),
            proposer="openai",
            seeds=(0, 1),
            options=ProposerOptions(**options, base_url=server.url),
        ).run()
    return place


@pytest.fixture
def run(_made, tmp_path):
    """A copy of it."""
    return shutil.copytree(_made, tmp_path / "run")
