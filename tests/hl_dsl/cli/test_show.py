"""`hl show`: each stage of the pipeline, as text and as one JSON document."""

from __future__ import annotations

import subprocess

import pytest

from hl_dsl import pipeline
from hl_dsl.cli.commands.show import STAGES
from hl_dsl.program import Program
from tests.hl_dsl.cli.conftest import POLICIES, START, assert_refused

BALANCE = POLICIES / "cartpole" / "balance.hl"
PLANNED = POLICIES / "walker2d" / "planned.hl"


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_prints_text_and_one_document(hl, stage):
    text = hl("show", BALANCE, "--stage", stage)
    assert (text.code, text.err) == (0, "") and len(text.out.splitlines()) > 5
    document = hl("show", BALANCE, "--stage", stage, "--json").document
    assert (document["schema"], document["stage"]) == ("hl.show/1", stage)
    assert stage == "tree" or document["program_hash"] == Program.load(BALANCE).hash


@pytest.mark.parametrize("path", [POLICIES / "breakout" / "ram.hl", PLANNED])
def test_programs_with_memory_vectors_and_plans_are_shown(hl, path):
    for stage in STAGES:
        assert hl("show", path, "--stage", stage).code == 0
        assert hl("show", path, "--stage", stage, "--json").document["stage"] == stage


def test_tree_names_nodes_with_their_lines(hl):
    tree = hl("show", "lean.hl", "--stage", "tree", "--json").document["tree"]
    assert (tree["node"], tree["name"], tree["environment"]) == ("PolicyDeclaration", "lean", "CartPole-v1")
    assert [(item["node"], item["line"]) for item in tree["declarations"]] == [("Observe", 2), ("Act", 4)]


def test_tree_is_shown_for_a_program_with_type_errors(hl, folder):
    (folder / "lean.hl").write_text(START.replace("pole.angle > 0", "pole.angle"), encoding="utf-8")
    assert hl("show", "lean.hl", "--stage", "tree").code == 0
    assert_refused(hl("show", "lean.hl", "--stage", "checked"), "HL3", code=1)


def test_graph_document_holds_every_node_and_who_uses_it(hl):
    document = hl("show", BALANCE, "--stage", "graph", "--json").document
    flow = Program.load(BALANCE).flow
    assert [(node["op"], node["args"]) for node in document["nodes"]] == [
        (node.op, list(node.args)) for node in flow.nodes
    ]
    assert document["action"] == list(flow.action)
    assert [item["name"] for item in document["properties"]] == ["lean_bounded", "falls_right", "falls_left"]


def test_tape_document_repeats_the_encoded_tape(hl):
    document = hl("show", BALANCE, "--stage", "tape", "--json").document
    tape = pipeline.assemble_tape(Program.load(BALANCE).flow)
    assert [item["target"] for item in document["instructions"]] == tape.code[:, 1].tolist()
    assert all(len(item["operands"]) in (1, 2, 3) for item in document["instructions"])


def test_smt_script_lets_z3_prove_every_goal_of_a_program_without_memory(hl, folder):
    from hl_dsl.verify.smt.solver_program import solver_path

    (folder / "balance.smt2").write_text(hl("show", BALANCE, "--stage", "smt").out, encoding="utf-8")
    answers = subprocess.run([solver_path(), "balance.smt2"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert answers.stdout.split() == ["unsat"] * len(Program.load(BALANCE).prove().results)


def test_unknown_stage_and_missing_stage_are_usage_errors(hl):
    assert_refused(hl("show", "lean.hl", "--stage", "assembly"), "`assembly` is not a stage", "decoder")
    assert_refused(hl("show", "lean.hl"), "--stage")
    assert_refused(hl("show", "missing.hl", "--stage", "tree"), "there is no file `missing.hl`")
