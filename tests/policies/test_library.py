"""Policy library: proofs, scores, headers, and the documentation about them."""

import re
from pathlib import Path

import pytest

from hl_dsl.program import Program
from hl_dsl.synth.environments.episode_settings import EpisodeSettings
from hl_dsl.synth.evaluation.evaluate import evaluate_program

LIBRARY = Path(__file__).parents[2] / "policies"
POLICIES = sorted(LIBRARY.glob("*/*.hl"))
STRONG = LIBRARY / "breakout" / "ram.hl"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_policy_is_proved(path):
    assert Program.load(path).prove().passed


def test_breakout_start_is_short_and_scores_low():
    text = (LIBRARY / "breakout" / "start.hl").read_text()
    program = Program.parse(text)
    code = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(code) <= 12 and not program.flow.parameters
    returns = evaluate_program(program, EpisodeSettings("deterministic", [0]), ledger=None).rollout.returns
    assert 0 < returns[0] < 150


def test_breakout_ram_policy_clears_both_screens_without_violations():
    evaluation = evaluate_program(Program.load(STRONG), EpisodeSettings("deterministic", [0, 1, 2]), ledger=None)
    assert evaluation.rollout.returns == (864.0, 864.0, 864.0)
    assert not any(evaluation.trial.assumption_violations.values())
    assert not evaluation.rollout.total_counts.out_of_range


def test_breakout_ram_policy_proves_its_three_invariants():
    proof = Program.load(STRONG).prove()
    proved = {result.name for result in proof.results if result.kind == "invariant" and result.status == "proved"}
    assert proved == {"aim_in_field", "serve_only", "no_windup"}


def test_breakout_ram_policy_without_its_clamp_is_refuted():
    text, count = re.subn(r"clamp\(landing - offset, 55, 191\)", "landing - offset", STRONG.read_text())
    assert count == 1
    proof = Program.parse(text).prove()
    invariants = {result.name: result for result in proof.results if result.kind == "invariant"}
    assert invariants["no_windup"].status == "violated" and len(invariants["no_windup"].trace) >= 2
    assert not proof.passed
    shown = proof.render(Program.parse(text).source).splitlines()
    assert [line for line in readme_blocks("violated: ")[0] if line.strip() != "…" and line not in shown] == []


def readme_blocks(prefix: str) -> list[list[str]]:
    """Returns the lines of the README's code blocks that start with a prefix."""
    blocks = re.findall(
        r"^```\n(.*?)^```", (LIBRARY.parent / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [block.splitlines() for block in blocks if block.startswith(prefix)]


def test_readme_shows_the_output_of_verify():
    program = Program.load(STRONG)
    shown = program.prove().render(program.source).splitlines()
    (block,) = readme_blocks("proved: ")
    assert [line for line in block if line not in shown] == []


def test_readme_shows_a_policy_of_the_library():
    text = (LIBRARY / "cartpole" / "balance.hl").read_text(encoding="utf-8")
    (block,) = readme_blocks("# Push")
    assert Program.parse("\n".join(block)).hash == Program.parse(text).hash


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_readme_has_the_scores_of_the_headers(path):
    """`make scores` writes the headers. The table of the README holds the same numbers."""
    rows = re.findall(
        r"^\| (?:`(\S+)`)? ?\| (\w+) \| (\S+) \| (\S+) \| (\S+) \| (\d+) \|$",
        (LIBRARY.parent / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    table, named = {}, ""
    for name, protocol, *numbers in rows:
        named = name or named
        table[named, protocol] = [float(number) for number in numbers]
    header = re.findall(
        r"^#: (\w+), seeds? \S+: mean (\S+), min (\S+), max (\S+); (\d+) distinct",
        path.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert header, "make scores has not been run"
    for protocol, mean, *rest in header:
        assert table[f"policies/{path.parent.name}/{path.name}", protocol] == [round(float(mean), 1), *map(float, rest)]


def test_how_it_works_shows_the_graph_of_its_example():
    flow = Program.load(LIBRARY / "cartpole" / "lean.hl").flow
    page = (LIBRARY.parent / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if "0 input" in line]
    nodes = []
    for number, node in enumerate(flow.nodes):
        what = (
            "pole.angle"
            if node.op == "input"
            else str(node.value)
            if node.op == "constant"
            else f"({', '.join(map(str, node.args))})"
        )
        nodes.append(f"{number} {node.op} {what}")
    assert re.split(r" {2,}", line.strip()) == nodes and f"The action is node {flow.action[0]}" in page


def test_commands_and_options_of_the_readme_exist(capsys):
    from hl_dsl.cli.app import run

    (block,) = readme_blocks("hl new")
    for line in block:
        _, command, *words = line.partition("#")[0].split()
        assert run([command, "--help"]) == 0
        options = capsys.readouterr().out
        if words and words[0] == "add":  # a subcommand
            assert run([command, words[0], "--help"]) == 0
            options = capsys.readouterr().out
        assert all(word in options for word in words if word.startswith("--")), line


def test_cartpole_balance_policy_reaches_500_on_every_seed():
    returns = evaluate_program(
        Program.load(LIBRARY / "cartpole" / "balance.hl"), EpisodeSettings("standard", range(50)), ledger=None
    ).rollout.returns
    assert set(returns) == {500.0}


def test_measured_header_is_not_copied_to_another_program():
    from hl_dsl.synth.search.best_text import best_text

    program = Program.load(LIBRARY / "breakout" / "start.hl")
    assert "#:" in program.text
    assert "#:" not in best_text(program, ["Found by a search."])
    assert "seed 50" not in program.export() and "seed 50" not in program.explain()
