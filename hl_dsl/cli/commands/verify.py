"""`hl verify`: proof of a policy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hl_dsl.base.text import counted
from hl_dsl.cli.output.documents import Json, PolicyFile, finish, note, show

if TYPE_CHECKING:
    from hl_dsl.program import Program
    from hl_dsl.verify import Proof


def verify(
    file: PolicyFile,
    narrow: Annotated[
        bool,
        typer.Option("--narrow", help="If the proof fails, find smaller ranges of the parameters for which it passes."),
    ] = False,
    save_trace: Annotated[
        Path | None,
        typer.Option(
            "--save-trace",
            metavar="PATH",
            help="Write each counterexample as a case: PATH is a folder, or a .json file.",
            show_default=False,
        ),
    ] = None,
    certify: Annotated[
        Path | None,
        typer.Option(
            "--certify",
            metavar="FOLDER",
            help="Write the queries that z3 proved as SMT-LIB files, with an index, for another solver.",
            show_default=False,
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            metavar="PATH",
            help="Do not prove: replay a case, or a folder of them, on this policy. 1: one is violated.",
            show_default=False,
        ),
    ] = None,
    slicing: Annotated[
        bool,
        typer.Option(
            "--slicing/--no-slicing",
            help="Restrict each solver query to its cone of influence, or encode the whole program.",
        ),
    ] = True,
    lemmas: Annotated[
        bool,
        typer.Option("--lemmas/--no-lemmas", help="Infer lemmas about the memory that help induction."),
    ] = True,
    cache: Annotated[
        bool,
        typer.Option("--cache/--no-cache", help="Reuse solver answers from earlier proofs, and store new ones."),
    ] = True,
    json: Json = False,
) -> None:
    """Prove a policy well defined and its invariants true.

    The proof holds for every input, parameter and state in range. Warnings
    report rules never reached, conditions always or never true, modes never
    entered, assumptions that cannot hold for long, and unused names; they do
    not change the exit code.
    """
    from hl_dsl.base.diagnostics import render
    from hl_dsl.base.errors import HLError
    from hl_dsl.program import Program
    from hl_dsl.verify import ProofLimits, SolverAnswerCache
    from hl_dsl.verify.diagnosis.annotate_proof import with_diagnosis
    from hl_dsl.verify.diagnosis.assumption_horizon import check_assumption_horizon
    from hl_dsl.verify.diagnosis.dead_code import find_dead_code

    program = Program.load(file)
    if replay is not None:
        if narrow or save_trace is not None or certify is not None:
            raise HLError("`--replay` runs cases and does not prove", "remove the other options")
        from hl_dsl.cli.output.counterexample_replay import replay_cases

        replay_cases(program, replay, json)
        return
    _check_places(program, save_trace, certify)
    answers = SolverAnswerCache.of_user() if cache else None
    limits = ProofLimits(slicing=slicing, lemmas=lemmas, processes=_cores())
    proof = with_diagnosis(program.flow, program.prove(limits=limits, answer_cache=answers), limits)
    if answers is not None:
        answers.close()
        if answers.note:
            note(f"note: {answers.note}")
    warnings = sorted(
        program.warnings + find_dead_code(program.checked, proof) + check_assumption_horizon(program.flow, proof),
        key=lambda item: item.span,
    )
    for item in warnings:
        note(render(program.source, item) + "\n")
    fields = proof.to_json()
    obligations = fields.pop("results")
    document = {
        "schema": "hl.verify/1",
        "policy": program.name,
        "program_hash": program.hash,
        "env": program.card.environment,
        **fields,
        "exit_code": proof.exit_code,
        "obligations": obligations,
        "warnings": [item.to_json(program.source) for item in warnings],
    }
    text = [proof.render(program.source)]
    if narrow:
        document["narrowed"], lines = _narrowed(program, proof)
        text += ["", *lines]
    if save_trace is not None:
        document["cases"] = _saved(program, proof, save_trace)
        text += (
            ["", *(f"wrote {path}" for path in document["cases"])]
            if document["cases"]
            else ["", "no violation to save"]
        )
    if certify is not None:
        document["certificate"], lines = _certified(program, proof, certify)
        text += ["", *lines]
    show(document, "\n".join(text), json)
    finish(proof.exit_code)


def _check_places(program: Program, save_trace: Path | None, certify: Path | None) -> None:
    """Raises HLError for output paths that cannot be written, before the proof, which may take long."""
    from hl_dsl.cli.options.output_paths import check_folder, writing_to
    from hl_dsl.verify.certificate_files import list_replaced_files
    from hl_dsl.verify.results.counterexample_files import folder_for

    if save_trace is not None:
        with writing_to(save_trace):
            folder = folder_for(save_trace, program.flow)
        check_folder(folder)
    if certify is not None:
        with writing_to(certify):
            list_replaced_files(certify)
        check_folder(certify)


def _narrowed(program: Program, proof: Proof) -> tuple[dict[str, Any], list[str]]:
    from hl_dsl.grammar.formatter.format import format_expression
    from hl_dsl.grammar.tree.syntax_tree import Param
    from hl_dsl.verify.diagnosis.parameter_narrowing import narrow_parameters

    if proof.passed:
        return {"passed": True, "ranges": {}, "lines": [], "failing": []}, [
            "everything is proved for the declared ranges: nothing to narrow"
        ]
    found = narrow_parameters(program.flow)
    if found.ranges is None:
        return (
            {"passed": False, "ranges": {}, "lines": [], "failing": list(found.failing)},
            [
                "no smaller ranges help: with every parameter at its default, this is not proved: "
                + ", ".join(found.failing)
            ],
        )
    lines = []
    for param in program.syntax.of(Param):
        if param.name in found.changed:
            low, high = found.ranges[param.name]
            kind = param.type.base if param.type.size is None else f"{param.type.base}[{param.type.size}]"
            lines.append(f"param {param.name}: {kind} = {format_expression(param.default)} in [{low!r}, {high!r}]")
    document = {
        "passed": True,
        "ranges": {name: list(found.ranges[name]) for name in found.changed},
        "lines": lines,
        "failing": [],
    }
    return document, [
        f"everything is proved with these ranges ({found.proof.summary}):",
        *(f"  {line}" for line in lines),
    ]


def _certified(program: Program, proof: Proof, folder: Path) -> tuple[dict[str, Any], list[str]]:
    from hl_dsl.cli.options.output_paths import writing_to
    from hl_dsl.verify.certificate_files import write_certificate
    from hl_dsl.verify.certificates import build_certificate

    found = build_certificate(program.flow, proof)
    with writing_to(folder):
        index = write_certificate(folder, found)
    files = [query.file for query in found.queries]
    if files:
        said = [f"wrote {index} and {counted(len(files), 'SMT-LIB file')}; the answer to each must be unsat"]
    elif found.certified:
        said = [f"wrote {index}: the proofs needed no solver, so there is no query for another one"]
    else:
        said = [f"wrote {index}: no proof is certified"]
    if found.uncertified:
        said.append(f"proved, but without a query for another solver: {', '.join(found.uncertified)}")
    return {"index": index, "files": files, "uncertified": found.uncertified}, said


def _saved(program: Program, proof: Proof, where: Path) -> list[Path]:
    from hl_dsl.cases.files import save_case
    from hl_dsl.verify.results.counterexample_files import paths_for
    from hl_dsl.verify.results.counterexamples import counterexamples

    cases = counterexamples(program.flow, proof)
    paths = paths_for(where, cases)
    for path, case in zip(paths, cases, strict=True):
        save_case(path, case)
    return paths


def _cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
