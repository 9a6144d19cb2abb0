"""`hl verify`: prove a policy."""

from __future__ import annotations

from hl_dsl.cli.output import Json, PolicyFile, finish, note, show


def verify(file: PolicyFile, json: Json = False) -> None:
    """Prove a policy well defined and its invariants true.

    The proof holds for every input, parameter and state in range. Warnings
    tell of rules never reached, conditions always or never true, modes never
    entered, and names nothing uses; they do not change the exit code.
    """
    from hl_dsl.diagnostics import render
    from hl_dsl.program import Program
    from hl_dsl.verify.dead import dead

    program = Program.load(file)
    proof = program.prove()
    warnings = sorted(program.warnings + dead(program.checked, proof), key=lambda item: item.span)
    for item in warnings:
        note(render(program.source, item) + "\n")
    found = proof.to_json()
    obligations = found.pop("results")
    document = {
        "schema": "hl.verify/1", "policy": program.name, "program_hash": program.hash, "env": program.card.environment,
        **found, "exit_code": proof.exit_code, "obligations": obligations,
        "warnings": [item.to_json(program.source) for item in warnings],
    }
    show(document, proof.render(program.source), json)
    finish(proof.exit_code)
