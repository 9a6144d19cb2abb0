"""Invalid options and unreachable models: `hl synth` reports them with exit code 2."""

import json

import pytest

from hl_dsl.cli.app import run
from tests.support.study_runs import LEAN


@pytest.fixture
def lean(tmp_path):
    path = tmp_path / "lean.hl"
    path.write_text(LEAN)
    return path


def run_hl(capsys, code, *words):
    """Runs the command line, checks the exit code, and returns what it printed."""
    assert run([str(word) for word in words]) == code
    return capsys.readouterr()


@pytest.mark.parametrize(
    "words, message",
    [
        (["--model", "m"], "--model is for the proposers"),
        (["--command", "true"], "--command is for the proposer `command`"),
        (
            ["--proposer", "openai", "--model", "m", "--base-url", "http://127.0.0.1:9", "--price-input", "1"],
            "only one of the prices",
        ),
        (
            ["--proposer", "openai", "--model", "m", "--base-url", "http://127.0.0.1:9", "--cost", "1"],
            "cannot be known before",
        ),
        (["--proposer", "openai", "--model", "m", "--prices", "no/such.toml"], "cannot read the prices"),
        (["--proposer", "replay"], "needs a recorded run"),
        (["--proposer", "local,"], "unknown proposer ``"),
        (["--proposer", "command", "--profile", "x"], "unknown profile `x`"),
    ],
)
def test_invalid_options_are_reported_before_anything_is_written(lean, tmp_path, capsys, words, message):
    assert message in run_hl(capsys, 2, "synth", lean, "--run", tmp_path / "run", *words).err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "text, message",
    [
        ("[models", "is not a TOML document"),
        ("models = 3", "is not a table"),
        ("[models.m]\ninput = 1", "does not hold its prices"),
        ("[models.m]\ninput = -1\noutput = 2", "is -1"),
        ("[models.m]\ninput = true\noutput = 2", "is True"),
    ],
)
def test_invalid_prices_are_reported(lean, tmp_path, capsys, text, message):
    prices = tmp_path / "prices.toml"
    prices.write_text(text)
    words = ("--proposer", "openai", "--model", "m", "--base-url", "http://127.0.0.1:9", "--prices", prices)
    assert message in run_hl(capsys, 2, "synth", lean, "--run", tmp_path / "run", *words).err


@pytest.mark.parametrize(
    "limit", [["--tokens", "2000"], ["--cost", "0.001", "--price-input", "1", "--price-output", "1"]]
)
@pytest.mark.parametrize("proposer", ["openai", "local,openai"])
def test_a_budget_below_one_call_is_rejected_before_any_step(lean, tmp_path, capsys, proposer, limit):
    words = (
        "--proposer",
        proposer,
        "--model",
        "m",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--max-output-tokens",
        "900",
        *limit,
    )
    assert (
        "is less than the first call of `openai` may cost"
        in run_hl(capsys, 2, "synth", lean, "--run", tmp_path / "run", *words).err
    )
    assert not (tmp_path / "run").exists()


def test_a_model_that_is_never_reached_fails_the_run(lean, tmp_path, capsys):
    words = (
        "synth",
        lean,
        "--proposer",
        "openai",
        "--model",
        "m",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--attempts",
        "1",
        "--seeds",
        "0..1",
        "--programs",
        "3",
    )
    output = run_hl(capsys, 2, *words, "--run", tmp_path / "run")
    assert (
        "error: no program was proposed: openai returned no program in 1 attempt" in output.err
        and "--resume" in output.err
    )
    assert "stopped: openai returned no program" in output.out
    again = run_hl(capsys, 2, *words, "--run", tmp_path / "run", "--resume", "--json")
    document = json.loads(again.out)
    assert document["schema"] == "hl.synth/2" and document["trials"] == 1
    assert document["problems"][0]["error"].startswith("no program was proposed")
