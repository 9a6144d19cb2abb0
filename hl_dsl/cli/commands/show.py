"""`hl show`: one stage of the pipeline for a policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.documents import Json, PolicyFile
from hl_dsl.cli.output.documents import show as show_document

if TYPE_CHECKING:
    from hl_dsl.base.source import SourceText
    from hl_dsl.program import Program

STAGES = ("tree", "checked", "graph", "numpy", "tape", "smt", "decoder")


def show(
    file: PolicyFile,
    stage: Annotated[
        str, typer.Option("--stage", metavar="STAGE", help=f"One of {', '.join(STAGES)}.", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Print a policy at one stage of the pipeline.

    tree: the syntax tree. checked: names and types. graph: the dataflow
    graph that all back ends read. numpy: the NumPy function. tape: the
    instructions of the compiled back end. smt: one tick and the goals as
    SMT-LIB. decoder: the grammar for constrained decoding.
    """
    from hl_dsl.program import Program
    from hl_dsl.program_files import read_source

    if stage not in STAGES:
        raise HLError(f"`{stage}` is not a stage", f"use one of {', '.join(STAGES)}")
    source = read_source(file)
    if stage == "tree":
        document, text = _tree(source)
    else:
        program = Program.from_source(source)
        document, text = _WRITERS[stage](program)
        document = {"policy": program.name, "program_hash": program.hash, **document}
    show_document({"schema": "hl.show/1", "file": file, "stage": stage, **document}, text.rstrip("\n"), json)


def _tree(source: SourceText) -> tuple[dict[str, Any], str]:
    """The tree of a text that need not be a correct program."""
    from hl_dsl import pipeline
    from hl_dsl.cli.output.stage_documents import tree_document
    from hl_dsl.cli.output.stage_text import tree_text

    document = tree_document(pipeline.parse(source), source)
    return {"tree": document}, tree_text(document)


def _checked(program: Program) -> tuple[dict[str, Any], str]:
    from hl_dsl.cli.output.stage_documents import checked_document
    from hl_dsl.cli.output.stage_text import checked_text

    document = checked_document(program.checked)
    return document, checked_text(document)


def _graph(program: Program) -> tuple[dict[str, Any], str]:
    from hl_dsl.cli.output.stage_documents import graph_document
    from hl_dsl.cli.output.stage_text import graph_text

    document = graph_document(program.flow)
    return document, graph_text(document)


def _numpy(program: Program) -> tuple[dict[str, Any], str]:
    from hl_dsl import pipeline

    text = pipeline.generate_numpy(program.flow)
    return {"text": text}, text


def _tape(program: Program) -> tuple[dict[str, Any], str]:
    from hl_dsl import pipeline
    from hl_dsl.cli.output.stage_documents import tape_document
    from hl_dsl.cli.output.stage_text import tape_text

    document = tape_document(pipeline.assemble_tape(program.flow))
    return document, tape_text(document)


def _smt(program: Program) -> tuple[dict[str, Any], str]:
    from hl_dsl import pipeline

    text = pipeline.encode_smt(program.flow)
    return {"text": text}, text


def _decoder(program: Program) -> tuple[dict[str, Any], str]:
    from hl_dsl import pipeline

    text = pipeline.generate_decoder_grammar(program.card)
    return {"text": text}, text


_WRITERS: dict[str, Callable[[Program], tuple[dict[str, Any], str]]] = {
    "checked": _checked,
    "graph": _graph,
    "numpy": _numpy,
    "tape": _tape,
    "smt": _smt,
    "decoder": _decoder,
}
